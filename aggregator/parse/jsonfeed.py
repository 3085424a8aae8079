"""Reads JSON Feed 1.0 and 1.1 into a `RawFeed` (I21, S14, S23). feedparser does not read JSON Feed."""

import re
from collections.abc import Mapping, Sequence

from aggregator.errors import NotAFeed
from aggregator.model.entry import Person, RawEntry, RawFeed, RawImage, RawLink, RawSupplement, RawText, Tag
from aggregator.model.supplement import ImageRole
from aggregator.parse.jsontext import load_json
from aggregator.parse.links import MAX_LINKS, MAX_TAGS
from aggregator.parse.texts import MAX_TEXT
from aggregator.urls import Url

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/([0-9.]{1,8})", re.IGNORECASE)


def jsonfeed_of(text: str, url: Url, *, limit: int) -> RawFeed:
    """Read a JSON document.

    Raises:
        NotAFeed: JSON of another kind: an API's error, or a list that needs `kind: json`.
        ParseError: the text is not JSON, or is nested too deep.
    """
    loaded = load_json(text, url)
    document = loaded.document
    version = _VERSION.match(_string(document.get("version")) or "") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or version is None:
        raise NotAFeed(
            url,
            "JSON, but not a JSON Feed: its version does not name jsonfeed.org; read the list of an API as kind: json",
        )
    notices = list(loaded.notices)
    items = _objects(document.get("items"))
    if len(items) > limit:
        notices.append(f"{len(items)} entries, of which the first {limit} were read")
    entries: list[RawEntry] = []
    for position, item in enumerate(items[:limit]):
        entry = _entry(item, position)
        if entry is None:
            name = (_string(item.get("title")) or _string(item.get("url")) or "")[:80]
            notices.append(f"item {position + 1} {name!r} has no id and was left out, as the format requires (D22)")
        else:
            entries.append(entry)
    home = _string(document.get("home_page_url"))
    own = _string(document.get("feed_url"))
    hubs = (_string(hub.get("url")) for hub in _objects(document.get("hubs")))
    links = [
        *([RawLink(href=home, type="text/html")] if home else []),
        *([RawLink(href=own, rel="self", type="application/feed+json")] if own else []),
        *([RawLink(href=older, rel="next")] if (older := _string(document.get("next_url"))) else []),
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
        left_out=tuple(f"an item that is broken JSON: {begins}" for begins in loaded.broken),
        cut=loaded.cut,
    )


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
        supplement=_supplement(item),
        published=_identifier(item.get("date_published")),
        updated=_identifier(item.get("date_modified")),
        language=_string(item.get("language")),
        position=position,
    )


def _identifier(value: object) -> str | None:
    """Return an id, a date or a size as text; numbers are allowed (I21)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _string(value)


def _supplement(item: Mapping[str, object]) -> RawSupplement:
    named = (("image", ImageRole.PICTURE), ("banner_image", ImageRole.BANNER))
    return RawSupplement(
        images=tuple(RawImage(href=href, role=role) for name, role in named if (href := _string(item.get(name))))
    )


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
    """Read `authors` of version 1.1, otherwise `author` of 1.0."""
    people = _objects(value.get("authors")) or _objects([value.get("author")])
    found = (Person(name=_string(each.get("name")) or "", uri=_string(each.get("url"))) for each in people[:MAX_TAGS])
    return tuple(dict.fromkeys(person for person in found if person.name or person.uri))


def _objects(value: object) -> list[Mapping[str, object]]:
    return [each for each in _sequence(value) if isinstance(each, Mapping)]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _string(value: object) -> str | None:
    return value[:MAX_TEXT].strip() or None if isinstance(value, str) else None


def _text(value: object, kind: str) -> RawText | None:
    text = _string(value)
    return RawText(value=text, type=kind) if text else None
