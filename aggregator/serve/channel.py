"""Connections, requests and threads of waitress, changed where its behaviour does not fit.

waitress' type stubs are wrong or incomplete for much of the code here; `Any` is used in those places.
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

from aggregator.serve.application import SECURITY_HEADERS, error_reply
from aggregator.serve.connection_limit import WaitingConnection, client_of
from aggregator.serve.names import is_document, is_health_check

REQUEST_SECONDS = 10.0  # for a whole request to arrive, and for the next request on a kept connection (S67)
STALLED_SECONDS = 30  # for a client that reads nothing of its response
CHECK_THREADS = 2  # for health checks only
RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: discard unsent data; otherwise the kernel would continue to send it


class KeepAliveTask(WSGITask):
    """Keeps the connection after a 304. waitress would close it, because a 304 has no Content-Length."""

    request: Any

    def build_response_header(self) -> bytes:
        close = self.close_on_finish or self.request.headers.get("CONNECTION", "").lower() == "close"
        head = super().build_response_header()
        if self.status.startswith("304") and self.version == "1.1" and not close:
            self.close_on_finish = False
            head = head.replace(b"Connection: close\r\n", b"")
        return head


class PlainErrorTask(ErrorTask):
    """Answers a bad request as the application does. waitress would repeat the unreadable header line (S41)."""

    request: Any

    def execute(self) -> None:
        reply = error_reply(HTTPStatus(self.request.error.code))
        self.status = f"{reply.status.value} {reply.status.phrase}"
        self.response_headers = [*reply.headers, *SECURITY_HEADERS]
        self.content_length = len(reply.body)
        self.set_close_on_finish()
        self.write(reply.body)


class StrictParser(HTTPRequestParser):
    """Answers 400 to requests such as `GET http://[/`, for which waitress would log an error and hang up."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("unreadable") from error


class TimeoutChannel(HTTPChannel):
    """A connection with time limits for the client.

    waitress measures from the last byte, so that a client that sends a byte a minute can hold a connection forever.
    This class measures from the moment when the server began to wait for the client, or when the request began. The
    loop calls `readable` and `writable` at each turn.
    """

    parser_class = StrictParser
    task_class = KeepAliveTask
    error_task_class = PlainErrorTask
    server: Any
    socket: Any
    requests: list[Any]
    requests_lock: Any
    request_seconds = REQUEST_SECONDS
    is_inline = False  # the loop answers the next request
    is_deferred = False  # the next request waits until the client has read the responses before it
    # Since when (monotonic) the server waits for a request, and whether the request has begun.
    _receiving: tuple[float, bool] | None = None
    # Since when (monotonic) a response is sent, when the client last read of it, and the bytes left then.
    _sending: tuple[float, float, int] | None = None

    def __init__(self, *arguments: Any, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self._client = client_of(str(self.addr[0]))
        self._opened = time.monotonic()
        self._has_asked = False

    def wait(self) -> WaitingConnection | None:
        """Return what the server waits for on this connection; None if the client waits for the server."""
        if self.total_outbufs_len:
            return WaitingConnection(
                self._client, self._sending[0] if self._sending else time.monotonic(), is_idle=False
            )
        if self.requests:
            return None
        since = self._receiving[0] if self._receiving else time.monotonic() if self._has_asked else self._opened
        return WaitingConnection(self._client, since, is_idle=self._has_asked and self.request is None)

    def drop(self) -> None:
        """Close the connection at once, and discard what the client has not read of its response."""
        if self.total_outbufs_len:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.handle_close()

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        self._answer_inline()
        return taken

    def handle_write(self) -> None:
        super().handle_write()
        if self.is_deferred and self.connected and not self.total_outbufs_len:
            self.is_deferred = False
            with self.requests_lock:
                self.server.add_task(self)
            self._answer_inline()

    def _answer_inline(self) -> None:
        while self.is_inline:  # not in `add_task`, which holds a lock that `service` needs
            self.is_inline = False
            self.service()

    def service(self) -> None:
        self._has_asked = True
        super().service()

    def writable(self) -> bool:
        now, left = time.monotonic(), self.total_outbufs_len
        if not left:
            self._sending = None
        elif self._sending is None:
            self._sending = now, now, left
        elif self._sending[2] != left:
            self._sending = self._sending[0], now, left
        elif (
            now - self._sending[1] > STALLED_SECONDS
        ):  # even if there are further requests, for which waitress would wait
            self.will_close = True
        return bool(left or self.is_deferred or super().writable())

    def readable(self) -> bool:
        if not self.server.accepting:  # stopping: requests that have arrived are answered, nothing more is read
            return False
        if not super().readable():
            self._receiving = None
            return False
        now, begun = time.monotonic(), self.request is not None
        if self._receiving is None or self._receiving[1] != begun:
            self._receiving = now, begun
        if now - self._receiving[0] > self.request_seconds:
            self.will_close = True
        return not self.will_close

    def send_continue(self) -> None:
        """Send 100 Continue, unless the request is refused already: waitress would then wait for a refused body."""
        if self.request is not None and self.request.completed:
            self.request.expect_continue = False
        else:
            super().send_continue()


class InlineDispatcher(ThreadedTaskDispatcher):
    """Answers requests for documents in the loop, and all other requests in threads.

    Passing a request to a thread and its response back takes more than twice as long as the response itself. Neither
    the loop nor a thread waits for a client: a response that does not fit into the socket's buffer is sent as the
    client reads, and until then the connection's next request waits. Health checks have threads of their own (S67).
    """

    loop_thread = 0  # identity of the thread that runs the loop, once started

    def __init__(self) -> None:
        super().__init__()
        self.checks = ThreadedTaskDispatcher()
        self.checks.set_thread_count(CHECK_THREADS)

    def add_task(self, task: Any) -> None:
        request = task.requests[0]
        if task.total_outbufs_len:
            task.is_deferred = True
        elif request.error is None and is_health_check(request.path):
            self.checks.add_task(task)
        elif self.is_loop() and (request.error is not None or is_document(request.path)):
            task.is_inline = True
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: Any = 5) -> bool:
        end = time.monotonic() + timeout
        self.checks.shutdown(cancel_pending, timeout)
        left: Any = max(0.0, end - time.monotonic())
        return bool(super().shutdown(cancel_pending, left))

    def has_ended(self) -> bool:
        """Return True if all threads have ended."""
        return not self.threads and not self.checks.threads

    def is_loop(self) -> bool:
        """Return True if the current thread is the loop's."""
        return threading.get_ident() == self.loop_thread
