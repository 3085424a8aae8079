"""Makes the headers of a request, with its validators.

P1, P2, P8, P13, P16, P22, P23, P34, P45, P75 to P80.
"""

import base64
import re
from typing import Final

from aggregator.errors import ProtocolFault
from aggregator.fetch.coding import ACCEPT_ENCODING
from aggregator.model.ask import GET, Ask, Validators
from aggregator.model.observed import RequestMode
from aggregator.model.settings import Kind, Request, Secret
from aggregator.urls import Url

ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
ACCEPT_JSON: Final = "application/json, text/json;q=0.9, */*;q=0.1"
ACCEPT_HTML: Final = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
ACCEPT_SITEMAP: Final = "application/xml, text/xml;q=0.9, application/gzip;q=0.8, */*;q=0.1"
ACCEPT_OPML: Final = "text/x-opml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
ACCEPT_ROBOTS: Final = "text/plain, */*;q=0.1"
ANY: Final = "*/*"
JSON: Final = "application/json"
_ACCEPTS: Final = {Kind.JSON: ACCEPT_JSON, Kind.HTML: ACCEPT_HTML, Kind.SITEMAP: ACCEPT_SITEMAP, Kind.OPML: ACCEPT_OPML}
FORM: Final = "application/x-www-form-urlencoded"  # what a text is, unless `headers:` says otherwise
DELTA: Final = "feed"  # the one instance manipulation that we understand (P22)
MAX_VALIDATOR_BYTES: Final = 1024

_ANY_ACCEPT: Final = frozenset({RequestMode.PLAIN, RequestMode.ANY_ACCEPT, RequestMode.ALWAYS_PLAIN})  # P34
_UNCONDITIONAL: Final = frozenset({RequestMode.AFRESH, RequestMode.PLAIN, RequestMode.ALWAYS_PLAIN})  # P16, P34

_UNSENDABLE = re.compile(r"[\r\n\x00]")

Headers = dict[str, str | bytes]


def headers_of(ask: Ask, url: Url, *, user_agent: str, is_home: bool, request: Request = GET) -> Headers:
    """Return the headers of one request. A POST is never conditional: the response would be a 412 (RFC 9110, 13.1.2).

    Args:
        ask: the request that this hop belongs to.
        url: of this hop.
        user_agent: ours (P75).
        is_home: no hop has left the origin of the configured URL yet: the operator's headers for it may be sent.
        request: method and body.

    Raises:
        ProtocolFault: a header under `headers:` can't be sent.
    """
    usual = ACCEPT_HTML if ask.reading.is_article else _ACCEPTS.get(ask.reading.kind, ACCEPT)
    ours = ANY if ask.mode in _ANY_ACCEPT else usual
    headers: Headers = {
        "User-Agent": _bytes(user_agent),
        "Accept": ours if ask.accept is None else _bytes(ask.accept),
        "Accept-Encoding": ACCEPT_ENCODING,
    }
    if ask.validators is not None and ask.validators.url == url and ask.mode not in _UNCONDITIONAL and request == GET:
        headers.update(_conditions(ask.validators, date_only=ask.mode is RequestMode.DATE_ONLY))
        if ask.reading.kind is not Kind.FEED:  # the delta that we understand is a feed's
            headers.pop("A-IM", None)
    if request.body is not None:
        headers["Content-Type"] = JSON if request.is_json else FORM
    if is_home and (ask.headers or ask.auth):
        _add_own(headers, ask, url)
    return headers


def is_conditional(headers: Headers) -> bool:
    """Return whether a request carries a validator, so that 304 is a valid response."""
    return "If-None-Match" in headers or "If-Modified-Since" in headers


def asks_for_delta(headers: Headers) -> bool:
    """Return whether a request accepts only what is new, so that 226 is a valid response (P22)."""
    return headers.get("A-IM") == DELTA


def is_delta(manipulations: str) -> bool:
    """Return whether a response is a delta as requested: `IM: feed`, and no other manipulation (RFC 3229)."""
    return manipulations.strip().lower() == DELTA


def storable(value: str | None) -> str | None:
    """Return a validator as received, malformed or not; None if there is none, or it can't be sent back (P11)."""
    if not value or len(value) > MAX_VALIDATOR_BYTES or _UNSENDABLE.search(value):
        return None
    return value


def _conditions(validators: Validators, *, date_only: bool) -> Headers:
    """Return both validators, as received; only the date, if there is one, where the ETag never earned a 304 (P13)."""
    headers: Headers = {}
    etag, modified = storable(validators.etag), storable(validators.last_modified)
    if etag and not (modified and date_only):
        headers["If-None-Match"] = _bytes(etag)
        headers["A-IM"] = DELTA  # never without a tag that says what we have (P23)
    if modified:
        headers["If-Modified-Since"] = _bytes(modified)
    return headers


def _add_own(headers: Headers, ask: Ask, url: Url) -> None:
    """Add the operator's headers for the source, which replace ours, whatever the case of their names."""
    names = {name.lower(): name for name in headers}
    if ask.auth is not None:
        user, password = ask.auth
        token = base64.b64encode(f"{user}:{_plain(password)}".encode())
        headers["Authorization"] = b"Basic " + token
        names["authorization"] = "Authorization"
    for name, secret in ask.headers:
        value = _plain(secret)
        if _UNSENDABLE.search(value) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ProtocolFault(url, f"the header {name!r} under headers: can't be sent; write it in one line")
        headers.pop(names.get(name.lower(), ""), None)
        names[name.lower()] = name
        headers[name] = _bytes(value)


def _plain(secret: Secret) -> str:
    return str.__str__(secret)


def _bytes(value: str) -> bytes:
    """Return the bytes of a header value: received ones were read as Latin-1 (P12); an operator's own text is UTF-8."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()
