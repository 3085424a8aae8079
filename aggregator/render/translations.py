"""The text of the pages in the site's language (A67): a file in `catalogue/`, English for what it leaves out.

A theme may bring catalogues of its own, or some texts of one; they lie over those that come with the program.
"""

import re
import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

FALLBACK = "en"
SECTIONS = ("page", "state", "state_note", "code")
MONTHS = 12

_HEADER = re.compile(r"\s*\[\s*([\w-]+)\s*\]")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")

Catalogue = Mapping[str, Any]  # as TOML gives it: some texts, and a table for each of `SECTIONS`


@dataclass(frozen=True, slots=True)
class Messages:
    """The texts of one language, complete."""

    language: str
    months: tuple[str, ...]
    first_day: str  # how the first of a month is written
    date: str
    date_and_time: str
    texts: Mapping[str, Mapping[str, str]]

    def text(self, key: str, **values: object) -> str:
        """Return a text of the pages, with its names filled in."""
        return self.texts["page"][key].format(**values)

    def state(self, name: str) -> str:
        """Return the word for a source's state."""
        return self.texts["state"][name]

    def trouble(self, state: str, code: str | None) -> str:
        """Return what is wrong with a source, in words; empty if nothing is."""
        if state == "failing":
            codes = self.texts["code"]
            return codes.get(code or "unknown", codes["unknown"])
        return self.texts["state_note"][state]

    def day(self, when: datetime, zone: ZoneInfo) -> str:
        """Return a date in a zone, as people write it."""
        return self._dated(self.date, when.astimezone(zone))

    def moment(self, when: datetime, zone: ZoneInfo) -> str:
        """Return date and time in a zone, as people write them."""
        return self._dated(self.date_and_time, when.astimezone(zone))

    def time(self, when: datetime, zone: ZoneInfo) -> str:
        """Return the time of the day in a zone, as hours and minutes."""
        local = when.astimezone(zone)
        return f"{local.hour:02}:{local.minute:02}"

    def count(self, number: int) -> str:
        """Return a number of stories in words."""
        return self.text("count_one" if number == 1 else "count_other", count=number)

    def _dated(self, form: str, local: datetime) -> str:
        month = self.months[local.month - 1]
        day = self.first_day if local.day == 1 else str(local.day)
        return form.format(year=local.year, month=month, day=day, time=f"{local.hour:02}:{local.minute:02}")


def messages_of(language: str, own: Mapping[str, Catalogue]) -> Messages:
    """Return the texts of a language: those of the theme, then ours, then English.

    Args:
        language: a BCP 47 tag; `zh-Hant-TW` looks for itself, then `zh-Hant`, then `zh`.
        own: catalogues that a theme brings, by language in lower case.
    """
    name = next((name for name in _tags(language) if name in own or _ours(name) is not None), FALLBACK)
    merged: dict[str, Any] = {section: {} for section in SECTIONS}
    for tag in (FALLBACK, *reversed(list(_tags(name)))):
        for catalogue in (_ours(tag), own.get(tag)):
            for key, said in (catalogue or {}).items():
                merged[key] = merged[key] | said if key in SECTIONS else said
    texts = {section: merged.pop(section) for section in SECTIONS}
    return Messages(language=name, texts=texts, **(merged | {"months": tuple(merged["months"])}))


@lru_cache(maxsize=16)
def load_messages(language: str) -> Messages:
    """Return the texts of a language as they come with the program."""
    return messages_of(language, {})


class BadCatalogue(ValueError):
    """A catalogue has a key that no page uses."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(what for _, what in faults))
        self.faults = tuple(faults)  # each with its line


def read_catalogue(text: str) -> Catalogue:
    """Read a theme's catalogue: any of our keys, none else.

    Raises:
        BadCatalogue: it has keys that no page uses; with every fault.
        TOMLDecodeError: it is no TOML; the message ends with the place.
    """
    read = tomllib.loads(text)
    ours = _ours(FALLBACK)
    assert ours is not None
    faults = [(_line_of(where, key, text), what) for where, key, what in _faults(read, ours, "")]
    if faults:
        raise BadCatalogue(sorted(faults))
    return read


def _faults(read: Catalogue, ours: Catalogue, where: str) -> Iterator[tuple[str, str, str]]:
    """Return the faults of a table: the table's name, the key, and the fault."""
    at = f"{where}." if where else ""
    for key, said in read.items():
        if key not in ours:
            yield where, key, f"{at}{key} is none of our texts; docs/languages.md says which there are"
        elif isinstance(ours[key], Mapping):
            if isinstance(said, Mapping):
                yield from _faults(said, ours[key], key)
            else:
                yield where, key, f"{key} is a table of texts; write [{key}] above them"
        elif key == "months":
            if not (isinstance(said, list) and len(said) == MONTHS and all(isinstance(month, str) for month in said)):
                yield where, key, "months is a list of twelve names"
        elif not isinstance(said, str):
            yield where, key, f"{at}{key} is a text; write it in quotes"
        else:
            for what in _misspoken(said, ours[key]):
                yield where, key, f"{at}{key} {what}"


def _misspoken(said: str, ours: str) -> Iterator[str]:
    allowed = _names(ours)
    try:
        names = _names(said)
    except ValueError as error:
        yield f"can't be filled in: {error}; a brace of its own is written twice"
        return
    for name in sorted(names - allowed):
        known = f"of {', '.join(sorted(f'{{{name}}}' for name in allowed))} only" if allowed else "of none"
        yield f"speaks of {{{name}}}; it can speak {known}"


def _line_of(table: str, key: str, text: str) -> int:
    """Find the line where a key of a table stands; 1 if it is written in a way that nobody writes."""
    inside = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            inside = header[1]
            if not table and inside == key:
                return number
        elif inside == table and (found := _KEY.match(line)) and found[1] == key:
            return number
    return 1


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _tags(language: str) -> Iterator[str]:
    """Return a language tag and its prefixes, in lower case, the longest first."""
    parts = language.lower().split("-")
    for length in range(len(parts), 0, -1):
        if all(part.isascii() and part.isalnum() for part in parts[:length]):
            yield "-".join(parts[:length])


@lru_cache(maxsize=32)
def _ours(name: str) -> Catalogue | None:
    file = files("aggregator.render") / "catalogue" / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
