"""JSON Feed 1.0 and 1.1 as `RawFeed` (I21, S14, S23). feedparser does not read it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aggregator.errors import NotAFeed, ParseError
from aggregator.model.entry import Person, RawEntry, RawFeed, RawLink, RawText, Tag
from aggregator.parse.links import MAX_LINKS, MAX_TAGS
from aggregator.parse.texts import MAX_TEXT
from aggregator.urls import Url

MAX_DEPTH: Final = 50  # arrays and objects within each other (S14)
_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/([0-9.]{1,8})", re.IGNORECASE)
_ITEMS = re.compile(r'"items"\s*:\s*\[')
_SEPARATOR = re.compile(r"[\s,]*")


def jsonfeed_of(text: str, url: Url, *, limit: int) -> RawFeed:
    """Read a document that is JSON.

    Raises:
        NotAFeed: JSON of another kind: an API's error, or a list that wants `kind: json`.
        ParseError: no JSON at all, or nested too deep.
    """
    document, cut = _loaded(text, url)
    version = _VERSION.match(_string(document.get("version")) or "") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or version is None:
        raise NotAFeed(
            url, "JSON, but no JSON Feed: its version names no jsonfeed.org; an API's list is read as kind: json"
        )
    notices: list[str] = ["the document is cut off"] if cut else []
    items = _objects(document.get("items"))
    if len(items) > limit:
        notices.append(f"{len(items)} entries, of which the first {limit} were read")
    entries: list[RawEntry] = []
    for position, item in enumerate(items[:limit]):
        entry = _entry(item, position)
        if entry is None:
            name = (_string(item.get("title")) or _string(item.get("url")) or "")[:80]
            notices.append(f"item {position + 1} {name!r} has no id and was left out, as the format demands (D22)")
        else:
            entries.append(entry)
    home = _string(document.get("home_page_url"))
    own = _string(document.get("feed_url"))
    hubs = (_string(hub.get("url")) for hub in _objects(document.get("hubs")))
    links = [
        *([RawLink(href=home, type="text/html")] if home else []),
        *([RawLink(href=own, rel="self", type="application/feed+json")] if own else []),
        *(RawLink(href=hub, rel="hub") for hub in hubs if hub),
    ]
    return RawFeed(
        format=f"json {version[1]}",
        id=own,
        title=_text(document.get("title"), "text"),
        subtitle=_text(document.get("description"), "text"),
        links=tuple(links[:MAX_LINKS]),
        authors=_authors(document),
        icon=_string(document.get("favicon")),
        logo=_string(document.get("icon")),
        language=_string(document.get("language")),
        entries=tuple(entries),
        url=url,
        notices=tuple(notices),
        cut=cut,
    )


def _loaded(text: str, url: Url) -> tuple[object, bool]:
    """Decode JSON: the last of equal keys counts, no NaN, long integers as text (S23)."""
    decoder = json.JSONDecoder(parse_constant=_refused, parse_int=_integer)
    try:
        document, cut = _decoded(decoder, text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise ParseError(url, f"broken JSON: {str(error)[:200]}", line) from error
    if _is_deeper(document, MAX_DEPTH):
        raise ParseError(url, f"JSON nested deeper than {MAX_DEPTH} levels")
    return document, cut


def _decoded(decoder: json.JSONDecoder, text: str) -> tuple[object, bool]:
    text = text.strip()
    try:
        document: object = decoder.raw_decode(text)[0]  # what follows the document is ignored (I8)
    except json.JSONDecodeError:
        items = _ITEMS.search(text)
        if items is None:
            raise
        # Cut off, or broken at some item: the head and the items before that still count (I13).
        document = decoder.decode(text[: items.end()] + "]}")
        if not isinstance(document, dict):
            raise
        document["items"] = list(_whole_items(decoder, text, items.end()))
        return document, True
    return document, False


def _whole_items(decoder: json.JSONDecoder, text: str, at: int) -> Iterator[object]:
    while True:
        separator = _SEPARATOR.match(text, at)
        at = separator.end() if separator else at
        try:
            item, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            return
        yield item


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _integer(digits: str) -> object:
    return int(digits) if len(digits) < 19 else digits


def _is_deeper(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _entry(item: Mapping[str, object], position: int) -> RawEntry | None:
    identifier = _identifier(item.get("id"))
    if identifier is None:
        return None
    page, external = _string(item.get("url")), _string(item.get("external_url"))
    links = [RawLink(href=href) for href in (page,) if href]
    if external:
        links.append(RawLink(href=external, rel="related" if page else "alternate"))
    contents = (_text(item.get("content_html"), "html"), _text(item.get("content_text"), "text"))
    return RawEntry(
        id=identifier,
        title=_text(item.get("title"), "text"),
        links=tuple(links),
        summary=_text(item.get("summary"), "text"),
        contents=tuple(content for content in contents if content),
        authors=_authors(item),
        tags=tuple(Tag(term=tag) for each in _sequence(item.get("tags"))[:MAX_TAGS] if (tag := _string(each))),
        enclosures=tuple(
            attachment
            for each in _objects(item.get("attachments"))[:MAX_LINKS]
            if (attachment := _attachment(each)) is not None
        ),
        published=_date(item.get("date_published")),
        updated=_date(item.get("date_modified")),
        language=_string(item.get("language")),
        position=position,
    )


def _identifier(value: object) -> str | None:
    """Give an id; numbers become text (I21)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _string(value)


def _attachment(value: Mapping[str, object]) -> RawLink | None:
    href = _string(value.get("url"))
    if href is None:
        return None
    return RawLink(
        href=href,
        rel="enclosure",
        type=_string(value.get("mime_type")),
        title=_string(value.get("title")),
        length=_identifier(value.get("size_in_bytes")),
        duration=_identifier(value.get("duration_in_seconds")),
    )


def _authors(value: Mapping[str, object]) -> tuple[Person, ...]:
    """Read `authors` of version 1.1, else `author` of 1.0."""
    people = _objects(value.get("authors")) or _objects([value.get("author")])
    found = (Person(name=_string(each.get("name")) or "", uri=_string(each.get("url"))) for each in people[:MAX_TAGS])
    return tuple(dict.fromkeys(person for person in found if person.name or person.uri))


def _objects(value: object) -> list[Mapping[str, object]]:
    return [each for each in _sequence(value) if isinstance(each, Mapping)]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _string(value: object) -> str | None:
    return value[:MAX_TEXT].strip() or None if isinstance(value, str) else None


def _date(value: object) -> str | None:
    return _identifier(value)


def _text(value: object, kind: str) -> RawText | None:
    text = _string(value)
    return RawText(value=text, type=kind) if text else None
