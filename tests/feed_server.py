"""An HTTP/1.1 server on loopback for tests; it answers as it is told to, misbehaviour included.

```python
def test_p2_second_poll_sends_the_etag_back(publisher: FeedServer, poll_once: PollOnce) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, {"ETag": '"v1"'}), Reply(304))
    poll_once(url)
    poll_once(url)
    assert publisher.asked[1].headers["If-None-Match"] == '"v1"'
```

`says` scripts replies one after the other (the last one repeats); `serve` offers a well-behaved resource that answers
304 by itself and that `edit` changes. `host=` picks one of 127.0.0.1, 127.0.0.2, ...: the same port answers on all of
them, each by itself, so that one server plays many hosts. Nothing listens outside 127.0.0.0/8.

Connections are kept open between requests. Replies that hang, or are held, end with `release()` and with the publisher.
"""

import contextlib
import gzip
import hashlib
import os
import random
import socket
import ssl
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from io import BufferedIOBase
from types import TracebackType
from typing import Self

from aggregator.urls import Url
from tests.patience import PATIENCE
from tests.ports import PUBLISHER_PORTS

Value = str | bytes  # of a header; bytes go out as they are, str as Latin-1
HeaderLines = Mapping[str, Value] | Sequence[tuple[str, Value]]

_HOUR_ZERO = datetime(2026, 1, 1, tzinfo=UTC)  # the first Last-Modified of `serve`
CLOSE_SECONDS = 10.0  # that closing waits for each connection


class Headers(Mapping[str, str]):
    """Header fields by name, whatever its case; repeated ones are joined by a comma, bytes read as Latin-1."""

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        self.lines = tuple(lines)
        self._values: dict[str, str] = {}
        for name, value in lines:
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str  # the request target as sent: with its query, or absolute where we play a proxy
    headers: Headers
    body: bytes = b""
    raw: bytes = b""  # the whole head, byte for byte
    host: str  # the address it arrived at
    connection: int  # 1 for the first connection that was accepted, and so on
    at: float  # time.monotonic()


