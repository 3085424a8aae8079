"""The WSGI application over the published folder: answers GET and HEAD (A70 to A82).

The application sends published files and renders nothing. It reads neither `X-Forwarded-*` nor the store. It only
checks that `Host` is present and valid (RFC 9112, section 3.2) and does not use its value (A82, R69). Paths are
accepted both below the path of `base_url` and at the root, since a reverse proxy may or may not remove that path.
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
from aggregator.model.formats import FORMATS
from aggregator.render.media_types import STYLED_FEED, Role, cache_control
from aggregator.serve.negotiation import is_expected, is_known, part_of, wants_gzip
from aggregator.serve.published_folder import Document, Encoding, FilePart, PublishedFolder
from aggregator.urls import Url

log = logging.getLogger(__name__)

MAX_REQUEST_LINE = 8192  # bytes (S67)
LARGE_BYTES = 256 * 1024  # a document of this size or more is sent from its file
READ_ONLY = ("GET", "HEAD")
_HOST = re.compile(r"[\w.:\[\]%~!$&'()*+;=-]+", re.ASCII)  # servers join two Host headers with a comma

# A80. Anything that is not one of our pages may do nothing in a browser: feeds, errors, status.
SANDBOX = "default-src 'none'; sandbox"
FEED_POLICY = "default-src 'none'; style-src 'self'; sandbox"  # of a feed that names `feed.css` (0171)
PAGE_POLICY = (
    "default-src 'none'; img-src https: http:; media-src https: http:; style-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"  # forms: the search; a page may be stricter
)
FEED_PATHS = frozenset({"/feed", "/feed/", "/rss", "/rss/", "/atom.xml", "/index.xml"})  # where people look for feeds
ALL_FEEDS = tuple(f"all{one.suffix}" for one in FORMATS.values() if one.is_feed)
NO_STORE = ("Cache-Control", "no-store")
NOINDEX_HEADER = ("X-Robots-Tag", "noindex")
SECURITY_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response, except the headers that every response has (`SECURITY_HEADERS`, Content-Length, Date)."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""
    part: "FilePart | None" = None  # replaces the body; sent as fast as the client reads

    def __post_init__(self) -> None:
        _check_headers(self.headers)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path that is not a file: /healthz, /metrics, /search, /websub/."""

    answer: Callable[[WSGIEnvironment], Reply]
    methods: tuple[str, ...] = READ_ONLY
    takes_body: bool = False  # S67: an unexpected body is refused


