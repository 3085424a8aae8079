"""Reads authors as the document has them (I58)."""

import re
from collections.abc import Sequence

from lxml import etree

from aggregator.model.entry import Person
from aggregator.parse.names import Child, name_of, text_of

_MAIL = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])")
_BRACKETS = re.compile(r"(?:[<(\[]|&lt;)\s*(?:mailto:)?\s*(?:[>)\]]|&gt;)")  # some publishers escape the brackets twice
_MAX = 2000  # characters of a name that are read
_MAX_PEOPLE = 50  # per entry


def people_of(children: Sequence[Child], namespace: str) -> tuple[Person, ...]:
    """Return the authors among an element's children: Atom author, dc:creator, RSS author; otherwise itunes:author."""
    people: list[Person] = []
    itunes: list[Person] = []
    for name, child in children:
        match name:
            case "author" | "managingeditor" | "dc:creator" | "dc:author":
                person = _atom_person(child, namespace) or person_of(text_of(child))
                if person and len(people) < _MAX_PEOPLE and person not in people:
                    people.append(person)
            case "itunes:author":
                if person := person_of(text_of(child)):
                    itunes.append(person)
    return tuple(people or itunes[:1])


def person_of(text: str) -> Person | None:
    """Split `mail (Name)`, the form of RSS, or `Name <mail>`; None if the text has neither a name nor an address."""
    text = " ".join(text[:_MAX].split())
    match = _MAIL.search(text)
    if match is None:
        return Person(name=text) if text else None
    name = _BRACKETS.sub("", text[: match.start()] + text[match.end() :]).strip()
    if name.startswith("(") and name.endswith(")"):
        name = name[1:-1].strip()
    name = name.removeprefix("mailto:").strip("<> \"',;:")
    return Person(name=name, email=match[0])


def _atom_person(element: etree._Element, namespace: str) -> Person | None:
    """Read a person construct (RFC 4287, section 3.2); None if the element has no such children."""
    fields: dict[str, str] = {}
    for child in element:
        field = name_of(child, namespace)
        if field in ("name", "uri", "url", "homepage", "email") and (text := text_of(child)[:_MAX]):
            fields.setdefault("uri" if field in ("url", "homepage") else field, text)
    if not fields:
        return None
    named = person_of(fields.get("name", "")) or Person()
    return Person(name=named.name, uri=fields.get("uri"), email=fields.get("email") or named.email)
