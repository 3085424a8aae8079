"""Cleans one entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aggregator.clean.dates import date_in, read_date
from aggregator.clean.language import language_of
from aggregator.clean.links import alternate_of, base_of, related, resolve
from aggregator.clean.sanitiser import checksums, sanitise
from aggregator.clean.supplement import enclosures_of, supplement_of
from aggregator.clean.text import MAX_ID, category_of, html_of, identifier_of, text_of
from aggregator.clean.titles import bounded_title, people_of, tags_of, title_of
from aggregator.model.entry import Entry, Origin, RawEntry, RawLink, RawOrigin, RawText
from aggregator.urls import Url

MAX_NAME = 100  # characters of the name of a category that an item names
_ORIGINAL = "original"  # the relation that parse/links.py gives to feedburner:origLink
_LOOKS_LIKE_MARKUP = ("</", "/>", "<br", "<p>", "<img ", "&lt;", "&amp;", "&quot;", "&nbsp;", "&#")


class EmptyEntryError(ValueError):
    """An entry without anything to show to readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of a feed and its source that cleaning an entry needs."""

    url: Url  # the address that sent the response
    site: Url | None  # the feed's alternate link
    zone: tzinfo
    day_first: bool | None  # whether the document writes the day before the month; None if unknown
    allow_classes: frozenset[str]
    language: str | None
    strip: tuple[str, ...] = ()  # the operator's CSS selectors of elements to remove


def clean_entry(raw: RawEntry, context: Context, notices: list[str]) -> Entry:
    """Clean an entry.

    Args:
        raw: as parsed.
        context: the rest of the document.
        notices: notices about irregularities are appended.

    Raises:
        EmptyEntryError: the entry has no id, title, text, link or file.
    """
    link = _link_of(raw, context)
    bases = (link, context.site, context.url)
    content_raw = _content_of(raw.contents)
    content = _markup(content_raw, bases, context)
    summary = _markup(raw.summary, bases, context)
    text = text_of(content)
    if summary:
        summary_text = text_of(summary)
        if summary == content or (summary_text and summary_text == text):
            summary = ""  # the same text twice (I53)
        elif not content:
            text = summary_text
    title = title_of(raw.title)
    enclosures = enclosures_of(raw.enclosures, bases, context.url)
    identifier = identifier_of(raw.id)
    if identifier is None and raw.id and len(raw.id) > MAX_ID:
        notices.append(f"an id of over {MAX_ID:,} characters is ignored")
    if not (identifier or title or content or summary or link or enclosures):
        raise EmptyEntryError("is empty: no id, title, text, link or file")
    languages = (
        content_raw.language if content_raw else None,
        raw.summary.language if raw.summary else None,
        raw.title.language if raw.title else None,
    )
    published, updated = _date(raw.published, context, notices), _date(raw.updated, context, notices)
    if published is None and updated is None and link is not None:
        published = date_in(link, context.zone)
    return Entry(
        id=identifier,
        title=title,
        link=link,
        summary=summary,
        content=content,
        cleaned=checksums((content, summary), context.allow_classes),
        text=text,
        authors=people_of(raw.authors, bases),
        tags=tags_of(raw.tags),
        enclosures=enclosures,
        supplement=supplement_of(raw.supplement, raw.links, bases, context.url),
        published=published,
        updated=updated,
        rights=bounded_title(title_of(raw.rights)) or None,
        language=language_of(*languages, raw.language, context.language),
        origin=_origin_of(raw.origin, context) if raw.origin else None,
        filed=_filed(raw.filed),
        asked=raw.asked,
        position=raw.position,
    )


def _filed(names: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the categories that an entry names. A text of over `MAX_NAME` characters is not a name."""
    keys = map(category_of, names)
    return tuple(dict.fromkeys(key for key in keys if key and len(key) <= MAX_NAME))


def _link_of(raw: RawEntry, context: Context) -> Url | None:
    """Choose an entry's link (I55). A guid or id is used only if it is marked as a link and is an http URL (I31)."""
    bases = (context.site, context.url)
    candidates: Sequence[RawLink] = sorted(
        (link for link in raw.links if link.rel in (_ORIGINAL, "alternate")),
        key=lambda link: 0 if link.rel == _ORIGINAL else 1 if not link.type or "html" in link.type else 2,
    )
    for link in candidates:
        if found := resolve(link.href, (base_of(link.base, context.url), *bases)):
            return found
    if raw.id and raw.id_is_link and raw.id.lower().startswith(("http://", "https://")):
        found = resolve(raw.id, ())
        if found:
            return found
    for enclosure in raw.enclosures:
        if found := resolve(enclosure.href, (base_of(enclosure.base, context.url), *bases)):
            return found
    return None


def _content_of(contents: Sequence[RawText]) -> RawText | None:
    """Choose the longest content; plain text only if there is no markup, since both have the same text (I53, I21)."""
    markup = [content for content in contents if content.type != "text"]
    return max(markup or contents, key=lambda content: len(content.value), default=None)


def _markup(raw: RawText | None, bases: Sequence[Url | None], context: Context) -> str:
    """Return safe HTML of a text of any declared type."""
    if raw is None:
        return ""
    plain = raw.type == "text" or (
        raw.type == "unknown" and not any(sign in raw.value.lower() for sign in _LOOKS_LIKE_MARKUP)
    )
    html = html_of(raw.value) if plain else raw.value
    if context.strip and not plain:
        html = _stripped(html, context.strip)
    base = base_of(raw.base, context.url) or next((base for base in bases if base), None)
    return sanitise(html, base, context.allow_classes).strip()


def _stripped(html: str, selectors: Sequence[str]) -> str:
    from aggregator.clean.strip import stripped  # late: few sources have it

    return stripped(html, selectors)


def _date(text: str | None, context: Context, notices: list[str]) -> datetime | None:
    read = read_date(text, context.zone, day_first=context.day_first)
    if read.notice:
        notices.append(read.notice)
    elif read.when is None and text:
        notices.append(f"unreadable date {text[:60]!r}")
    return read.when


def _origin_of(raw: RawOrigin, context: Context) -> Origin | None:
    """Clean atom:source (I25); None if it has neither an id nor a link."""
    link = alternate_of(raw.links, context.url)
    self_link = related(raw.links, "self", context.url)
    bases = (link, context.url)
    identifier = identifier_of(raw.id) or self_link or link
    if not identifier:
        return None
    return Origin(
        id=identifier,
        title=bounded_title(title_of(raw.title)),
        updated=read_date(raw.updated, context.zone, day_first=context.day_first).when,
        self_link=self_link,
        link=link,
        authors=people_of(raw.authors, bases),
        rights=bounded_title(title_of(raw.rights)) or None,
        icon=resolve(raw.icon, bases) if raw.icon else None,
        logo=resolve(raw.logo, bases) if raw.logo else None,
        tags=tags_of(raw.tags),
    )
