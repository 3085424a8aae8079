"""Matching of one rule, and the result of `include` and `exclude`. Pure.

Patterns run on RE2, whose time grows with the text alone (S24); the text is cut at 10,000 characters all the same.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

import re2

from aggregator.model.entry import Entry
from aggregator.model.settings import Rule

MAX_TEXT = 10_000  # characters that a pattern sees of one field (S24)

FIELDS: dict[str, Callable[[Entry], Sequence[str]]] = {
    "title": lambda entry: (entry.title,),
    "content": lambda entry: (entry.text,),
    "author": lambda entry: tuple(person.name for person in entry.authors),
    "tag": lambda entry: tuple(name for tag in entry.tags for name in (tag.term, tag.label) if name),
    "link": lambda entry: (entry.link or "",),
    "language": lambda entry: (entry.language or "",),
}


def refusal(entry: Entry, include: Sequence[Rule], exclude: Sequence[Rule], *, seen: datetime) -> str | None:
    """Return the rule that keeps an entry out.

    Args:
        entry: as its source published it.
        include: any one must match, if there are any.
        exclude: none may match.
        seen: when the entry was first seen; its age counts from its own date to that.

    Returns:
        None if it passes; else the rule in words, for `why`: `exclude title: sponsored`, or `include: none matches`.
    """
    for rule in exclude:
        if matches(rule, entry, seen=seen):
            return f"exclude {rule}"
    if include and not any(matches(rule, entry, seen=seen) for rule in include):
        return "include: none matches"
    return None


def matches(rule: Rule, entry: Entry, *, seen: datetime) -> bool:
    """Return whether all conditions of a rule hold; of several authors or tags, any may match."""
    if rule.age is not None:
        own = entry.published or entry.updated
        if own is None or seen - own < rule.age:
            return False
    return all(_is_found(pattern, FIELDS[name](entry)) for name, pattern in rule.patterns)


def _is_found(pattern: str, values: Sequence[str]) -> bool:
    search = compiled(pattern).search
    return any(search(value[:MAX_TEXT]) for value in values)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> "re2._Regexp":
    """Return a compiled pattern; feeds.yaml was checked for it."""
    return re2.compile(pattern)
