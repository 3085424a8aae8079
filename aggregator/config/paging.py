"""Reads the paging of a JSON source: `{page}` and `{next}` in its address or body, `page`, `next` and `pages`."""

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
    """Request of the first page, and how further pages are requested; `paging` is None if there is one page."""

    request: Request
    paging: Paging | None


def first_address(values: Values, text: str) -> str:
    """Return the address of the first page, which identifies the source."""
    return address_of(text, _first(values)) if values[SourceKeys.kind] is Kind.JSON else text


def paged(values: Values, request: Request, findings: Findings) -> Paged:
    """Read the paging of a source. Wrong values and keys without effect are reported to `findings`.

    Args:
        values: the keys of the source.
        request: method and body as written in feeds.yaml.
        findings: collects problems and warnings.
    """
    kind, path, pages = values[SourceKeys.kind], values[SourceKeys.next], values[SourceKeys.pages]
    if kind is not Kind.JSON:
        for key in (SourceKeys.page, SourceKeys.next):
            if values.says(key):
                findings.warn(values.place(key), f"{key.name} has no effect on kind {kind}; remove it")
        if pages and kind not in _LINKED:
            what = f"pages has no effect on kind {kind}, which names no earlier documents; remove it"
            findings.warn(values.place(SourceKeys.pages), what)
        return Paged(request, None)
    url, body = values[SourceKeys.url] or "", request.body
    if path is not None:
        check_path(path, values.place(SourceKeys.next), findings)
    _check_places(values, url, findings)
    places = places_in(url) | places_in(str.__str__(body or ""))
    if "next" in places and path is None:
        what = "{next} has no value; write next: and the JMESPath of the next page in an answer"
        findings.problem_at(values.place(SourceKeys.url if "next" in places_in(url) else SourceKeys.body), what)
    if values.says(SourceKeys.page) and "page" not in places:
        findings.warn(values.place(SourceKeys.page), "page has no effect; write {page} into url or body, or remove it")
    if not places and path is None:
        if pages:
            what = "pages has no effect on kind json without the next page; write {page} into url, or write next:"
            findings.warn(values.place(SourceKeys.pages), what)
        return Paged(request, None)
    if not pages:
        what = "only the first page is fetched; write pages: 10, or as many further pages as a poll may read"
        findings.warn(values.place(SourceKeys.next if path is not None else SourceKeys.url), what)
    first = _first(values)
    counts = values[SourceKeys.page]
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


def _first(values: Values) -> Page:
    counts = values[SourceKeys.page]
    return Page(PageKeys.from_.default if counts is None else counts[PageKeys.from_])


def _check_places(values: Values, url: str, findings: Findings) -> None:
    """Check that {page} and {next} are in places where they can be replaced."""
    place = values.place(SourceKeys.url)
    if FIELD.search(url.partition("//")[2].partition("/")[0]):
        findings.problem_at(place, "the host can't have {fields}; write it out")
    for name in FIELD.findall(url):
        if _WORDS.fullmatch(name.strip()) and name.strip() not in ("page", "next"):
            findings.warn(
                place,
                f"{quoted(f'{{{name}}}')} is sent unchanged; the address of a list may have {{page}} and {{next}}",
            )
    if _holds_mapping(values[SourceKeys.body]):
        what = '{page} or {next} without quotes is a mapping in YAML; write "{page}" or "{next}"'
        findings.problem_at(values.place(SourceKeys.body), what)


def _holds_mapping(value: Json) -> bool:
    if isinstance(value, dict):
        return value in ({"page": None}, {"next": None}) or any(map(_holds_mapping, value.values()))
    return isinstance(value, list) and any(map(_holds_mapping, value))
