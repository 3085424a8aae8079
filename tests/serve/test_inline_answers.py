"""The loop answers requests for documents itself: no client may delay the others there."""

import os
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

import pytest

from aggregator.serve.application import Application, Endpoint, Reply, text_reply
from aggregator.serve.granian_server import GranianServer
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.server import WebServer
from tests.serve.conftest import ATOM, Client, Folder

FEED = "/category/python.atom"
LARGE = 6 * 2**20  # bytes: three responses are more than waitress accepts unsent in one connection
TIMES = 4


@pytest.mark.parametrize("kind", [WebServer, GranianServer], ids=["waitress", "granian"])
def test_a_question_that_takes_long_holds_up_no_document(
    published: PublishedFolder, kind: Callable[..., WebServer | GranianServer]
) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def think(environ: WSGIEnvironment) -> Reply:
        asked.set()
        may_answer.wait(30)
        return text_reply(HTTPStatus.OK, "thought")

    endpoints = {"/think": Endpoint(think)}
    server = kind(Application(published, health=lambda: True, ready=lambda: True, endpoints=endpoints), "127.0.0.1", 0)
    server.start()
    thinker, reader = Client(server.address), Client(server.address)
    try:
        thinker.connect().sendall(b"GET /think HTTP/1.1\r\nHost: x\r\n\r\n")  # and is heard below
        assert asked.wait(30)
        assert reader.ask(FEED).body == ATOM
        may_answer.set()
        assert thinker.hear().body == b"thought\n"
    finally:
        may_answer.set()
        thinker.close()
        reader.close()
        server.stop()


def test_s67_a_reader_that_takes_nothing_of_large_documents_holds_up_nobody(
    folder: Folder, server: WebServer | GranianServer, client: Client
) -> None:
    body = os.urandom(LARGE)
    folder.publish("category/large.atom", body, twin=False)
    idle = socket.socket()
    idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    idle.settimeout(30)
    idle.connect(server.address)
    sleeper = Client(server.address, _socket=idle, _answers=idle.makefile("rb"))
    try:
        idle.sendall(b"GET /category/large.atom HTTP/1.1\r\nHost: x\r\n\r\n" * TIMES)
        assert [client.ask(FEED).body for _ in range(20)] == [ATOM] * 20
        for _ in range(TIMES):
            assert sleeper.hear().body == body
    finally:
        sleeper.close()