def text_reply(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Reply:
    """Return a short plain text response. The text must be ours and must not repeat anything of the request (S41)."""
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


def error_reply(status: HTTPStatus, *headers: tuple[str, str]) -> Reply:
    """Return an error response with the standard phrase of its status, without anything of the request (A78, S41)."""
    return text_reply(status, status.phrase, *headers)


def health_endpoint(is_well: Callable[[], bool]) -> Endpoint:
    """Return an endpoint that answers 200 or 503. An error of ours is a 503 too (R57)."""

    def answer(_: WSGIEnvironment) -> Reply:
        try:
            well = is_well()
        except AggregatorError as error:
            log.warning("fail_check", extra={"error": str(error)})
            well = False
        return text_reply(HTTPStatus.OK, "ok") if well else error_reply(HTTPStatus.SERVICE_UNAVAILABLE)

    return Endpoint(answer)


class Application:
    """The published folder as a WSGI application."""

    def __init__(
        self,
        published: PublishedFolder | None,
        *,
        health: Callable[[], bool],
        ready: Callable[[], bool],
        base_url: Url | None = None,
        endpoints: Mapping[str, Endpoint] = MappingProxyType({}),
        clock: Clock = utc_now,
    ) -> None:
        """Create the application.

        Args:
            published: the folder; None if the files are in a bucket: then only endpoints answer.
            health: returns True if the program works: the scheduler has ticked within the last minute (R57).
            ready: returns True if the store answers and there are outputs (R57). Files are served in any case.
            base_url: the public address; only its path is used.
            endpoints: further paths and their endpoints. A path that ends with a slash answers for all paths below.
            clock: Last-Modified must not be in the future (RFC 9110, section 8.8.2.1).
        """
        self._published, self._clock = published, clock
        path = urlsplit(base_url).path if base_url else ""
        self._prefix = unquote_to_bytes(path).decode("latin-1").rstrip("/")  # in the form of PATH_INFO
        self._home = path.rstrip("/") + "/"
        self._endpoints = {"/healthz": health_endpoint(health), "/readyz": health_endpoint(ready), **endpoints}
        self._trees = [(path, endpoint) for path, endpoint in endpoints.items() if path.endswith("/")]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request as PEP 3333 specifies."""
        reply = self._reply(environ)
        headers = [*reply.headers, *SECURITY_HEADERS]
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
            return error_reply(HTTPStatus.REQUEST_URI_TOO_LONG)
        if environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and not _HOST.fullmatch(environ.get("HTTP_HOST", "")):
            return error_reply(HTTPStatus.BAD_REQUEST)
        below = self._prefix and path.startswith(self._prefix + "/")
        paths = (path[len(self._prefix) :], path) if below else (path,)
        for endpoint in filter(None, map(self._endpoint, paths)):
            return _refuse(environ, endpoint.methods, takes_body=endpoint.takes_body) or endpoint.answer(environ)
        if refused := _refuse(environ, READ_ONLY):
            return refused
        try:
            if self._published is not None:
                for document in filter(None, map(self._published.open, paths)):
                    with document:
                        return self._serve(self._published, document, environ)
        except OSError as error:  # the disk, or the permissions of a file: the operator must fix this
            log.error("fail_read", extra={"path": path, "error": str(error)})
            return self._error(environ, HTTPStatus.SERVICE_UNAVAILABLE, "/500.html")
        if self._published is not None and self._prefix and path == self._prefix:
            # Without the slash, the relative links of the page would be wrong.
            return error_reply(HTTPStatus.MOVED_PERMANENTLY, ("Location", self._home))
        if any(path in FEED_PATHS for path in paths) and (feed := self._feed()) is not None:
            return error_reply(HTTPStatus.MOVED_PERMANENTLY, ("Location", f"{self._home}{feed}"))
        return self._error(environ, HTTPStatus.NOT_FOUND, "/404.html")

    def _feed(self) -> str | None:
        """Return the path of the feed over all categories in the first published format; None if there is none."""
        for name in ALL_FEEDS:
            if self._published is not None and (document := self._published.open(f"/{name}")) is not None:
                with document:
                    return name
        return None

    def _error(self, environ: WSGIEnvironment, status: HTTPStatus, page: str, text: str | None = None) -> Reply:
        """Answer an error with its published page, if the client takes HTML and the page stands there."""
        if self._published is not None and "text/html" in environ.get("HTTP_ACCEPT", ""):
            try:
                if (document := self._published.open(page)) is not None:
                    with document:
                        return Reply(status, (*_page_headers(document), NO_STORE), document.read(document.plain))
            except OSError as error:
                log.error("fail_read", extra={"path": page, "error": str(error)})
        return text_reply(status, text or status.phrase)

    def _endpoint(self, path: str) -> Endpoint | None:
        return self._endpoints.get(path) or next((end for start, end in self._trees if path.startswith(start)), None)

    def _serve(self, published: PublishedFolder, document: Document, environ: WSGIEnvironment) -> Reply:
        """Answer with a document, a part of it, or 304 if the client has it."""
        absence = published.absence_status(document.name)
        if absence is HTTPStatus.NOT_FOUND:
            return self._error(environ, absence, "/404.html")
        if absence is HTTPStatus.GONE:
            if document.name.startswith("category/"):  # A44
                what = "This category is no longer published here."
                return self._error(environ, HTTPStatus.GONE, "/410.html", what)
            return Reply(HTTPStatus.GONE, (*_page_headers(document), NO_STORE), document.read(document.plain))
        modified = min(document.modified, int(self._clock().timestamp()))
        plain, encoding, part = document.plain, document.plain, None
        if environ["REQUEST_METHOD"] == "GET":
            part = part_of(environ.get("HTTP_RANGE"), environ.get("HTTP_IF_RANGE"), plain.digest, plain.size)
        if part is None and document.gzip is not None and wants_gzip(environ.get("HTTP_ACCEPT_ENCODING")):
            encoding = document.gzip
        validators = _validator_headers(
            encoding.digest, modified, document.max_age, document.role, document.noindex, document.link
        )
        if not is_expected(
            environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_UNMODIFIED_SINCE"), encoding.digest, modified
        ):
            return error_reply(HTTPStatus.PRECONDITION_FAILED)
        if is_known(
            environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE"), encoding.digest, modified
        ):
            return Reply(HTTPStatus.NOT_MODIFIED, validators)
        if part == (0, 0):
            return error_reply(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, ("Content-Range", f"bytes */{plain.size}"))
        policy = PAGE_POLICY if document.role is Role.PAGE else SANDBOX
        if document.media_type == STYLED_FEED:
            policy = FEED_POLICY
        headers = (*validators, ("Content-Type", document.media_type), ("Content-Security-Policy", policy))
        if encoding.coding is not None:
            return _reply(environ, HTTPStatus.OK, (*headers, ("Content-Encoding", encoding.coding)), document, encoding)
        headers += (("Accept-Ranges", "bytes"),)  # ranges of the uncompressed bytes only (A77)
        if part is None:
            return _reply(environ, HTTPStatus.OK, headers, document, encoding)
        start, stop = part
        content_range = ("Content-Range", f"bytes {start}-{stop - 1}/{plain.size}")
        return _reply(environ, HTTPStatus.PARTIAL_CONTENT, (*headers, content_range), document, plain, start, stop)


def _reply(
    environ: WSGIEnvironment,
    status: HTTPStatus,
    headers: Headers,
    document: Document,
    encoding: Encoding,
    start: int = 0,
    stop: int | None = None,
) -> Reply:
    """Return bytes of a document; large ones as a part of the open file, if the server supports that.

    Reading a large document into memory for each client takes time, and memory for as long as the client reads.
    """
    size = (encoding.size if stop is None else stop) - start
    if size >= LARGE_BYTES and environ["REQUEST_METHOD"] == "GET" and "wsgi.file_wrapper" in environ:
        return Reply(status, headers, part=document.part(encoding, start, size))
    return Reply(status, headers, document.read(encoding, start, stop))


def _page_headers(document: Document) -> Headers:
    return (("Content-Type", document.media_type), ("Content-Security-Policy", PAGE_POLICY), NOINDEX_HEADER)


def _refuse(environ: WSGIEnvironment, methods: tuple[str, ...], *, takes_body: bool = False) -> Reply | None:
    """Return an error for a method that the path does not allow, or for an unexpected body; otherwise None."""
    if environ["REQUEST_METHOD"] not in methods:
        return error_reply(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", ", ".join(methods)))
    if not takes_body and environ.get("CONTENT_LENGTH", "").strip("0 "):
        return error_reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


@lru_cache(maxsize=1024)
def _validator_headers(
    digest: str, modified: int, max_age: int, role: Role, noindex: bool, link: str | None
) -> Headers:
    """Return the headers that a document's 200 and 304 have in common (A72).

    Cached, since most requests are for a few documents.
    """
    validators: Headers = (
        ("ETag", f'"{digest}"'),
        ("Last-Modified", formatdate(modified, usegmt=True)),
        ("Cache-Control", cache_control(max_age)),
        ("Vary", "Accept-Encoding"),
    )
    if noindex:
        validators += (NOINDEX_HEADER,)
    if role is Role.FEED:
        validators += (("Access-Control-Allow-Origin", "*"),)  # A79
    if link is not None:
        validators += (("Link", link),)  # A85
    return validators


@lru_cache(maxsize=1024)
def _check_headers(headers: Headers) -> None:
    """Raise ValueError for characters that would end a header line early (S42)."""
    for name, value in headers:
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{name}: a header value with what is no printable ASCII")
