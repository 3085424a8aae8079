"""The web server on granian (extra `granian`): the same application in the same process, on a faster server in Rust.

granian's interface for embedding takes asynchronous applications; with an event loop, responses would take twice as
long. So this module runs the worker that granian's own command uses for WSGI, which calls the application directly.
granian does not promise to keep that worker stable: the extra pins one minor version.

One thread answers requests for documents: several threads would wait for each other more than they would work. Requests
that may take longer (`/search`) have threads of their own, so that no reader waits for the query of another, and so do
health checks.

granian does not accept connections beyond its limit, and has no time limit for clients. So granian's limit is above
`MAX_CONNECTIONS`, and a thread of ours closes connections that finish no request (S67).
"""

import asyncio
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from aggregator.errors import AggregatorError, ExtraMissing
from aggregator.serve.application import MAX_REQUEST_LINE
from aggregator.serve.channel import CHECK_THREADS, REQUEST_SECONDS
from aggregator.serve.connection_closer import SPARE_CONNECTIONS, ConnectionCloser
from aggregator.serve.connection_limit import MAX_CONNECTIONS
from aggregator.serve.names import is_document, is_health_check
from aggregator.serve.server import listen
from aggregator.serve.sockets import can_list_open_files

try:
    from granian import _futures, _granian
    from granian.http import HTTP1Settings
except ModuleNotFoundError as error:
    raise ExtraMissing("--server granian", "granian") from error

log = getLogger(__name__)

_core: Any = _granian  # granian's stubs are incomplete
_scheduler: Any = _futures._new_cbscheduler

BACKLOG = 1024
THREADS = 4  # for requests that are not for documents
FAULT = ("500", [("Content-Type", "text/plain; charset=utf-8")], b"Internal Server Error\n")
MAX_HEADER_BYTES = 2 * MAX_REQUEST_LINE


class GranianServer:
    """Web server that runs in threads beside the rest of the program; a faster alternative to `WebServer`."""

    def __init__(
        self,
        application: WSGIApplication,
        host: str,
        port: int,
        *,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        """Create a server. Nothing is bound before `start`.

        Args:
            application: the WSGI application; called by up to seven threads at a time.
            host: an address, or a name; one of its addresses is used.
            port: 0 uses a free port, see `address`.
            request_seconds: time limit for the head of a request, and for the next request on a kept connection (S67).
        """
        self._application, self._host, self._port = application, host, port
        self._request_seconds = request_seconds
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web")
        self._checks = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="web-check")
        self._end = _core.WorkerSignal()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """The address and port; after `start`, the real ones."""
        return self._host, self._port

    def start(self) -> None:
        """Bind the address and start to answer.

        Raises:
            AddressInUse: the address can't be bound.
        """
        with listen(
            self._host, self._port
        ) as probe:  # granian's error is less clear, and granian does not report the port for 0
            self._host, self._port = probe.getsockname()[:2]
        try:
            listener = _core.ListenerSpec(self._host, self._port, BACKLOG).build()
        except OSError as error:  # another program took the address since the check
            raise AggregatorError(f"granian can't listen on {self._host}:{self._port}: {error}") from error
        with socket.socket(fileno=os.dup(listener.get_fd())) as ours:
            ours.listen(BACKLOG)  # the worker listens too, but only a moment after it reports that it runs
        self._worker = _core.WSGIWorker(
            worker_id=1,
            sock=(None, listener),
            ipc=None,
            threads=1,
            py_threads=1,
            backpressure=MAX_CONNECTIONS + (SPARE_CONNECTIONS if can_list_open_files() else 0),
            http_mode="1",
            http1_opts=HTTP1Settings(
                header_read_timeout=int(self._request_seconds * 1000), max_buffer_size=MAX_HEADER_BYTES
            ),
            metrics=(None, None),
        )
        self._thread.start()
        if can_list_open_files():
            threading.Thread(
                target=ConnectionCloser(self._port).run, args=(self._ended,), name="web-connections", daemon=True
            ).start()

    def is_alive(self) -> bool:
        """Return True if the server answers requests."""
        return self._thread.is_alive() and not self._ended.is_set()

    def stop(self, timeout_seconds: float = 3.0) -> None:
        """Stop the server. Requests in progress are finished within the timeout. Can be called again."""
        if not self._thread.is_alive():
            return
        self._end.set()
        self._thread.join(timeout_seconds)
        for pool in (self._pool, self._checks):
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self._end.add_cb(self._ended.set)
            loop = asyncio.new_event_loop()  # the worker needs a loop as argument, but never runs it for WSGI
            self._worker.serve_str(_scheduler(loop, self._dispatch, impl_asyncio=True), loop, self._end)
            self._ended.wait()
            loop.close()
        except Exception:
            log.exception("crash_web")

    def _dispatch(self, protocol: Any, environ: WSGIEnvironment) -> None:
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["CONTENT_LENGTH"] = "unknown"  # a body of unknown length; refused unless the endpoint takes bodies
        path = environ["PATH_INFO"] = "/" + environ["PATH_INFO"].lstrip("/")
        if is_document(path):
            self._answer(protocol, environ)
        else:
            (self._checks if is_health_check(path) else self._pool).submit(self._answer, protocol, environ)

    def _answer(self, protocol: Any, environ: WSGIEnvironment) -> None:
        responses: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            responses.append((status, headers))

        try:
            body = b"".join(self._application(environ, start_response))
            status, headers = responses[-1]
        except Exception:
            log.exception("crash_request", extra={"path": environ["PATH_INFO"]})
            status, headers, body = FAULT
        protocol.response_bytes(int(status[:3]), headers, body)
