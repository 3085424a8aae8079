"""An API's list of records as `RawFeed`: `kind: json` (DESIGN, section 6; S14, S64, R41)."""

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

WHOLE: Final = "@"  # the path to the document itself
MAX_FILED: Final = 10  # categories that one item names
MAX_VALUE: Final = 2000  # characters of what goes into the request for a detail
MAX_KEYS: Final = 8  # of a mapping that are named for the operator
_SHOWN_KEYS = 200  # characters of their names
_SHOWN = 80  # characters of an item that is named for the operator


def records_of(text: str, url: Url, reading: Reading, *, limit: int) -> RawFeed:
    """Read a list that an API answers.

    An item that can't be read is left out and named; a list with nothing in it is one all the same (I23).

    Args:
        text: the body.
        url: that answered.
        reading: where the list is (`items`), and where an item has what an entry needs (`fields`).
        limit: items, at most.

    Raises:
        NotAFeed: JSON in which there is no list at that place, or none of its items has anything that `fields` name.
        ParseError: no JSON, nested too deep, or it took too long to find things in it.
    """
    loaded = load_json(text, url, lenient=True)
    notices = list(loaded.notices)
    paths = Paths(url, notices)
    items = _items(loaded.document, reading.items or WHOLE, url, paths)
    broken = iter(loaded.broken)
    left_out: list[str] = []
    entries: list[RawEntry] = []
    for position, item in enumerate(items[:limit]):
        if item is None:
            begins = next(broken, None)
            what = "is null" if begins is None else f"is broken JSON: {' '.join(begins.split())[:_SHOWN]}"
            left_out.append(f"item {position + 1} {what}")
            continue
        told = _Item(item, paths)
        entry = told.entry(dict(reading.fields), position)
        if reading.filing or reading.asked:
            entry = replace(entry, filed=told.names(reading.filing), asked=told.values(reading.asked))
        entries.append(entry)
    if items and not any(map(_is_told, entries)):
        _refuse_strange(items, reading.items or WHOLE, url)
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
    """Find the list. One record that stands there alone is a list of one: APIs write it so."""
    found = paths.find(path, document)
    if isinstance(found, list):
        return found
    if isinstance(found, Mapping):
        return [found]
    if found is None and _is_emptied(document):
        return []
    keys = ", ".join(str(key) for key in list(document)[:MAX_KEYS]) if isinstance(document, Mapping) else ""
    holds = f"; the document has {keys[:_SHOWN_KEYS]}" if keys else ""
    misfit = paths.misfit(path)
    what = "no list" if found is not None else f"nothing, since it does not fit: {misfit}" if misfit else "nothing"
    raise NotAFeed(url, f"JSON in which items: {path} finds {what}{holds}")


def _is_told(entry: RawEntry) -> bool:
    return bool(entry.id or entry.title or entry.links or entry.summary or entry.contents)


def _refuse_strange(items: Sequence[object], path: str, url: Url) -> None:
    """Refuse items that say something, but nothing where `entry` looks: fields are misspelt, or have other names now.

    Raises:
        NotAFeed: with the names that the first such item has.
    """
    said = next((item for item in items if isinstance(item, Mapping) and any(item.values())), None)
    if said is not None:
        keys = ", ".join(str(key) for key in list(said)[:MAX_KEYS])[:_SHOWN_KEYS]
        why = f"JSON in which items: {path} finds {len(items)}, and entry: finds no id, title, link or text in any"
        raise NotAFeed(url, f"{why}; the first has {keys}")


def _plain_json(found: object) -> str | None:
    """Give what names the next page: a text, a number, or whether there is one; None for anything else."""
    if not isinstance(found, str | int | float):
        return None
    text = json.dumps(found)
    return text if len(text) <= MAX_VALUE else None


def _is_emptied(document: object) -> bool:
    """Tell whether a document has a place that is empty or null, as an API's list has that holds nothing today."""
    if not isinstance(document, Mapping):
        return document == [] or document is None
    return any(
        value is None or value == [] or (isinstance(value, Mapping) and _is_emptied(value))
        for value in document.values()
    )


class _Item:
    """One item of the list, and the ways into it."""

    def __init__(self, item: object, paths: Paths) -> None:
        self._item, self._paths = item, paths

    def entry(self, fields: Mapping[str, str], position: int) -> RawEntry:
        """Give the entry that it tells; what it has not stays away."""
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
        """Give what it names by texts with {fields}; several where one field is all, and a list."""
        return tuple(dict.fromkeys(name for text in texts for name in self._named(text)))

    def values(self, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Give what is at some paths, where there is something."""
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
        """Give what must be whole: an id, a date."""
        if field is None:
            return None
        text = filled(field, self._value) if has_fields(field) else self._value(field)
        return (text or "").strip() or None

    def _address(self, field: str | None) -> str | None:
        if field is None:
            return None
        return address(field, self._value) if has_fields(field) else self._exact(field)

    def _markup(self, field: str | None, *, joint: str) -> RawText | None:
        """Give a text for readers: whether it is HTML, nobody says."""
        if field is None:
            return None
        value_of = partial(self._value, joint=joint)
        text = joined(field, value_of) if has_fields(field) else value_of(field)
        return RawText(value=text, type="unknown") if text and text.strip() else None

    def _several(self, field: str | None) -> Iterator[str]:
        """Give names, each once."""
        if field is None:
            return
        found = self._exact(field) if has_fields(field) else self._paths.find(field, self._item)
        values = found[:MAX_TAGS] if isinstance(found, list) else [found]
        yield from dict.fromkeys(text.strip() for each in values if (text := text_of(each, joint=" ")))
