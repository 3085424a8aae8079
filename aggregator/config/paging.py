"""How a list's further pages are asked for: `{page}`, `{next}`, `page`, `next` and `pages` of a source (DESIGN, 6)."""

import re
from dataclasses import dataclass
from typing import Final

from aggregator.config.document import Json
from aggregator.config.findings import Findings, quoted
from aggregator.config.records import check_path
from aggregator.config.source_keys import PageKeys, SourceKeys
from aggregator.config.tables import Values
from aggregator.model.paging import Page, address_of, places_in, request_of
from aggregator.model.settings import Kind, Paging, Request, Secret
from aggregator.model.template import FIELD

_LINKED: Final = frozenset({Kind.FEED, Kind.HTML})  # kinds whose documents link to earlier ones themselves
_WORDS: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Paged:
    """What is asked at first, and how that goes on; None: as it stands, to its end."""

    request: Request
    paging: Paging | None


def first_address(said: Values, text: str) -> str:
    """Give the address of a list's first page: what it is known by, whatever the pages after it are called."""
    return address_of(text, _first(said)) if said[SourceKeys.kind] is Kind.JSON else text


def paged(said: Values, request: Request, found: Findings) -> Paged:
    """Read how a source's further pages are asked for; what is wrong or without effect is noted.

    Args:
        said: the source.
        request: method and body as they stand in feeds.yaml.
        found: takes the notes.
    """
    kind, path, pages = said[SourceKeys.kind], said[SourceKeys.next], said[SourceKeys.pages]
    if kind is not Kind.JSON:
        for key in (SourceKeys.page, SourceKeys.next):
            if said.says(key):
                found.warn(said.place(key), f"{key.name} has no effect on kind {kind}; remove it")
        if pages and kind not in _LINKED:
            what = f"pages has no effect on kind {kind}, which names no earlier documents; remove it"
            found.warn(said.place(SourceKeys.pages), what)
        return Paged(request, None)
    url, body = said[SourceKeys.url] or "", request.body
    if path is not None:
        check_path(path, said.place(SourceKeys.next), found)
    _check_places(said, url, found)
    places = places_in(url) | places_in(str.__str__(body or ""))
    if "next" in places and path is None:
        what = "{next} stands for nothing; write next: and where an answer names the next page, as a JMESPath"
        found.problem_at(said.place(SourceKeys.url if "next" in places_in(url) else SourceKeys.body), what)
    if said.says(SourceKeys.page) and "page" not in places:
        found.warn(said.place(SourceKeys.page), "page has no effect; write {page} into url or body, or remove it")
    if not places and path is None:
        if pages:
            what = "pages has no effect on kind json, where nothing names the next one; write {page} into url, or next:"
            found.warn(said.place(SourceKeys.pages), what)
        return Paged(request, None)
    if not pages:
        what = "only the first page is asked for; write pages: 10, or as many more as a poll may read"
        found.warn(said.place(SourceKeys.next if path is not None else SourceKeys.url), what)
    first = _first(said)
    counts = said[SourceKeys.page]
    return Paged(
        request_of(request, None if body is None else str.__str__(body), first),
        Paging(
            url=Secret(url),
            body=body,
            path=path,
            follows=path is not None and not places,
            first=first.number,
            step=PageKeys.by.default if counts is None else counts[PageKeys.by],
        ),
    )


def _first(said: Values) -> Page:
    counts = said[SourceKeys.page]
    return Page(PageKeys.from_.default if counts is None else counts[PageKeys.from_])


def _check_places(said: Values, url: str, found: Findings) -> None:
    """See that {page} and {next} stand where they can."""
    place = said.place(SourceKeys.url)
    if FIELD.search(url.partition("//")[2].partition("/")[0]):
        found.problem_at(place, "the host can't have {fields}; write it out")
    for name in FIELD.findall(url):
        if _WORDS.fullmatch(name.strip()) and name.strip() not in ("page", "next"):
            found.warn(
                place, f"{quoted(f'{{{name}}}')} is sent as it stands; a list's address may have {{page}} and {{next}}"
            )
    if _holds_mapping(said[SourceKeys.body]):
        what = 'a {page} or {next} without quotes is a mapping of its own; write "{page}" or "{next}"'
        found.problem_at(said.place(SourceKeys.body), what)


def _holds_mapping(value: Json) -> bool:
    if isinstance(value, dict):
        return value in ({"page": None}, {"next": None}) or any(map(_holds_mapping, value.values()))
    return isinstance(value, list) and any(map(_holds_mapping, value))
