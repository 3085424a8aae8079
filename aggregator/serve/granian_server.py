"""The faster web server, with the extra `granian`: the same application, in the same process, on a server in Rust.

What granian offers for embedding takes asynchronous applications, and would call ours by way of an event loop: half of
an answer's time. So this drives the worker that granian's own command has for WSGI, which calls the application
directly. granian does not promise to keep that worker as it is: the extra names the one minor version we know.

One thread answers documents: several would spend more time on waiting for each other than on answers. Whatever may take
longer (`/search`) is answered in threads of its own, so that no reader waits for another's question. Health checks have
threads that answer nothing else.

granian leaves connections beyond its limit unaccepted, and has no limit of time for a reader. So it may accept more
than `MAX_CONNECTIONS`, and a thread of ours closes those that finish no request (S67).
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
from aggregator.serve.channel import CHECK_THREADS, PATIENCE_SECONDS
from aggregator.serve.crowd import MAX_CONNECTIONS
from aggregator.serve.names import is_check, is_document
from aggregator.serve.room import SPARE_CONNECTIONS, Room
from aggregator.serve.server import listen
from aggregator.serve.sockets import can_look

try:
    from granian import _futures, _granian
    from granian.http import HTTP1Settings
except ModuleNotFoundError as error:
    raise ExtraMissing("--server granian", "granian") from error

log = getLogger(__name__)

_core: Any = _granian  # its stubs lack half of it
_scheduler: Any = _futures._new_cbscheduler

BACKLOG = 1024
THREADS = 4  # for what is no document
FAULT = ("500", [("Content-Type", "text/plain; charset=utf-8")], b"Internal Server Error\n")
MAX_HEADER_BYTES = 2 * MAX_REQUEST_LINE


class GranianServer:
    """A web server that runs beside the rest of the program; like `WebServer`, but faster."""

    def __init__(
        self,
        application: WSGIApplication,
        host: str,
        port: int,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Make a server; nothing is bound before `start`.

        Args:
            application: what answers; called by up to seven threads at a time.
            host: an address, or a name, of whose addresses one is taken.
            port: 0 takes a free one, see `address`.
            patience_seconds: for the head of a request to arrive, and for the next one on a kept connection (S67).
        """
        self._application, self._host, self._port = application, host, port
        self._patience_seconds = patience_seconds
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web")
        self._checks = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="web-check")
        self._end = _core.WorkerSignal()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """The address and port: once started, those that are really in use."""
        return self._host, self._port

    def start(self) -> None:
        """Listen, and answer from now on.

        Raises:
            AddressInUse: the address can't be had.
        """
        with listen(self._host, self._port) as probe:  # granian would say it less plainly, and not which port 0 became
            self._host, self._port = probe.getsockname()[:2]
        try:
            listener = _core.ListenerSpec(self._host, self._port, BACKLOG).build()
        except OSError as error:  # somebody took it in this very moment
            raise AggregatorError(f"granian can't listen on {self._host}:{self._port}: {error}") from error
        with socket.socket(fileno=os.dup(listener.get_fd())) as ours:
            ours.listen(BACKLOG)  # the worker does so too, but only a moment after it said that it runs
        self._worker = _core.WSGIWorker(
            worker_id=1,
            sock=(None, listener),
            ipc=None,
            threads=1,
            py_threads=1,
            backpressure=MAX_CONNECTIONS + (SPARE_CONNECTIONS if can_look() else 0),
            http_mode="1",
            http1_opts=HTTP1Settings(
                header_read_timeout=int(self._patience_seconds * 1000), max_buffer_size=MAX_HEADER_BYTES
            ),
            metrics=(None, None),
        )
        self._thread.start()
        if can_look():
            threading.Thread(target=Room(self._port).keep, args=(self._ended,), name="web-room", daemon=True).start()

    def is_alive(self) -> bool:
        """Tell whether requests are answered."""
        return self._thread.is_alive() and not self._ended.is_set()

    def stop(self, timeout_seconds: float = 3.0) -> None:
        """End; answers under way are finished, within that time. Again is no harm."""
        if not self._thread.is_alive():
            return
        self._end.set()
        self._thread.join(timeout_seconds)
        for pool in (self._pool, self._checks):
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self._end.add_cb(self._ended.set)
            loop = asyncio.new_event_loop()  # a worker for WSGI is given one, and never runs it
            self._worker.serve_str(_scheduler(loop, self._take, impl_asyncio=True), loop, self._end)
            self._ended.wait()
            loop.close()
        except Exception:
            log.exception("crash_web")

    def _take(self, protocol: Any, environ: WSGIEnvironment) -> None:
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["CONTENT_LENGTH"] = "unknown"  # a body, in any case: it is refused where none is expected
        path = environ["PATH_INFO"] = "/" + environ["PATH_INFO"].lstrip("/")
        if is_document(path):
            self._answer(protocol, environ)
        else:
            (self._checks if is_check(path) else self._pool).submit(self._answer, protocol, environ)

    def _answer(self, protocol: Any, environ: WSGIEnvironment) -> None:
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            said.append((status, headers))

        try:
            body = b"".join(self._application(environ, start_response))
            status, headers = said[-1]
        except Exception:
            log.exception("crash_request", extra={"path": environ["PATH_INFO"]})
            status, headers, body = FAULT
        protocol.response_bytes(int(status[:3]), headers, body)
