"""Reads the list of records that an API returns into a `RawFeed`: `kind: json` (S14, S64, R41; docs/feeds.md)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from aggregator.errors import NotAFeed
from aggregator.model.entry import Person, RawEntry, RawFeed, RawLink, RawText, Tag
from aggregator.model.settings import Reading
from aggregator.model.template import FIELD, address, fields_of, filled, has_fields, joined
from aggregator.parse.jsontext import load_json
from aggregator.parse.links import MAX_TAGS
from aggregator.parse.paths import Paths, text_of
from aggregator.urls import Url

WHOLE_DOCUMENT: Final = "@"  # JMESPath of the document itself
MAX_FILED: Final = 10  # categories per item
MAX_VALUE: Final = 2000  # characters of a value for the request of a detail
MAX_KEYS: Final = 8  # keys of a mapping that a message names
_EXCERPT_KEYS = 200  # characters of these keys
_EXCERPT = 80  # characters of a broken item that a message shows


def records_of(text: str, url: Url, reading: Reading, *, limit: int) -> RawFeed:
    """Read a list that an API returns.

    An item that can't be read is left out and named. An empty list is a feed without entries, not an error (I23).

    Args:
        text: the body.
        url: the address that sent the response.
        reading: the path of the list (`items`), and the path of each entry field in an item (`fields`).
        limit: the largest number of items.

    Raises:
        NotAFeed: JSON without a list at `items`, or no item has any of the `fields`.
        ParseError: the text is not JSON, is nested too deep, or evaluating the paths took too long.
    """
    loaded = load_json(text, url, lenient=True)
    notices = list(loaded.notices)
    paths = Paths(url, notices)
    items = _items(loaded.document, reading.items or WHOLE_DOCUMENT, url, paths)
    broken = iter(loaded.broken)
    left_out: list[str] = []
    entries: list[RawEntry] = []
    for position, item in enumerate(items[:limit]):
        if item is None:
            begins = next(broken, None)
            what = "is null" if begins is None else f"is broken JSON: {' '.join(begins.split())[:_EXCERPT]}"
            left_out.append(f"item {position + 1} {what}")
            continue
        record = _Item(item, paths)
        entry = record.entry(dict(reading.fields), position)
        if reading.filing or reading.asked:
            entry = replace(entry, filed=record.names(reading.filing), asked=record.values(reading.asked))
        entries.append(entry)
    if items and not any(map(_has_content, entries)):
        _refuse_unknown_fields(items, reading.items or WHOLE_DOCUMENT, url)
    if len(items) > limit:
        notices.append(f"{len(items)} items, of which the first {limit} were read")
    return RawFeed(
        format="json",
        entries=tuple(entries),
        url=url,
        notices=tuple(notices),
        left_out=tuple(left_out),
        following=None if reading.next is None else _plain_json(paths.find(reading.next, loaded.document)),
        cut=loaded.cut,
    )


def _items(document: object, path: str, url: Url, paths: Paths) -> Sequence[object]:
    """Return the list at `path`. A single record counts as a list of one: some APIs return it so."""
    found = paths.find(path, document)
    if isinstance(found, list):
        return found
    if isinstance(found, Mapping):
        return [found]
    if found is None and _has_empty_list(document):
        return []
    keys = ", ".join(str(key) for key in list(document)[:MAX_KEYS]) if isinstance(document, Mapping) else ""
    holds = f"; the document has {keys[:_EXCERPT_KEYS]}" if keys else ""
    mismatch = paths.mismatch(path)
    what = "no list" if found is not None else f"nothing, since it does not fit: {mismatch}" if mismatch else "nothing"
    raise NotAFeed(url, f"JSON in which items: {path} finds {what}{holds}")


def _has_content(entry: RawEntry) -> bool:
    return bool(entry.id or entry.title or entry.links or entry.summary or entry.contents)


def _refuse_unknown_fields(items: Sequence[object], path: str, url: Url) -> None:
    """Refuse items that have values, but none at the paths of `entry`: fields are misspelt, or the API renamed them.

    Raises:
        NotAFeed: with the keys of the first such item.
    """
    filled_item = next((item for item in items if isinstance(item, Mapping) and any(item.values())), None)
    if filled_item is not None:
        keys = ", ".join(str(key) for key in list(filled_item)[:MAX_KEYS])[:_EXCERPT_KEYS]
        why = f"JSON in which items: {path} finds {len(items)}, and entry: finds no id, title, link or text in any"
        raise NotAFeed(url, f"{why}; the first has {keys}")


def _plain_json(found: object) -> str | None:
    """Return the value that names the next page as JSON: a text, a number or a boolean; None for anything else."""
    if not isinstance(found, str | int | float):
        return None
    text = json.dumps(found)
    return text if len(text) <= MAX_VALUE else None


def _has_empty_list(document: object) -> bool:
    """Return True if any value is an empty list or null: an API may return its empty list so."""
    if not isinstance(document, Mapping):
        return document == [] or document is None
    return any(
        value is None or value == [] or (isinstance(value, Mapping) and _has_empty_list(value))
        for value in document.values()
    )


class _Item:
    """One item of the list; finds the values of entry fields."""

    def __init__(self, item: object, paths: Paths) -> None:
        self._item, self._paths = item, paths

    def entry(self, fields: Mapping[str, str], position: int) -> RawEntry:
        """Return the entry; fields without a value stay empty."""
        link = self._address(fields.get("link"))
        return RawEntry(
            id=self._exact(fields.get("id")),
            title=self._markup(fields.get("title"), joint=" "),
            links=(RawLink(href=link),) if link else (),
            summary=self._markup(fields.get("summary"), joint="\n"),
            contents=tuple(filter(None, (self._markup(fields.get("content"), joint="\n"),))),
            authors=tuple(Person(name=name) for name in self._several(fields.get("author"))),
            tags=tuple(Tag(term=term) for term in self._several(fields.get("tag"))),
            published=self._exact(fields.get("published")),
            updated=self._exact(fields.get("updated")),
            position=position,
        )

    def names(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Return the names that texts with {fields} produce.

        A text that is a single field produces several names if its value is a list.
        """
        return tuple(dict.fromkeys(name for text in texts for name in self._named(text)))

    def values(self, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Return the values at the given paths, without empty ones."""
        found = ((path, self._exact(path)) for path in paths)
        return tuple((path, value[:MAX_VALUE]) for path, value in found if value)

    def _named(self, text: str) -> Iterator[str]:
        paths = fields_of(text)
        if len(paths) == 1 and FIELD.fullmatch(text):
            found = list(self._several(paths[0]))[:MAX_FILED]
        else:
            found = [self._exact(text) or ""]
        yield from filter(None, found)

    def _value(self, path: str, *, joint: str = "") -> str | None:
        return text_of(self._paths.find(path, self._item), joint=joint)

    def _exact(self, field: str | None) -> str | None:
        """Return a value that must be complete: an id or a date."""
        if field is None:
            return None
        text = filled(field, self._value) if has_fields(field) else self._value(field)
        return (text or "").strip() or None

    def _address(self, field: str | None) -> str | None:
        if field is None:
            return None
        return address(field, self._value) if has_fields(field) else self._exact(field)

    def _markup(self, field: str | None, *, joint: str) -> RawText | None:
        """Return a text for readers. The type is unknown: an API does not declare whether a text is HTML."""
        if field is None:
            return None
        value_of = partial(self._value, joint=joint)
        text = joined(field, value_of) if has_fields(field) else value_of(field)
        return RawText(value=text, type="unknown") if text and text.strip() else None

    def _several(self, field: str | None) -> Iterator[str]:
        """Yield the names at a path, each once."""
        if field is None:
            return
        found = self._exact(field) if has_fields(field) else self._paths.find(field, self._item)
        values = found[:MAX_TAGS] if isinstance(found, list) else [found]
        yield from dict.fromkeys(text.strip() for each in values if (text := text_of(each, joint=" ")))
