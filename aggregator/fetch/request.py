"""What we send: the headers of a request, and the validators that go with it (P1, P2, P8, P13, P45, P75 to P80)."""

import base64
import re
from typing import Final

from aggregator.errors import ProtocolFault
from aggregator.fetch.coding import ACCEPT_ENCODING
from aggregator.model.poll import Due, Validators
from aggregator.model.settings import Secret, Source
from aggregator.urls import Url

ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
MAX_VALIDATOR_BYTES: Final = 1024
IDENTICAL_BEFORE_DATE_ONLY: Final = 3  # P13

_UNSENDABLE = re.compile(r"[\r\n\x00]")

Headers = dict[str, str | bytes]


def headers_of(due: Due, url: Url, *, user_agent: str, is_home: bool) -> Headers:
    """Give the headers of one request.

    Args:
        due: the source, with its validators.
        url: of this hop.
        user_agent: ours (P75).
        is_home: no hop has left the origin of the configured URL yet: what the operator gave for it may be sent.

    Raises:
        ProtocolFault: a header under `headers:` can't be sent.
    """
    source = due.source
    headers: Headers = {
        "User-Agent": _bytes(user_agent),
        "Accept": ACCEPT if source.accept is None else _bytes(source.accept),
        "Accept-Encoding": ACCEPT_ENCODING,
    }
    if due.validators is not None and due.validators.url == url:
        headers.update(_conditions(due.validators, due.identical))
    if is_home and (source.headers or source.auth):
        _add_own(headers, source, url)
    return headers


def is_conditional(headers: Headers) -> bool:
    """Tell whether a request carries a validator, so that a 304 is an answer to it."""
    return "If-None-Match" in headers or "If-Modified-Since" in headers


def storable(value: str | None) -> str | None:
    """Give a validator as received, malformed or not; None if there is none, or it can't be sent back (P11)."""
    if not value or len(value) > MAX_VALIDATOR_BYTES or _UNSENDABLE.search(value):
        return None
    return value


def _conditions(validators: Validators, identical: int) -> Headers:
    """Both validators, as they came; the date alone if the tag never earned a 304 (P13)."""
    headers: Headers = {}
    etag, modified = storable(validators.etag), storable(validators.last_modified)
    if etag and not (modified and identical >= IDENTICAL_BEFORE_DATE_ONLY):
        headers["If-None-Match"] = _bytes(etag)
    if modified:
        headers["If-Modified-Since"] = _bytes(modified)
    return headers


def _add_own(headers: Headers, source: Source, url: Url) -> None:
    """Add what the operator wrote for the source: it goes over ours, whatever the case of its name."""
    names = {name.lower(): name for name in headers}
    if source.auth is not None:
        user, password = source.auth
        token = base64.b64encode(f"{user}:{_plain(password)}".encode())
        headers["Authorization"] = b"Basic " + token
        names["authorization"] = "Authorization"
    for name, secret in source.headers:
        value = _plain(secret)
        if _UNSENDABLE.search(value) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ProtocolFault(url, f"the header {name!r} under headers: can't be sent; write it in one line")
        headers.pop(names.get(name.lower(), ""), None)
        names[name.lower()] = name
        headers[name] = _bytes(value)


def _plain(secret: Secret) -> str:
    return str.__str__(secret)


def _bytes(value: str) -> bytes:
    """Give the bytes of a header value: those that came in, read as Latin-1 (P12); UTF-8 for an operator's own text."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()