class Talk:
    """One connection, seen from the publisher: what a `Reply` plays on."""

    def __init__(self, publisher: "FeedServer", sock: socket.socket, number: int) -> None:
        self.publisher, self.sock, self.number = publisher, sock, number
        self.host = str(sock.getsockname()[0])

    def send(self, data: bytes) -> None:
        """Send bytes; raises OSError once the other side has gone."""
        self.sock.sendall(data)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until `release()`, the end of the publisher, or for some seconds."""
        self.publisher.released.wait(seconds)

    def reset(self) -> None:
        """End the connection with a RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _head(status: int, headers: HeaderLines, reason: str | None = None) -> bytes:
    if reason is None:
        reason = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Odd"
    lines = [f"HTTP/1.1 {status} {reason}".encode("latin-1")]
    lines += [
        name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1"))
        for name, value in _pairs(headers)
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _pairs(headers: HeaderLines) -> list[tuple[str, Value]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _value(headers: HeaderLines, name: str) -> str | None:
    for key, value in _pairs(headers):
        if key.lower() == name:
            return value.decode("latin-1") if isinstance(value, bytes) else value
    return None


# --- Replies --------------------------------------------------------------------------------------------------------


@dataclass
class Reply:
    """An ordinary answer. Content-Length is added unless `headers` say how long it is; nothing else is."""

    status: int = 200
    body: bytes = b""
    headers: HeaderLines = field(default_factory=dict)
    reason: str | None = None

    def head(self) -> bytes:
        """Return the status line and the headers."""
        pairs = _pairs(self.headers)
        told = {name.lower() for name, _ in pairs} & {"content-length", "transfer-encoding"}
        if self.status >= 200 and self.status not in (204, 304) and not told:
            pairs.append(("Content-Length", str(len(self.body))))
        return _head(self.status, pairs, self.reason)

    def play(self, asked: Asked, talk: Talk) -> bool:
        """Answer one request; tell whether the connection can be kept."""
        talk.send(self.head() + self.body)
        return (_value(self.headers, "connection") or "").lower() != "close"


def redirect(location: str | bytes, status: int = 302) -> Reply:
    """Send the reader elsewhere."""
    return Reply(status, b"", {"Location": location})


@dataclass
class RedirectLoop(Reply):
    """Redirects to the very path that was asked for."""

    status: int = 302

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(_head(self.status, {"Location": asked.path, "Content-Length": "0"}))
        return True


@dataclass
class EndlessRedirects(Reply):
    """Redirects to a new path each time: /1, /2, ..."""

    status: int = 302

    def play(self, asked: Asked, talk: Talk) -> bool:
        last = asked.path.rpartition("/")[2]
        step = int(last) if last.isdigit() else 0
        talk.publisher.says(f"/{step + 1}", self, host=talk.host)
        talk.send(_head(self.status, {"Location": f"/{step + 1}", "Content-Length": "0"}))
        return True


@dataclass
class Held(Reply):
    """An ordinary answer that is held until the test calls `release()`."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.wait()
        return super().play(asked, talk)


@dataclass
class Slow(Reply):
    """Drips its body, a byte each `pause` seconds; with `head_too` its headers as well."""

    pause: float = 0.05
    head_too: bool = False

    def play(self, asked: Asked, talk: Talk) -> bool:
        head = self.head()
        if not self.head_too:
            talk.send(head)
        for byte in (head if self.head_too else b"") + self.body:
            talk.send(bytes([byte]))
            talk.wait(self.pause)
        return False


@dataclass
class Hangs(Reply):
    """Says `first` (nothing, or the beginning of an answer), and then never another word."""

    first: bytes = b""

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(self.first)
        talk.wait()
        return False


@dataclass
class Closes(Reply):
    """Closes the connection after `first`, with a FIN: nothing, or not all of an answer."""

    first: bytes = b""

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(self.first)
        return False


@dataclass
class Reset(Reply):
    """Resets the connection after `first`."""

    first: bytes = b""

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(self.first)
        talk.reset()
        return False


@dataclass
class Truncated(Reply):
    """Promises `missing` bytes more than it sends, then closes."""

    missing: int = 100

    def play(self, asked: Asked, talk: Talk) -> bool:
        length = str(len(self.body) + self.missing)
        talk.send(_head(self.status, [*_pairs(self.headers), ("Content-Length", length)]) + self.body)
        return False


@dataclass
class UntilClose(Reply):
    """Gives no length: the body ends with the connection."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(_head(self.status, self.headers) + self.body)
        return False


@dataclass
class Chunked(Reply):
    """Sends the body in chunks; `end` is what follows the last one: `b""` cuts the stream short."""

    size: int = 1000
    end: bytes = b"0\r\n\r\n"

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(_head(self.status, [*_pairs(self.headers), ("Transfer-Encoding", "chunked")]))
        for start in range(0, len(self.body), self.size):
            chunk = self.body[start : start + self.size]
            talk.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        talk.send(self.end)
        return self.end.endswith(b"0\r\n\r\n")


@dataclass
class GzipBomb(Reply):
    """A small body that unpacks to `unpacked` bytes of zeros; `layers` of 2 packs the packed once more."""

    unpacked: int = 200 << 20
    layers: int = 1

    def play(self, asked: Asked, talk: Talk) -> bool:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = bytes(1 << 20)
        body = b"".join(packer.compress(block) for _ in range(self.unpacked >> 20)) + packer.flush()
        for _ in range(self.layers - 1):
            body = gzip.compress(body)
        coding = ", ".join(["gzip"] * self.layers)
        talk.send(_head(200, {"Content-Encoding": coding, "Content-Length": str(len(body))}) + body)
        return True


@dataclass
class TruncatedGzip(Reply):
    """A gzip stream that lacks its end, though the Content-Length is right."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        body = gzip.compress(self.body)[:-12]
        talk.send(_head(200, {"Content-Encoding": "gzip", "Content-Length": str(len(body))}) + body)
        return True


@dataclass
class EndlessBody(Reply):
    """A body that goes on as long as somebody listens."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(_head(200, self.headers))
        while not talk.publisher.closed:
            talk.send(bytes(65536))
        return False


@dataclass
class ManyHeaders(Reply):
    """`count` header lines, each with a value of `size` bytes."""

    count: int = 500
    size: int = 10

    def play(self, asked: Asked, talk: Talk) -> bool:
        lines = [(f"X-Line-{number}", "x" * self.size) for number in range(self.count)]
        talk.send(_head(200, [("Content-Length", str(len(self.body))), *lines]) + self.body)
        return True


@dataclass
class Garbage(Reply):
    """Bytes that are no HTTP, then the end of the connection."""

    body: bytes = b"SSH-2.0-OpenSSH_9.6\r\n\x00\x01\x02"

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(self.body)
        return False


# --- A well-behaved resource ----------------------------------------------------------------------------------------


@dataclass
class Resource(Reply):
    """Resource of `serve`: has validators, and answers 304 to requests that send them."""

    edits: int = 0

    @property
    def etag(self) -> str:
        """The tag of the body as it is now."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    @property
    def last_modified(self) -> str:
        """An hour later with each edit."""
        return format_datetime(_HOUR_ZERO + timedelta(hours=self.edits), usegmt=True)

    def play(self, asked: Asked, talk: Talk) -> bool:
        pairs = _pairs(self.headers)
        etag, modified = _value(self.headers, "etag"), _value(self.headers, "last-modified")
        if etag is None:
            pairs.append(("ETag", etag := self.etag))
        if modified is None:
            pairs.append(("Last-Modified", modified := self.last_modified))
        if "if-none-match" in asked.headers:
            known = etag.removeprefix("W/") in asked.headers["if-none-match"]
        else:
            known = asked.headers.get("if-modified-since") == modified
        if known:
            talk.send(_head(304, [pair for pair in pairs if not pair[0].lower().startswith("content-")]))
        else:
            talk.send(_head(200, [*pairs, ("Content-Length", str(len(self.body)))]) + self.body)
        return True


# --- The server -----------------------------------------------------------------------------------------------------


class FeedServer:
    """HTTP server of the tests, on a port of its own; a context manager. The fixture `publisher` closes it in the end.

    Args:
        tls: serve HTTPS, with a certificate for `names` and 127.0.0.1 to 127.0.0.9 by an authority of its own
            (`authority`: the path of its certificate).
        names: host names that the certificate holds for.
    """

    def __init__(self, *, tls: bool = False, names: Sequence[str] = ("localhost",)) -> None:
        self.asked: list[Asked] = []
        self.connections = 0  # accepted so far
        self.released = threading.Event()
        self.closed = False
        self.port = 0
        self.authority: str | None = None
        self.scheme = "https" if tls else "http"
        self._tls: ssl.SSLContext | None = None
        self._scripts: dict[tuple[str, str], list[Reply]] = {}
        self._listeners: dict[str, socket.socket] = {}
        self._left: dict[str, socket.socket] = {}  # addresses that refuse connections for now
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        if tls:
            self._make_certificate(names)
        self._listen("127.0.0.1")

    # What tests say

    def says(self, path: str, *replies: Reply, host: str = "127.0.0.1") -> Url:
        """Script the answers to a path, one after the other; the last one repeats. Gives the URL."""
        assert replies, "say what to answer"
        self._listen(host)
        with self._changed:
            self._scripts[host, path] = list(replies)
        return self.url(path, host=host)

    def serve(
        self, path: str, body: bytes, headers: HeaderLines | None = None, *, host: str = "127.0.0.1", tags: bool = True
    ) -> Url:
        """Offer a well-behaved resource; `tags=False` leaves out the validators and always answers 200."""
        return self.says(
            path, Resource(200, body, headers or {}) if tags else Reply(200, body, headers or {}), host=host
        )

    def edit(self, path: str, body: bytes, *, host: str = "127.0.0.1") -> None:
        """Change the body of what `serve` offers, and with it its ETag and Last-Modified."""
        with self._changed:
            (resource,) = self._scripts[host, path]
            resource.body = body
            if isinstance(resource, Resource):
                resource.edits += 1

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> Url:
        """Return the URL of a path; `host` may be a name, if the test makes it lead here."""
        return Url(f"{self.scheme}://{host}:{self.port}{path}")

    def wait_until_asked(self, times: int = 1, path: str | None = None) -> Asked:
        """Wait until so many requests (of a path) have arrived; gives the last of them."""
        with self._changed:
            found: list[Asked] = []

            def enough() -> bool:
                found[:] = [asked for asked in self.asked if path in (None, asked.path)]
                return len(found) >= times

            assert self._changed.wait_for(enough, PATIENCE), f"asked {len(found)} times, not {times}"
            return found[times - 1]

    def wait_until_open(self, number: int) -> None:
        """Wait until just so many connections are open."""
        with self._changed:
            reached = self._changed.wait_for(lambda: len(self._sockets) == number, PATIENCE)
            assert reached, f"{len(self._sockets)} connections are open, not {number}"

    def release(self) -> None:
        """Release all replies that hang, are held or drip, and all later ones at once."""
        self.released.set()

    def hang_up(self) -> None:
        """Close every open connection, as a server does with those that are idle too long."""
        with self._changed:
            for sock in self._sockets:
                _shut(sock)
        self.wait_until_open(0)

    def leave(self) -> None:
        """Be unreachable: refuse connections at every address, and end those that are open, until `come_back`."""
        with self._changed:
            self._left, self._listeners = self._listeners, {}
            for sock in (*self._left.values(), *self._sockets):
                _shut(sock)
        for listener in self._left.values():
            listener.close()

    def come_back(self) -> None:
        """Be there again, at the same addresses."""
        for host in self._left:
            self._listen(host)

    def close(self) -> None:
        """End: no thread and no socket is left."""
        self.closed = True
        self.released.set()
        with self._changed:
            sockets = [*self._listeners.values(), *self._sockets]
            for sock in sockets:
                _shut(sock)
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)
            assert not thread.is_alive(), f"{thread.name} does not end"
        for listener in self._listeners.values():
            listener.close()
        if self.authority:
            os.unlink(self.authority)  # noqa: PTH108  # a str, for SSL_CERT_FILE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # How it works

    def _make_certificate(self, names: Sequence[str]) -> None:
        import trustme  # 60 ms, which only few tests need

        authority = trustme.CA()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, *(f"127.0.0.{last}" for last in range(1, 10))).configure_cert(self._tls)
        with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
            file.write(authority.cert_pem.bytes())
            self.authority = file.name

    def _listen(self, host: str) -> None:
        assert host.startswith("127."), "tests listen on loopback only"
        with self._changed:
            if host in self._listeners or self.closed:
                return
            listener = self._bound(host)
            listener.listen(128)
            self.port = listener.getsockname()[1]
            self._listeners[host] = listener
            self._start(partial(self._accept, listener), f"publisher-{host}")

    def _bound(self, host: str) -> socket.socket:
        """Return a socket at our port of an address; the first one chooses the port, where no client's may be."""
        ports = [self.port] if self.port else random.SystemRandom().sample(PUBLISHER_PORTS, 20)
        for port in ports:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                listener.close()
                if port == ports[-1]:
                    raise
            else:
                return listener
        raise AssertionError("a port was tried")

    def _start(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self.closed:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                if self.closed:
                    sock.close()
                    return
                self.connections += 1
                number = self.connections
                self._sockets.add(sock)
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                self._start(partial(self._serve, sock, number), f"publisher-{number}")
                self._changed.notify_all()

    def _serve(self, sock: socket.socket, number: int) -> None:
        secure = sock
        try:
            if self._tls is not None:
                secure = self._tls.wrap_socket(sock, server_side=True)
                with self._changed:
                    self._sockets.discard(sock)
                    self._sockets.add(secure)
            talk = Talk(self, secure, number)
            with secure.makefile("rb") as incoming:
                while not self.closed and self._answer(talk, incoming):
                    pass
        except (OSError, ValueError):  # the other side has gone, or speaks no HTTP
            pass
        finally:
            with contextlib.suppress(OSError):
                secure.close()
            with self._changed:
                self._sockets.discard(sock)
                self._sockets.discard(secure)
                self._changed.notify_all()

    def _answer(self, talk: Talk, incoming: BufferedIOBase) -> bool:
        raw = b""
        while not raw.endswith(b"\r\n\r\n"):
            line = incoming.readline(65536)
            if not line:
                return False
            raw += line
        first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
        headers = Headers(pairs)
        asked = Asked(
            method=method,
            path=path,
            headers=headers,
            body=incoming.read(int(headers.get("content-length", 0))),
            raw=raw,
            host=talk.host,
            connection=talk.number,
            at=time.monotonic(),
        )
        with self._changed:
            self.asked.append(asked)
            script = self._scripts.get((talk.host, path), [Reply(404, b"not here")])
            reply = script.pop(0) if len(script) > 1 else script[0]
            self._changed.notify_all()
        return reply.play(asked, talk) and headers.get("connection", "").lower() != "close"


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's own, which drops the TLS state first
