"""An S3 service on loopback, as much of one as our client asks for; what is odd about an answer is scripted."""

import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEPT = ("content-type", "content-encoding", "cache-control")
PATIENCE = 60  # seconds that a put waits for others: only turns a hang into a failure
ENVIRON = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL")


@dataclass
class Stored:
    """An object."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class ObjectService:
    """The service: one bucket, `planet`. A context manager."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.asked: list[tuple[str, str]] = []  # method, key
        self.refusals: deque[tuple[int, str]] = deque()  # status and code of the next answers
        self.stopped = False
        self.put: list[str] = []  # keys that were put, in the order in which they stood there
        self.most = 0  # puts that were under way at one time
        self._meeting, self._under_way, self._met = 0, 0, threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment variables that a client needs."""
        return dict(zip(ENVIRON, ("KEY", "secret", "eu-central-1", self.url), strict=True))

    def puts(self) -> list[str]:
        """Return the keys that were put since the last call, in order."""
        keys = [key for method, key in self.asked if method == "PUT"]
        self.asked.clear()
        return keys

    def meet(self, many: int) -> None:
        """Hold puts back until so many are under way at once; from then on none is held."""
        self._meeting = many
        self._met.clear()

    def store(self, key: str, stored: Stored) -> None:
        """Put an object in place."""
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            if self._under_way >= self._meeting:
                self._met.set()
        self._met.wait(PATIENCE)
        with self._lock:
            self._under_way -= 1
            self.objects[key] = stored
            self.put.append(key)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; twice is no harm."""
        self.stopped = True
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    service: ObjectService
    protocol_version = "HTTP/1.1"

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())

    def _serve(self) -> None:
        if self.service.stopped:
            self.close_connection = True
            return None
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        split = urlsplit(self.path)
        _, bucket, *rest = unquote(split.path).split("/", 2)
        key = rest[0] if rest else ""
        self.service.asked.append((self.command, key))
        if self.service.refusals:
            return self._error(*self.service.refusals.popleft())
        if "Credential=KEY/" not in self.headers.get("Authorization", ""):
            return self._error(403, "InvalidAccessKeyId")
        if bucket != "planet":
            return self._error(404, "NoSuchBucket")
        if self.command == "GET" and not key:
            return self._list(parse_qs(split.query).get("prefix", [""])[0])
        if self.command == "PUT":
            named = {name.lower(): value for name, value in self.headers.items()}
            kept = {name: value for name, value in named.items() if name in KEPT or name.startswith("x-amz-meta-")}
            self.service.store(key, Stored(body, kept))
            return self._answer(200, headers={"ETag": '"x"'})
        if self.command == "DELETE":
            self.service.objects.pop(key, None)
            return self._answer(204)
        stored = self.service.objects.get(key)
        if stored is None:
            return self._error(404, "NoSuchKey")
        dates = {"ETag": '"x"', "Last-Modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
        return self._answer(200, stored.body, stored.headers | dates)

    def _list(self, prefix: str) -> None:
        lines = [
            f"<Contents><Key>{escape(key)}</Key><LastModified>2023-11-14T22:13:20Z</LastModified><ETag>x</ETag>"
            f"<Size>{len(stored.body)}</Size></Contents>"
            for key, stored in sorted(self.service.objects.items())
            if key.startswith(prefix)
        ]
        self._answer(
            200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(lines)}</ListBucketResult>".encode()
        )

    do_GET = do_HEAD = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
