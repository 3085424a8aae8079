"""Requests for the pages of a list whose next one the operator says how to ask for (DESIGN, section 6). Pure."""

import json
import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from aggregator.model.settings import Paging, Request, Secret
from aggregator.text.xml_chars import legal
from aggregator.urls import Url, normalise, split_credentials

PLACE: Final = re.compile(r"\{ *(page|next) *\}")
_PARAMETER: Final = re.compile(r"[^=]*=\{ *next *\}")  # one whose value is the cursor alone

Cursor = str | int | float


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a list is asked for."""

    number: int  # that goes where {page} stands
    cursor: Cursor | None = None  # that goes where {next} stands; None: the first page, which has none


def places_in(text: str) -> frozenset[str]:
    """Give which of {page} and {next} stand in a text."""
    return frozenset(PLACE.findall(text))


def address_of(template: str, page: Page) -> str:
    """Fill in an address: values are percent-encoded, and a parameter that is {next} alone goes where there is none."""
    path, mark, query = template.partition("?")
    query = _parameters(query, page)
    return _told(path, page, encoded=True) + (mark + query if query else "")


def request_of(request: Request, template: str | None, page: Page) -> Request:
    """Fill in what is posted; within JSON, a text that is {page} or {next} alone becomes the number or value itself."""
    if template is None:
        return request
    try:
        document = json.loads(template) if request.is_json or template.lstrip()[:1] in ("{", "[") else None
    except ValueError:  # a text of the operator's own, which only looks like JSON
        document = None
    if document is None:
        return replace(request, body=Secret(_parameters(template, page)))
    filled = json.dumps(_filled(document, page), ensure_ascii=False, separators=(",", ":"))
    return replace(request, body=Secret(filled))


def page_after(
    paging: Paging, request: Request, number: int, said: str | None, *, configured: Url, used: Url
) -> tuple[Url, Request] | None:
    """Say how the next page is asked for.

    Args:
        paging: how the source's pages are told apart.
        request: that brought the first page.
        number: how many pages there were already.
        said: what `next` found in the page before, as JSON; None: nothing.
        configured: the address of the first page as feeds.yaml has it.
        used: the address that the first page is asked for at (P40).

    Returns:
        None where the page before was the last one.

    Raises:
        BadUrl: what `next` names is no address.
    """
    value = json.loads(said) if said is not None else None
    if paging.path is not None and not value:
        return None  # null, false, 0 or an empty text: there is no more
    page = Page(paging.first + number * paging.step, _cursor(value))
    body = None if paging.body is None else str.__str__(paging.body)
    if paging.follows:
        return _followed(str(page.cursor), used), request_of(request, body, page)
    url, _ = split_credentials(normalise(address_of(str.__str__(paging.url), page)))
    return _moved(url, configured, used), request_of(request, body, page)


def _cursor(value: object) -> Cursor | None:
    if isinstance(value, str):
        return legal(value)  # half a surrogate pair can't be sent
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _followed(text: str, base: Url) -> Url:
    """Give the address that a list names; what an API behind a proxy calls http is asked for as its list was."""
    url, _ = split_credentials(normalise(text, base))
    there, here = urlsplit(url), urlsplit(base)
    if there.scheme == "http" and here.scheme == "https" and there.netloc == here.hostname:
        return normalise(urlunsplit(there._replace(scheme="https", netloc=here.netloc)))
    return url


def _moved(url: Url, configured: Url, used: Url) -> Url:
    """Give a page's address where the list lives now, if only scheme or host of that are others than configured."""
    now, then = urlsplit(used), urlsplit(configured)
    if now[:2] == then[:2] or now[2:] != then[2:]:
        return url
    return normalise(urlunsplit(urlsplit(url)._replace(scheme=now.scheme, netloc=now.netloc)))


def _parameters(text: str, page: Page) -> str:
    """Fill in a query, or a form."""
    pairs = text.split("&")
    if page.cursor is None:
        pairs = [pair for pair in pairs if not _PARAMETER.fullmatch(pair)]
    return _told("&".join(pairs), page, encoded=True)


def _told(text: str, page: Page, *, encoded: bool) -> str:
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
        return _told(value, page, encoded=False)
    return page.number if alone[1] == "page" else page.cursor


def _is_absent(value: object, page: Page) -> bool:
    alone = PLACE.fullmatch(value) if isinstance(value, str) else None
    return alone is not None and alone[1] == "next" and page.cursor is None
