"""Connections, requests and threads of waitress, where they do something else than we want.

waitress' stubs are wrong or silent about much of what is used here; `Any` is for those places.
"""

import socket
import struct
import threading
import time
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from aggregator.serve.application import GUARDS, refusal
from aggregator.serve.crowd import Wait, client_of
from aggregator.serve.names import is_check, is_document

PATIENCE_SECONDS = 10.0  # for the whole of a request, and for the next one on a kept connection (S67)
STALLED_SECONDS = 30  # for a reader that takes nothing of its answer
CHECK_THREADS = 2  # for health checks alone
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is not sent yet is dropped, or the kernel would go on sending it


class KeepingTask(WSGITask):
    """Keeps the connection after a 304: waitress would close it, as a 304 has no Content-Length."""

    request: Any

    def build_response_header(self) -> bytes:
        close = self.close_on_finish or self.request.headers.get("CONNECTION", "").lower() == "close"
        head = super().build_response_header()
        if self.status.startswith("304") and self.version == "1.1" and not close:
            self.close_on_finish = False
            head = head.replace(b"Connection: close\r\n", b"")
        return head


class PlainErrorTask(ErrorTask):
    """Says no like the application does: waitress would repeat the header line that it could not read (S41)."""

    request: Any

    def execute(self) -> None:
        reply = refusal(HTTPStatus(self.request.error.code))
        self.status = f"{reply.status.value} {reply.status.phrase}"
        self.response_headers = [*reply.headers, *GUARDS]
        self.content_length = len(reply.body)
        self.set_close_on_finish()
        self.write(reply.body)


class FirmParser(HTTPRequestParser):
    """Calls a bad request what it is: on `GET http://[/` waitress would log a fault and hang up."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("unreadable") from error


class PatientChannel(HTTPChannel):
    """A connection with an end to its patience.

    waitress counts from the last byte, so that a byte a minute holds a connection for ever; this counts from the moment
    the client's turn began, or its request did. The loop asks `readable` and `writable` at each turn.
    """

    parser_class = FirmParser
    task_class = KeepingTask
    error_task_class = PlainErrorTask
    server: Any
    socket: Any
    requests: list[Any]
    requests_lock: Any
    patience_seconds = PATIENCE_SECONDS
    is_prompt = False  # its next request is answered by the loop
    is_held = False  # its next request waits until the client has taken the answers before it
    _turn: tuple[float, bool] | None = (
        None  # since when (monotonic) the server waits, and whether the request has begun
    )
    _taking: tuple[float, float, int] | None = None  # since when an answer is sent, the last progress, bytes left then

    def __init__(self, *arguments: Any, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self._client = client_of(str(self.addr[0]))
        self._opened = time.monotonic()
        self._has_asked = False

    def wait(self) -> Wait | None:
        """Return what the server waits for on this connection; None if the server has to answer."""
        if self.total_outbufs_len:
            return Wait(self._client, self._taking[0] if self._taking else time.monotonic(), is_idle=False)
        if self.requests:
            return None
        since = self._turn[0] if self._turn else time.monotonic() if self._has_asked else self._opened
        return Wait(self._client, since, is_idle=self._has_asked and self.request is None)

    def drop(self) -> None:
        """Close the connection at once, and discard what the client has not taken of its answer."""
        if self.total_outbufs_len:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.handle_close()

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        self._answer_promptly()
        return taken

    def handle_write(self) -> None:
        super().handle_write()
        if self.is_held and self.connected and not self.total_outbufs_len:
            self.is_held = False
            with self.requests_lock:
                self.server.add_task(self)
            self._answer_promptly()

    def _answer_promptly(self) -> None:
        while self.is_prompt:  # not in `add_task`: a lock is held there that `service` needs
            self.is_prompt = False
            self.service()

    def service(self) -> None:
        self._has_asked = True
        super().service()

    def writable(self) -> bool:
        now, left = time.monotonic(), self.total_outbufs_len
        if not left:
            self._taking = None
        elif self._taking is None:
            self._taking = now, now, left
        elif self._taking[2] != left:
            self._taking = self._taking[0], now, left
        elif now - self._taking[1] > STALLED_SECONDS:  # also with further requests, for which waitress would wait
            self.will_close = True
        return bool(left or self.is_held or super().writable())

    def readable(self) -> bool:
        if not self.server.accepting:  # stopping: what has arrived is answered, nothing more is read
            return False
        if not super().readable():
            self._turn = None
            return False
        now, begun = time.monotonic(), self.request is not None
        if self._turn is None or self._turn[1] != begun:
            self._turn = now, begun
        if now - self._turn[0] > self.patience_seconds:
            self.will_close = True
        return not self.will_close

    def send_continue(self) -> None:
        """Ask for the body, unless the request is settled: waitress would then wait for one that it has refused."""
        if self.request is not None and self.request.completed:
            self.request.expect_continue = False
        else:
            super().send_continue()


class PromptDispatcher(ThreadedTaskDispatcher):
    """Lets the loop answer requests for documents itself, and threads whatever may take longer.

    Handing a request to a thread and its answer back takes more than twice as long as the answer. Neither the loop nor
    a thread waits for a client: an answer that does not fit into the socket's buffer is sent as the reader takes it.
    Until then the connection's next request waits. Health checks have threads that answer nothing else (S67).
    """

    loop_thread = 0  # its identity, once it runs

    def __init__(self) -> None:
        super().__init__()
        self.checks = ThreadedTaskDispatcher()
        self.checks.set_thread_count(CHECK_THREADS)

    def add_task(self, task: Any) -> None:
        request = task.requests[0]
        if task.total_outbufs_len:
            task.is_held = True
        elif request.error is None and is_check(request.path):
            self.checks.add_task(task)
        elif self.is_loop() and (request.error is not None or is_document(request.path)):
            task.is_prompt = True
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: Any = 5) -> bool:
        end = time.monotonic() + timeout
        self.checks.shutdown(cancel_pending, timeout)
        left: Any = max(0.0, end - time.monotonic())
        return bool(super().shutdown(cancel_pending, left))

    def has_ended(self) -> bool:
        """Return whether all threads have ended."""
        return not self.threads and not self.checks.threads

    def is_loop(self) -> bool:
        """Tell whether it is the loop that asks."""
        return threading.get_ident() == self.loop_thread
