"""Makes the requests for the pages of a JSON list, as `{page}`, `{next}` and `next` of feeds.yaml define them. Pure."""

import json
import re
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from aggregator.model.record import record
from aggregator.model.settings import Paging, Request, Secret
from aggregator.text.xml_chars import legal
from aggregator.urls import Url, normalise, split_credentials

PLACE: Final = re.compile(r"\{ *(page|next) *\}")
_PARAMETER: Final = re.compile(r"[^=]*=\{ *next *\}")  # a parameter whose value is {next} alone

Cursor = str | int | float


@record(kw_only=False)
class Page:
    """Number and cursor of a page."""

    number: int  # value of {page}
    cursor: Cursor | None = None  # value of {next}; None for the first page


def places_in(text: str) -> frozenset[str]:
    """Return which of `page` and `next` a text has in braces."""
    return frozenset(PLACE.findall(text))


def address_of(template: str, page: Page) -> str:
    """Return an address with values percent-encoded. Without a cursor, parameters that are {next} alone are removed."""
    path, mark, query = template.partition("?")
    query = _parameters(query, page)
    return _replaced(path, page, encoded=True) + (mark + query if query else "")


def request_of(request: Request, template: str | None, page: Page) -> Request:
    """Return a request with the values in its body. In JSON, a text that is just {page} or {next} becomes its value."""
    if template is None:
        return request
    try:
        document = json.loads(template) if request.is_json or template.lstrip()[:1] in ("{", "[") else None
    except ValueError:  # a text that only looks like JSON
        document = None
    if document is None:
        return replace(request, body=Secret(_parameters(template, page)))
    filled = json.dumps(_filled(document, page), ensure_ascii=False, separators=(",", ":"))
    return replace(request, body=Secret(filled))


def page_after(
    paging: Paging, request: Request, number: int, said: str | None, *, configured: Url, used: Url
) -> tuple[Url, Request] | None:
    """Return address and request of the next page.

    Args:
        paging: paging settings of the source.
        request: request of the first page.
        number: pages fetched so far.
        said: value that `next` found in the page before, as JSON; None if it found nothing.
        configured: address of the first page in feeds.yaml.
        used: address at which the first page was fetched (P40).

    Returns:
        None if the page before was the last one.

    Raises:
        BadUrl: the value of `next` is not an address.
    """
    value = json.loads(said) if said is not None else None
    if paging.path is not None and not value:
        return None  # null, false, 0 or an empty text mean that there is no further page
    page = Page(paging.first + number * paging.step, _cursor(value))
    body = None if paging.body is None else str.__str__(paging.body)
    if paging.follows:
        return _followed(str(page.cursor), used), request_of(request, body, page)
    url, _ = split_credentials(normalise(address_of(str.__str__(paging.url), page)))
    return _moved(url, configured, used), request_of(request, body, page)


def _cursor(value: object) -> Cursor | None:
    if isinstance(value, str):
        return legal(value)  # an unpaired surrogate can't be sent
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _followed(text: str, base: Url) -> Url:
    """Return the address that a list names. If an API behind a proxy names http, https is used."""
    url, _ = split_credentials(normalise(text, base))
    there, here = urlsplit(url), urlsplit(base)
    if there.scheme == "http" and here.scheme == "https" and there.netloc == here.hostname:
        return normalise(urlunsplit(there._replace(scheme="https", netloc=here.netloc)))
    return url


def _moved(url: Url, configured: Url, used: Url) -> Url:
    """Return a page's address with scheme and host of `used`, if these are all that differs from `configured`."""
    now, then = urlsplit(used), urlsplit(configured)
    if now[:2] == then[:2] or now[2:] != then[2:]:
        return url
    return normalise(urlunsplit(urlsplit(url)._replace(scheme=now.scheme, netloc=now.netloc)))


def _parameters(text: str, page: Page) -> str:
    """Return a query, or a form, with its values."""
    pairs = text.split("&")
    if page.cursor is None:
        pairs = [pair for pair in pairs if not _PARAMETER.fullmatch(pair)]
    return _replaced("&".join(pairs), page, encoded=True)


def _replaced(text: str, page: Page, *, encoded: bool) -> str:
    values = {"page": str(page.number), "next": "" if page.cursor is None else str(page.cursor)}
    return PLACE.sub(lambda found: quote(values[found[1]], safe="") if encoded else values[found[1]], text)


def _filled(value: object, page: Page) -> object:
    if isinstance(value, dict):
        return {name: _filled(each, page) for name, each in value.items() if not _is_absent(each, page)}
    if isinstance(value, list):
        return [_filled(each, page) for each in value if not _is_absent(each, page)]
    if not isinstance(value, str):
        return value
    alone = PLACE.fullmatch(value)
    if alone is None:
        return _replaced(value, page, encoded=False)
    return page.number if alone[1] == "page" else page.cursor


def _is_absent(value: object, page: Page) -> bool:
    alone = PLACE.fullmatch(value) if isinstance(value, str) else None
    return alone is not None and alone[1] == "next" and page.cursor is None
