"""The web server: a WSGI application on waitress, in threads of its own, with limits (S67) and an end.

Where waitress does something else than we want (PITFALLS 2.2, 2.6, 6.4), a class of ours says what and why; the classes
for connections and threads are in channel.py. waitress' stubs are wrong or silent about much of what is used here;
`Any` is for those places.
"""

import errno
import logging
import socket
import threading
import time
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from aggregator.errors import AddressInUse
from aggregator.serve.application import MAX_REQUEST_LINE
from aggregator.serve.channel import PATIENCE_SECONDS, STALLED_SECONDS, PatientChannel, PromptDispatcher
from aggregator.serve.crowd import BURST, MAX_CONNECTIONS, crowded_out

log = logging.getLogger(__name__)

THREADS = 8
NEVER = (
    2**62
)  # bytes of an answer for which a thread would wait: the next request waits instead, see `PromptDispatcher`
MAX_HEADER_BYTES = 2 * MAX_REQUEST_LINE  # request line and header fields together
TICK_SECONDS = 1.0  # how often the loop looks at the clock


class RoomyServer(TcpWSGIServer):
    """Accepts every connection and closes others to make room; waitress would leave new ones unaccepted (S67)."""

    active_channels: Any  # each a PatientChannel, by its number

    def handle_accept(self) -> None:
        """Accept what waits, up to a burst, then make room."""
        for _ in range(BURST):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                break
        excess = len(self.active_channels) - MAX_CONNECTIONS
        if excess > 0:
            waits = [(channel, wait) for channel in self.active_channels.values() if (wait := channel.wait())]
            for channel in crowded_out(waits, excess):
                channel.drop()


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
        self._server = RoomyServer(
            self._application,
            sockets,
            True,
            listener,
            dispatcher=workers,
            adj=Adjustments(
                connection_limit=MAX_CONNECTIONS + BURST + 2,  # it counts the listener and the trigger too
                channel_timeout=STALLED_SECONDS,
                cleanup_interval=STALLED_SECONDS // 3,
                max_request_header_size=MAX_HEADER_BYTES,
                max_request_body_size=self._max_body_bytes + 1,
                outbuf_high_watermark=NEVER,
                log_socket_errors=False,  # readers that hang up are no news
                ident="aggregator",
            ),
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
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
        if workers.has_ended():  # else one might still write to the trigger, when its number is another file's
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
