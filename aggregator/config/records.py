"""Reads the keys of sources that are not feeds: `items`, `entry`, `detail`, `method`, `body`, and their paging.

Paging is `{page}` and `{next}` in the address or body, `page`, `next` and `pages`.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aggregator.config.document import Json, Node
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.config.selectors import selector
from aggregator.config.source_keys import DetailKeys, EntryKeys, PageKeys, SourceKeys
from aggregator.config.tables import Key, Values
from aggregator.model import paging
from aggregator.model.paging import Page, address_of, places_in
from aggregator.model.selector import selector_of
from aggregator.model.settings import Detail, Kind, Paging, Reading, Request, Secret
from aggregator.model.template import FIELD, fields_of, has_fields

FIELDS: Final = tuple(declared for declared in vars(EntryKeys).values() if isinstance(declared, Key))
RECORDS: Final = frozenset({Kind.JSON, Kind.HTML})  # kinds whose items are found by paths or selectors
MAX_BODY: Final = 100_000  # characters of a request body


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Settings by which the items of a source are found and read; only `request` is set if the source is a feed."""

    items: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    request: Request
    detail: Detail | None = None
    asked: tuple[str, ...] = ()


def records_of(values: Values, kind: Kind, findings: Findings) -> Records:
    """Read the keys that only sources other than feeds need. Problems and keys without effect are reported."""
    request = request_of(values, SourceKeys.method, SourceKeys.body, findings)
    if kind not in RECORDS:
        for key in (SourceKeys.items, SourceKeys.entry, SourceKeys.detail):
            if values.says(key):
                findings.warn(
                    values.place(key), f"{key.name} has no effect on kind {kind}; {_instead(values, key, kind)}"
                )
        return Records(request=request)
    entry = values[SourceKeys.entry]
    if kind is Kind.JSON and not values.says(SourceKeys.entry):
        what = "entry is missing; write entry: {title: …, link: …}, each a JMESPath or a text with {fields}"
        findings.problem_at(values.node, what)
    items = values[SourceKeys.items]
    if kind is Kind.JSON and items is not None:
        check_path(items, values.place(SourceKeys.items), findings)
    elif kind is Kind.HTML:
        _check_page(values, items, findings)
    fields = () if entry is None else fields_in(entry, kind, findings)
    if entry is not None and not fields and kind is Kind.JSON:
        findings.problem_at(values.place(SourceKeys.entry), "entry names no field; write {title: …, link: …}")
    detail = detail_of(values, kind, findings)
    if detail is None:
        return Records(items=items, fields=fields, request=request)
    body = str.__str__(detail.request.body or "")
    asked = tuple(dict.fromkeys((*fields_of(detail.url), *fields_of(body))))
    return Records(items=items, fields=fields, request=request, detail=detail, asked=asked)


def _instead(values: Values, key: Key[Values | None] | Key[str | None], kind: Kind) -> str:
    """Return the advice for a key of `kind: json` and `html` that has no effect."""
    if key is SourceKeys.detail and values[SourceKeys.full_text] and kind is not Kind.FILE:
        return "remove it: full_text fetches the articles behind the links"
    return "write kind: json, or remove it" if kind is Kind.FEED else "remove it"


