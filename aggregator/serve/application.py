"""The WSGI application over the published folder: GET and HEAD, and what HTTP says about them (A70 to A82).

It sends what lies there and makes nothing. It reads neither `X-Forwarded-*` nor the store, and of `Host` only
whether it is there as it has to be (RFC 9112, section 3.2): it decides nothing (A82, R69). Paths are understood below
the path of `base_url` and at the root alike, since a reverse proxy may take that path off or not.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from aggregator.clock import Clock, utc_now
from aggregator.errors import AggregatorError
from aggregator.render.media_types import Role, cache_control
from aggregator.serve.negotiation import is_expected, is_known, part_of, wants_gzip
from aggregator.serve.shelf import Document, Encoding, FilePart, PublishedFolder
from aggregator.urls import Url

log = logging.getLogger(__name__)

MAX_REQUEST_LINE = 8192  # bytes (S67)
LARGE_BYTES = 256 * 1024  # from which a document is sent from its file
READ_ONLY = ("GET", "HEAD")
_HOST = re.compile(r"[\w.:\[\]%~!$&'()*+;=-]+", re.ASCII)  # servers put two together with a comma

# A80. Whatever is no page of ours may do nothing at all: a feed opened in a browser, an error, a status.
SANDBOX = "default-src 'none'; sandbox"
PAGE_POLICY = (
    "default-src 'none'; img-src https: http:; media-src https: http:; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
NO_ROBOTS = ("X-Robots-Tag", "noindex")
GUARDS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, but for what every answer has (`GUARDS`, Content-Length, Date)."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""
    part: "FilePart | None" = None  # in place of a body, to be sent as the reader takes it

    def __post_init__(self) -> None:
        _check_headers(self.headers)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something else than a file, at a path of its own: /healthz, later /metrics, /search, /websub/."""

    answer: Callable[[WSGIEnvironment], Reply]
    methods: tuple[str, ...] = READ_ONLY
    takes_body: bool = False  # S67: where none is expected, a body is refused


