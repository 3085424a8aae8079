"""Cleans authors and tags to plain text (I58, I59, S39)."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from aggregator.clean.links import resolve
from aggregator.clean.text import line_of
from aggregator.clean.titles import title_of
from aggregator.model.entry import Person, RawText, Tag
from aggregator.text.xml_chars import legal
from aggregator.urls import MAX_URL, Url

MAX_TAGS: Final = 50
MAX_NAME: Final = 500  # characters of a person's name or a tag (I15)
_MAIL = re.compile(r"[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,255}")


def name_of(text: str) -> str:
    """Return a name or a label as plain text; markup and references are read as in a title without a type."""
    return title_of(RawText(value=text, type="unknown"))[:MAX_NAME].strip()


def people_of(people: Iterable[Person], bases: Sequence[Url | None]) -> tuple[Person, ...]:
    """Clean authors. Authors with only a mail address are left out: the address is not a name, and is not published."""
    cleaned: list[Person] = []
    for person in people:
        name = name_of(person.name)
        if _MAIL.fullmatch(name):
            name = ""
        uri = resolve(person.uri, bases) if person.uri else None
        email = legal(person.email).strip() if person.email else None
        known = any(other.name == name and other.uri in (uri, None) for other in cleaned)
        if (name or uri) and not known:
            cleaned.append(Person(name=name, uri=uri, email=email if email and _MAIL.fullmatch(email) else None))
    return tuple(cleaned)


def tags_of(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """Clean tags: trimmed, each once in any case, at most 50 (I59)."""
    cleaned: dict[tuple[str, str | None], Tag] = {}
    for tag in tags:
        term = name_of(tag.term)
        scheme = line_of(tag.scheme or "") or None
        if scheme is not None and len(scheme) > MAX_URL:
            scheme = None
        if term and len(cleaned) < MAX_TAGS:
            label = name_of(tag.label) if tag.label else ""
            cleaned.setdefault((term.casefold(), scheme), Tag(term=term, scheme=scheme, label=label or None))
    return tuple(cleaned.values())
