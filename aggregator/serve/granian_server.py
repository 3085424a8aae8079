"""The faster web server, with the extra `granian`: the same application, in the same process, on a server in Rust.

granian's embedded server asks for its own kind of application (RSGI); this translates. Documents are answered where the
request arrives, which takes a tenth of a millisecond; whatever else there is (`/search`) in threads, so that no reader
waits for another's question.
"""

import asyncio
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from aggregator.errors import AggregatorError, ExtraMissing
from aggregator.serve.application import MAX_REQUEST_LINE
from aggregator.serve.server import MAX_CONNECTIONS, PATIENCE_SECONDS, listen

try:
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.server.embed import Server
except ModuleNotFoundError as error:
    raise ExtraMissing("--server granian", "granian") from error

log = getLogger(__name__)

_DOCUMENT = re.compile(r"\.(?:html|atom|rss|css|svg)\Z|/category/")  # a file for certain, and no endpoint

MAX_HEADER_BYTES = 2 * MAX_REQUEST_LINE
START_SECONDS = 10.0
THREADS = 4  # for what is no document


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
            application: what answers.
            host: an address, or a name, of whose addresses one is taken.
            port: 0 takes a free one, see `address`.
            patience_seconds: for the head of a request to arrive, and for the next one on a kept connection (S67).
        """
        self._application, self._host, self._port = application, host, port
        self._patience_seconds = patience_seconds
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None
        self._ready = threading.Event()
        self._stopping = False
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
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or not self._thread.is_alive():
            raise AggregatorError(f"granian did not begin to listen on {self._host}:{self._port}")

    def is_alive(self) -> bool:
        """Tell whether requests are answered."""
        return self._thread.is_alive() and not self._stopping

    def stop(self, timeout_seconds: float = 3.0) -> None:
        """End; answers under way are finished, within that time. Again is no harm."""
        if self._stopping or self._loop is None:
            return
        self._stopping = True
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(timeout_seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("crash_web")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(
            self._answer,
            address=self._host,
            port=self._port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=1024,
            backpressure=MAX_CONNECTIONS,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(self._patience_seconds * 1000), max_buffer_size=MAX_HEADER_BYTES
            ),
            log_enabled=False,
        )
        self._loop.call_later(0.05, self._ready.set)
        await self._server.serve()

    async def _answer(self, scope: Any, protocol: Any) -> None:
        environ = _environ_of(scope)
        if _DOCUMENT.search(environ["PATH_INFO"]):
            status, headers, body = _called(self._application, environ)
        else:
            loop = asyncio.get_running_loop()
            status, headers, body = await loop.run_in_executor(self._pool, _called, self._application, environ)
        if body:
            protocol.response_bytes(status, headers, body)
        else:
            protocol.response_empty(status, headers)


def _called(application: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], bytes]:
    """Call the application; its fault is a 500, as elsewhere."""
    said: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        said.append((int(status[:3]), headers))

    try:
        body = b"".join(application(environ, start_response))
    except Exception:
        log.exception("crash_request", extra={"path": environ["PATH_INFO"]})
        return 500, [("Content-Type", "text/plain; charset=utf-8")], b"Internal Server Error\n"
    status, headers = said[-1]
    return status, headers, body


def _environ_of(scope: Any) -> WSGIEnvironment:
    headers: Mapping[str, str] = scope.headers
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": "/" + scope.path.encode().decode("latin-1").lstrip("/"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
    }
    for name, value in headers.items():
        if name == "content-length":
            environ["CONTENT_LENGTH"] = value
        elif name == "transfer-encoding":
            environ["CONTENT_LENGTH"] = "unknown"  # a body, in any case: it is refused where none is expected
        elif name != "content-type":
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
    return environ
