"""The web server: a WSGI application on waitress, in threads of its own, with limits (S67) and an end.

Where waitress does something else than we want (PITFALLS 2.2, 2.6, 6.4), a class of ours says what and why. Its stubs
are wrong or silent about much of what is used here; `Any` is for those places.
"""

import errno
import logging
import socket
import threading
import time
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from aggregator.errors import AddressInUse
from aggregator.serve.application import GUARDS, MAX_REQUEST_LINE, refusal
from aggregator.serve.names import is_document

log = logging.getLogger(__name__)

THREADS = 8
MAX_CONNECTIONS = 100  # S67
PATIENCE_SECONDS = 10.0  # for the whole of a request, and for the next one on a kept connection (S67)
CROWDED_SECONDS = 1.0  # for the next request, while others wait for a connection
STALLED_SECONDS = 30  # for a reader that takes nothing of its answer
MAX_HEADER_BYTES = 2 * MAX_REQUEST_LINE  # request line and header fields together
TICK_SECONDS = 1.0  # how often the loop looks at the clock


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
    the client's turn began, or its request did. The loop asks `readable` at each turn.
    """

    parser_class = FirmParser
    task_class = KeepingTask
    error_task_class = PlainErrorTask
    server: Any
    patience_seconds = PATIENCE_SECONDS
    is_prompt = False  # its next request is answered by the loop
    _turn: tuple[float, bool] | None = None  # since when (monotonic), and whether its request has begun

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        while self.is_prompt:  # not in `add_task`: a lock is held there that `service` needs
            self.is_prompt = False
            self.service()
        return taken

    def readable(self) -> bool:
        if not self.server.accepting:  # stopping: what has arrived is answered, nothing more is read
            return False
        if not super().readable():
            self._turn = None
            return False
        now, begun = time.monotonic(), self.request is not None
        if self._turn is None or self._turn[1] != begun:
            self._turn = now, begun
        crowded = self.server.in_connection_overflow and not begun
        if now - self._turn[0] > (CROWDED_SECONDS if crowded else self.patience_seconds):
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

    Handing a request to a thread and its answer back takes more than twice as long as the answer. The loop is never
    held up: an answer that does not fit into the socket's buffer is sent as the reader takes it, and while any of one
    waits, the next goes to a thread (a thread may wait for room, S67).
    """

    loop_thread = 0  # its identity, once it runs

    def add_task(self, task: Any) -> None:
        request = task.requests[0]
        is_quick = request.error is not None or is_document(request.path)
        if is_quick and not task.total_outbufs_len and self.is_loop():
            task.is_prompt = True
        else:
            super().add_task(task)

    def is_loop(self) -> bool:
        """Tell whether it is the loop that asks."""
        return threading.get_ident() == self.loop_thread


class WebServer:
    """A web server that runs beside the rest of the program."""

    def __init__(
        self,
        application: WSGIApplication,
        host: str,
        port: int,
        *,
        max_body_bytes: int = 0,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Make a server; nothing is bound before `start`.

        Args:
            application: what answers; called by up to eight threads at a time.
            host: an address (IPv6 with or without brackets), or a name, of whose addresses one is taken, IPv4 first.
            port: 0 takes a free one, see `address`.
            max_body_bytes: of a request; more is refused before the application sees it.
            patience_seconds: for a request to arrive whole.
        """
        self._application, self._host, self._port = application, host, port
        self._max_body_bytes = max_body_bytes
        self._channel = type("PatientChannel", (PatientChannel,), {"patience_seconds": patience_seconds})
        self._sockets: dict[int, Any] = {}
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._ends: float | None = None  # when stopping must be over, monotonic

    @property
    def address(self) -> tuple[str, int]:
        """The address and port: once started, those that are really in use."""
        return self._host, self._port

    def start(self) -> None:
        """Listen, and answer from now on.

        Raises:
            AddressInUse: the address can't be had.
        """
        listener = listen(self._host, self._port)
        self._host, self._port = listener.getsockname()[:2]
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits a moment
        sockets: Any = self._sockets
        workers = PromptDispatcher()
        workers.set_thread_count(THREADS)
        self._server = create_server(
            self._application,
            map=sockets,
            sockets=[listener],
            _dispatcher=workers,
            connection_limit=MAX_CONNECTIONS + 2,  # it counts the listener and the trigger too
            channel_timeout=STALLED_SECONDS,
            cleanup_interval=STALLED_SECONDS // 3,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=self._max_body_bytes + 1,
            log_socket_errors=False,  # readers that hang up are no news
            ident="aggregator",
        )
        self._server.channel_class = self._channel
        wake = self._server.pull_trigger
        self._server.pull_trigger = lambda: None if workers.is_loop() else wake()  # it needn't wake itself
        self._thread.start()

    def is_alive(self) -> bool:
        """Tell whether requests are answered: the loop runs and nobody has stopped it."""
        return self._thread.is_alive() and self._ends is None

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Answer what has arrived, then close everything. Kept connections and half-sent requests end at once.

        Again is no harm, and tidies up after a thread that was too slow the first time.

        Args:
            timeout_seconds: for answers under way; then they are cut.
        """
        server = self._server
        if server is None:
            return
        ends = self._ends = time.monotonic() + timeout_seconds
        server.pull_trigger()
        self._thread.join(timeout_seconds + TICK_SECONDS)
        workers = server.task_dispatcher
        workers.shutdown(timeout=max(0.0, ends - time.monotonic()))
        if not workers.threads:  # else one might still write to the trigger, when its number is another file's
            server.trigger.close()
            self._server = None

    def _run(self) -> None:
        server = self._server
        server.task_dispatcher.loop_thread = threading.get_ident()
        try:
            while not self._is_over(server):
                wasyncore.poll2(TICK_SECONDS if self._ends is None else TICK_SECONDS / 10, self._sockets)
        except Exception:
            log.exception("crash_web")
        finally:
            wasyncore.dispatcher.close(server)  # its own `close` would close the trigger
            for channel in list(server.active_channels.values()):
                channel.handle_close()

    def _is_over(self, server: Any) -> bool:
        """Take leave of every connection whose answer is out, once stopping; tell whether that was the last one."""
        if self._ends is None:
            return False
        if server.accepting:
            wasyncore.dispatcher.close(server)
        for channel in list(server.active_channels.values()):
            if not channel.requests and not channel.total_outbufs_len:
                channel.handle_close()
        return not server.active_channels or time.monotonic() >= self._ends


def listen(host: str, port: int) -> socket.socket:
    """Bind one address and listen there. `::` takes IPv4 too, where the system can.

    Raises:
        AddressInUse: the address can't be had.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        both = address[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=1024, dualstack_ipv6=both)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "another program listens there" if taken else (error.strerror or str(error))
        raise AddressInUse(f"{host}:{port}", why) from error