def detail_of(values: Values, kind: Kind, findings: Findings) -> Detail | None:
    """Read `detail`, the second request for each entry; None if the source has no valid one."""
    detail = values[SourceKeys.detail]
    url = detail[DetailKeys.url] if detail is not None else None
    if detail is None or url is None:
        return None
    place = detail.place(DetailKeys.url)
    request = request_of(detail, DetailKeys.method, DetailKeys.body, findings)
    if not has_fields(url) and not has_fields(str.__str__(request.body or "")):
        what = "the address is the same for every entry; write {fields} of the item into it, or into body"
        findings.problem_at(place, what)
    start = url if FIELD.match(url) else FIELD.sub("x", url)
    if not FIELD.match(url) and not start.lower().startswith(("http://", "https://")):
        findings.problem_at(
            place, f"{quoted(url)} is not an address; write https://host/path?id={{id}}, or one field alone"
        )
    elif FIELD.search(url.partition("//")[2].partition("/")[0]):
        findings.problem_at(place, f"{quoted(url)} takes its host from the item; write the host out")
    if kind is Kind.JSON:
        for text in (url, str.__str__(request.body or "")):
            for path in fields_of(text):
                check_path(path, place, findings)
    fields = fields_in(detail, kind, findings)
    if not fields:
        findings.problem_at(values.place(SourceKeys.detail), "detail names no field; write {url: …, content: …}")
    reading = Reading(
        kind=kind,
        encoding=values[SourceKeys.encoding],
        timezone=values[SourceKeys.timezone],
        allow_classes=frozenset(values[SourceKeys.allow_classes]),
        fields=fields,
    )
    return Detail(url=url, request=request, reading=reading)


def fields_in(entry: Values, kind: Kind, findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return the fields of `entry` or `detail`, each with its path or selector, and check these."""
    fields = [(key.name, text) for key in FIELDS if (text := entry[key]) is not None]
    for key in FIELDS:
        if (text := entry[key]) is not None:
            check = check_paths if kind is Kind.JSON else check_selectors
            check(text, entry.place(key), findings)
    return tuple(fields)


def _check_page(values: Values, items: str | None, findings: Findings) -> None:
    """Check `items` of an HTML page."""
    if items is None:
        what = "items is missing; write a CSS selector such as article.teaser, or an XPath with a leading //"
        findings.problem_at(values.node, what)
    elif selector_of(items).attribute is not None:
        findings.problem_at(
            values.place(SourceKeys.items), f"{quoted(items)} selects an attribute; write one for elements"
        )
    else:
        check_selectors(items, values.place(SourceKeys.items), findings)


def check_selectors(text: str, place: Node, findings: Findings) -> None:
    """Check that a selector, or each field of a text with fields, is CSS or XPath."""
    for path in fields_of(text) if has_fields(text) else (text,):
        try:
            selector(path)
        except Unfit as unfit:
            findings.problem_at(place, f"{quoted(path)} {unfit}")


def check_paths(text: str, place: Node, findings: Findings) -> None:
    """Check that a path, or each field of a text with fields, is a JMESPath."""
    for path in fields_of(text) if has_fields(text) else (text,):
        check_path(path, place, findings)


def check_path(path: str, place: Node, findings: Findings) -> None:
    """Check that a path is a JMESPath."""
    why = _fault_of(path)
    if why is not None:
        findings.problem_at(
            place, f"{quoted(path)} is not a JMESPath: {why}; write one such as data.items[], or {{data.id}}"
        )


def request_of(values: Values, method: Key[str], body: "Key[Json | None]", findings: Findings) -> Request:
    """Return the request of a source or a detail, and check its body."""
    verb, sent = values[method], values[body]
    if sent is None:
        return Request(method=verb)
    if verb != "POST":
        findings.problem_at(values.place(body), f"a {verb} request has no body; write method: POST, or remove body")
    is_json = not isinstance(sent, str)
    text = json.dumps(sent, ensure_ascii=False, separators=(",", ":")) if not isinstance(sent, str) else sent
    if len(text) > MAX_BODY:
        findings.problem_at(values.place(body), f"the body has {len(text):,} characters; write at most {MAX_BODY:,}")
    return Request(method=verb, body=Secret(text), is_json=is_json)


@lru_cache(maxsize=1024)
def _fault_of(path: str) -> str | None:
    import jmespath  # late: most configurations have no paths
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(path)
    except JMESPathError as error:
        at = getattr(error, "lex_position", None)
        return "it ends too soon" if type(error).__name__ == "IncompleteExpressionError" else _where(path, at)
    return None


def _where(path: str, at: int | None) -> str:
    return "it can't be read" if at is None else f"it can't be read from {quoted(path[at:])} on"


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
        paging.request_of(request, None if body is None else str.__str__(body), first),
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
