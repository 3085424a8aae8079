"""The web server: a WSGI application on waitress, in its own threads, with limits (S67) and an orderly stop.

Where waitress' behaviour does not fit, a subclass changes it and says why; the classes of connections and threads are
in channel.py. waitress' type stubs are wrong or incomplete for much of the code here; `Any` is used in those places.
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
from aggregator.serve.channel import REQUEST_SECONDS, STALLED_SECONDS, InlineDispatcher, TimeoutChannel
from aggregator.serve.connection_limit import BURST, MAX_CONNECTIONS, connections_to_close

log = logging.getLogger(__name__)

THREADS = 8
# Unsent bytes for which a thread would wait: here the next request waits instead, see `InlineDispatcher`.
NO_WATERMARK = 2**62
MAX_HEADER_BYTES = 2 * MAX_REQUEST_LINE  # request line and header fields together
TICK_SECONDS = 1.0  # how often the loop checks time limits


class AcceptingServer(TcpWSGIServer):
    """Accepts every connection and closes others if there are too many; waitress would stop accepting (S67)."""

    active_channels: Any  # number of the socket to its TimeoutChannel

    def handle_accept(self) -> None:
        """Accept waiting connections, at most `BURST`, then close the excess."""
        for _ in range(BURST):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                break
        excess = len(self.active_channels) - MAX_CONNECTIONS
        if excess > 0:
            waits = [(channel, wait) for channel in self.active_channels.values() if (wait := channel.wait())]
            for channel in connections_to_close(waits, excess):
                channel.drop()


class WebServer:
    """Web server that runs in threads beside the rest of the program."""

    def __init__(
        self,
        application: WSGIApplication,
        host: str,
        port: int,
        *,
        max_body_bytes: int = 0,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        """Create a server. Nothing is bound before `start`.

        Args:
            application: the WSGI application; called by up to eight threads at a time.
            host: an address (IPv6 with or without brackets), or a name; one of its addresses is used, IPv4 first.
            port: 0 uses a free port, see `address`.
            max_body_bytes: of a request; a larger body is refused before the application is called.
            request_seconds: time limit for a whole request to arrive.
        """
        self._application, self._host, self._port = application, host, port
        self._max_body_bytes = max_body_bytes
        self._channel = type("TimeoutChannel", (TimeoutChannel,), {"request_seconds": request_seconds})
        self._sockets: dict[int, Any] = {}
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._stop_by: float | None = None  # monotonic time by which the server must have stopped; None while running

    @property
    def address(self) -> tuple[str, int]:
        """The address and port; after `start`, the real ones."""
        return self._host, self._port

    def start(self) -> None:
        """Bind the address and start to answer.

        Raises:
            AddressInUse: the address can't be bound.
        """
        listener = listen(self._host, self._port)
        self._host, self._port = listener.getsockname()[:2]
        logging.getLogger("waitress.queue").setLevel(
            logging.ERROR
        )  # waitress warns of every request that waits a moment
        sockets: Any = self._sockets
        workers = InlineDispatcher()
        workers.set_thread_count(THREADS)
        self._server = AcceptingServer(
            self._application,
            sockets,
            True,
            listener,
            dispatcher=workers,
            adj=Adjustments(
                connection_limit=MAX_CONNECTIONS + BURST + 2,  # waitress counts the listener and the trigger too
                channel_timeout=STALLED_SECONDS,
                cleanup_interval=STALLED_SECONDS // 3,
                max_request_header_size=MAX_HEADER_BYTES,
                max_request_body_size=self._max_body_bytes + 1,
                outbuf_high_watermark=NO_WATERMARK,
                log_socket_errors=False,  # clients that close their connection are not errors
                ident="aggregator",
            ),
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )
        self._server.channel_class = self._channel
        wake = self._server.pull_trigger
        self._server.pull_trigger = lambda: None if workers.is_loop() else wake()  # the loop need not wake itself
        self._thread.start()

    def is_alive(self) -> bool:
        """Return True if the server answers requests: the loop runs and `stop` was not called."""
        return self._thread.is_alive() and self._stop_by is None

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Answer the requests that have arrived, then close everything. Idle connections and partial requests are cut.

        Can be called again, which also cleans up after a thread that was too slow the first time.

        Args:
            timeout_seconds: for responses in progress; then they are cut off.
        """
        server = self._server
        if server is None:
            return
        stop_by = self._stop_by = time.monotonic() + timeout_seconds
        server.pull_trigger()
        self._thread.join(timeout_seconds + TICK_SECONDS)
        workers = server.task_dispatcher
        workers.shutdown(timeout=max(0.0, stop_by - time.monotonic()))
        if (
            workers.has_ended()
        ):  # otherwise a thread might write to the trigger's number when it belongs to another file
            server.trigger.close()
            self._server = None

    def _run(self) -> None:
        server = self._server
        server.task_dispatcher.loop_thread = threading.get_ident()
        try:
            while not self._is_over(server):
                wasyncore.poll2(TICK_SECONDS if self._stop_by is None else TICK_SECONDS / 10, self._sockets)
        except Exception:
            log.exception("crash_web")
        finally:
            wasyncore.dispatcher.close(server)  # the server's own `close` would close the trigger
            for channel in list(server.active_channels.values()):
                channel.handle_close()

    def _is_over(self, server: Any) -> bool:
        """While stopping, close connections whose response is sent; return True when none is left or time is up."""
        if self._stop_by is None:
            return False
        if server.accepting:
            wasyncore.dispatcher.close(server)
        for channel in list(server.active_channels.values()):
            if not channel.requests and not channel.total_outbufs_len:
                channel.handle_close()
        return not server.active_channels or time.monotonic() >= self._stop_by


def listen(host: str, port: int) -> socket.socket:
    """Bind one address and listen. `::` accepts IPv4 too, where the system supports this.

    Raises:
        AddressInUse: the address can't be bound.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        both = address[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=1024, dualstack_ipv6=both)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "another program listens there" if taken else (error.strerror or str(error))
        raise AddressInUse(f"{host}:{port}", why) from error