def text_reply(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Reply:
    """Make a short answer in words. They are ours: nothing of the request may be in them (S41)."""
    return Reply(
        status,
        (
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", SANDBOX),
            *headers,
        ),
        f"{text}\n".encode(),
    )


def refusal(status: HTTPStatus, *headers: tuple[str, str]) -> Reply:
    """Make the answer that says no, in the words of the standard and without what was asked (A78, S41)."""
    return text_reply(status, status.phrase, *headers)


def check(is_well: Callable[[], bool]) -> Endpoint:
    """Make an endpoint that says 200 or 503; an error of ours is a 503 too (R57)."""

    def answer(_: WSGIEnvironment) -> Reply:
        try:
            well = is_well()
        except AggregatorError as error:
            log.warning("fail_check", extra={"error": str(error)})
            well = False
        return text_reply(HTTPStatus.OK, "ok") if well else refusal(HTTPStatus.SERVICE_UNAVAILABLE)

    return Endpoint(answer)


class Application:
    """The published folder as a WSGI application."""

    def __init__(
        self,
        shelf: PublishedFolder | None,
        *,
        health: Callable[[], bool],
        ready: Callable[[], bool],
        base_url: Url | None = None,
        endpoints: Mapping[str, Endpoint] = MappingProxyType({}),
        clock: Clock = utc_now,
    ) -> None:
        """Make the application.

        Args:
            shelf: the files; None if they lie where we can't serve them, in a bucket: then only endpoints answer.
            health: whether the program works: has ticked within the last minute (R57).
            ready: whether it can be of use: the store answers, there are outputs (R57). Files are served either way.
            base_url: the public address; only its path matters here.
            endpoints: further paths, and what answers there; one that ends in a slash answers for all below it.
            clock: no Last-Modified may lie in the future (RFC 9110, section 8.8.2.1).
        """
        self._shelf, self._clock = shelf, clock
        path = urlsplit(base_url).path if base_url else ""
        self._prefix = unquote_to_bytes(path).decode("latin-1").rstrip("/")  # as PATH_INFO is written
        self._home = path.rstrip("/") + "/"
        self._endpoints = {"/healthz": check(health), "/readyz": check(ready), **endpoints}
        self._trees = [(path, endpoint) for path, endpoint in endpoints.items() if path.endswith("/")]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, as PEP 3333 says."""
        reply = self._reply(environ)
        headers = [*reply.headers, *GUARDS]
        bodiless = reply.status is HTTPStatus.NOT_MODIFIED
        if not bodiless:
            headers.append(("Content-Length", str(reply.part.size if reply.part else len(reply.body))))
        start_response(f"{reply.status.value} {reply.status.phrase}", headers)
        if reply.part is not None:
            wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](reply.part)
            return wrapped
        return [] if bodiless or environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        path: str = environ.get("PATH_INFO", "")
        if len(environ.get("REQUEST_URI") or path + environ.get("QUERY_STRING", "")) > MAX_REQUEST_LINE:
            return refusal(HTTPStatus.REQUEST_URI_TOO_LONG)
        if environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and not _HOST.fullmatch(environ.get("HTTP_HOST", "")):
            return refusal(HTTPStatus.BAD_REQUEST)
        below = self._prefix and path.startswith(self._prefix + "/")
        paths = (path[len(self._prefix) :], path) if below else (path,)
        for endpoint in filter(None, map(self._endpoint, paths)):
            return _refuse(environ, endpoint.methods, takes_body=endpoint.takes_body) or endpoint.answer(environ)
        if no := _refuse(environ, READ_ONLY):
            return no
        try:
            if self._shelf is not None:
                for document in filter(None, map(self._shelf.open, paths)):
                    with document:
                        return self._serve(self._shelf, document, environ)
        except OSError as error:  # the disk, or the rights to a file: ours to mend
            log.error("fail_read", extra={"path": path, "error": str(error)})
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        if (
            self._shelf is not None and self._prefix and path == self._prefix
        ):  # or the page's relative links would lead nowhere
            return refusal(HTTPStatus.MOVED_PERMANENTLY, ("Location", self._home))
        return refusal(HTTPStatus.NOT_FOUND)

    def _endpoint(self, path: str) -> Endpoint | None:
        return self._endpoints.get(path) or next((end for start, end in self._trees if path.startswith(start)), None)

    def _serve(self, shelf: PublishedFolder, document: Document, environ: WSGIEnvironment) -> Reply:
        """Answer with a document, a part of it, or the word that it hasn't changed."""
        absence = shelf.absence_of(document.name)
        if absence is HTTPStatus.NOT_FOUND:
            return refusal(absence)
        if absence is HTTPStatus.GONE:
            if document.name.startswith("category/"):  # A44
                return text_reply(HTTPStatus.GONE, "This category is no longer published here.")
            says = (("Content-Type", document.media_type), ("Content-Security-Policy", PAGE_POLICY), NO_ROBOTS)
            return Reply(HTTPStatus.GONE, (*says, ("Cache-Control", "no-store")), document.read(document.plain))
        modified = min(document.modified, int(self._clock().timestamp()))
        plain, copy, part = document.plain, document.plain, None
        if environ["REQUEST_METHOD"] == "GET":
            part = part_of(environ.get("HTTP_RANGE"), environ.get("HTTP_IF_RANGE"), plain.digest, plain.size)
        if part is None and document.gzip is not None and wants_gzip(environ.get("HTTP_ACCEPT_ENCODING")):
            copy = document.gzip
        tags = _tags(copy.digest, modified, document.max_age, document.role, document.noindex, document.link)
        if not is_expected(
            environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_UNMODIFIED_SINCE"), copy.digest, modified
        ):
            return refusal(HTTPStatus.PRECONDITION_FAILED)
        if is_known(environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE"), copy.digest, modified):
            return Reply(HTTPStatus.NOT_MODIFIED, tags)
        if part == (0, 0):
            return refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, ("Content-Range", f"bytes */{plain.size}"))
        policy = PAGE_POLICY if document.role is Role.PAGE else SANDBOX
        headers = (*tags, ("Content-Type", document.media_type), ("Content-Security-Policy", policy))
        if copy.coding is not None:
            return _reply(environ, HTTPStatus.OK, (*headers, ("Content-Encoding", copy.coding)), document, copy)
        headers += (("Accept-Ranges", "bytes"),)  # of the plain bytes only (A77)
        if part is None:
            return _reply(environ, HTTPStatus.OK, headers, document, copy)
        start, stop = part
        place = ("Content-Range", f"bytes {start}-{stop - 1}/{plain.size}")
        return _reply(environ, HTTPStatus.PARTIAL_CONTENT, (*headers, place), document, plain, start, stop)


def _reply(
    environ: WSGIEnvironment,
    status: HTTPStatus,
    headers: Headers,
    document: Document,
    copy: Encoding,
    start: int = 0,
    stop: int | None = None,
) -> Reply:
    """Return bytes of a document; many of them as a part of the open file, where the server takes such.

    To read a large document for each reader costs time, and memory for as long as the reader needs.
    """
    size = (copy.size if stop is None else stop) - start
    if size >= LARGE_BYTES and environ["REQUEST_METHOD"] == "GET" and "wsgi.file_wrapper" in environ:
        return Reply(status, headers, part=document.part(copy, start, size))
    return Reply(status, headers, document.read(copy, start, stop))


def _refuse(environ: WSGIEnvironment, methods: tuple[str, ...], *, takes_body: bool = False) -> Reply | None:
    """Refuse a method that a place doesn't know, and a body it doesn't expect."""
    if environ["REQUEST_METHOD"] not in methods:
        return refusal(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", ", ".join(methods)))
    if not takes_body and environ.get("CONTENT_LENGTH", "").strip("0 "):
        return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


@lru_cache(maxsize=1024)
def _tags(digest: str, modified: int, max_age: int, role: Role, noindex: bool, link: str | None) -> Headers:
    """Say of a document what its 304 says too (A72); made once, as most requests are for a few documents."""
    tags: Headers = (
        ("ETag", f'"{digest}"'),
        ("Last-Modified", formatdate(modified, usegmt=True)),
        ("Cache-Control", cache_control(max_age)),
        ("Vary", "Accept-Encoding"),
    )
    if noindex:
        tags += (NO_ROBOTS,)
    if role is Role.FEED:
        tags += (("Access-Control-Allow-Origin", "*"),)  # A79
    if link is not None:
        tags += (("Link", link),)  # A85
    return tags


@lru_cache(maxsize=1024)
def _check_headers(headers: Headers) -> None:
    """Refuse what would end a header line early (S42)."""
    for name, value in headers:
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{name}: a header value with what is no printable ASCII")
