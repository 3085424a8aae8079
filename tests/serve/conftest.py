"""A published folder, and an HTTP client that sends exactly the given bytes."""

import gzip
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import parse_headers
from pathlib import Path
from typing import BinaryIO

import pytest

from aggregator.serve.application import Application
from aggregator.serve.granian_server import GranianServer
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.server import WebServer
from tests.patience import PATIENCE

SECRET = b"nobody may read this"
ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'>" + b"0123456789" * 400 + b"</feed>\n"


@dataclass
class Folder:
    """A published folder, written as the publisher writes it (R30): the .gz first, each file by rename."""

    root: Path
    versions: int = 0

    def publish(self, name: str, body: bytes, *, twin: bool = True, modified: int | None = None) -> Path:
        if twin:
            self.replace(name + ".gz", gzip.compress(body, mtime=0), modified=modified)
        return self.replace(name, body, modified=modified)

    def replace(self, name: str, body: bytes, *, modified: int | None = None) -> Path:
        self.versions += 1
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".tmp-{self.versions}")
        temporary.write_bytes(body)
        if modified is not None:
            os.utime(temporary, (modified, modified))
        return temporary.replace(path)


@dataclass
class Said:
    """A complete response."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class Client:
    """An HTTP client with one connection, kept as long as the server keeps it."""

    address: tuple[str, int]
    connections: int = 0
    _socket: socket.socket | None = None
    _answers: BinaryIO | None = None

    def ask(self, path: str | bytes, method: str = "GET", **fields: str) -> Said:
        """Send a request; `If_None_Match=…` sets the header of that name."""
        target = path.encode() if isinstance(path, str) else path
        lines = [f"{name.replace('_', '-')}: {value}".encode("latin-1") for name, value in fields.items()]
        return self.say(
            b"\r\n".join([method.encode() + b" " + target + b" HTTP/1.1", b"Host: x", *lines, b"", b""]), method
        )

    def say(self, request: bytes, method: str = "GET") -> Said:
        """Send bytes and read one response."""
        connection = self.connect()
        connection.sendall(request)
        return self.hear(method)

    def hear(self, method: str = "GET") -> Said:
        """Read one response."""
        self.connect()
        assert self._answers is not None
        line = self._answers.readline(65536).split(b" ", 2)
        if len(line) < 2:
            raise ConnectionResetError("no answer")
        status = int(line[1])
        headers = {name.lower(): value for name, value in parse_headers(self._answers).items()}
        body = b""
        if method != "HEAD" and status != 304:
            body = self._answers.read(int(headers["content-length"]))
        if headers.get("connection") == "close":
            with suppress(ConnectionResetError):  # the server closed with unread bytes
                assert self._answers.read(1) == b"", "nothing comes after the last answer"
            self.close()
        return Said(status, headers, body)

    def connect(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, timeout=PATIENCE)
            self._answers = self._socket.makefile("rb")
            self.connections += 1
        return self._socket

    def is_dropped(self) -> bool:
        """Return True if the server ends the connection within ten seconds."""
        try:
            return self.connect().recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        if self._socket is not None and self._answers is not None:
            self._answers.close()
            self._socket.close()
        self._socket = self._answers = None


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "public"
    root.mkdir()
    (tmp_path / "secret.atom").write_bytes(SECRET)
    folder = Folder(root)
    for name in ("category/python.atom", "category/python.rss", "category/python.html", "all.atom", "index.html"):
        folder.publish(name, ATOM)
    for name in ("category/python.json", "status.json", "category/python/archive/1.atom"):
        folder.publish(name, b"{}", twin=False)
    for name in ("entry/ab/ab0123456789abcd.html", "style.css", "opml.xml", "sources.opml"):
        folder.publish(name, ATOM, twin=False)
    return folder


@pytest.fixture
def published(folder: Folder) -> PublishedFolder:
    return PublishedFolder(folder.root, lambda name: 1800 if name.startswith("category/") else 300)


@pytest.fixture
def application(published: PublishedFolder) -> Application:
    return Application(published, health=lambda: True, ready=lambda: True)


@pytest.fixture(params=[WebServer, GranianServer], ids=["waitress", "granian"])
def server(application: Application, request: pytest.FixtureRequest) -> Iterator[WebServer | GranianServer]:
    server: WebServer | GranianServer = request.param(application, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: WebServer | GranianServer) -> Iterator[Client]:
    client = Client(server.address)
    yield client
    client.close()
