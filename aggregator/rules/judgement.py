"""Result of all rules for one entry. Pure.

The rules of the source come first, then those of each category of the entry, routes last. Rules see the entry as its
source published it, except routes, which see it rewritten. Patterns run on RE2, whose time grows with the text alone
(S24); the text is cut at 10,000 characters all the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import re2

from aggregator.model.changes import Hit
from aggregator.model.entry import HOOK, Entry
from aggregator.model.settings import Category, CategoryKey, Rule, Source

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
    """Return whether all that a rule says holds; of several authors or tags, any may match."""
    if rule.age is not None:
        own = entry.published or entry.updated
        if own is None or seen - own < rule.age:
            return False
    if not all(_is_found(pattern, FIELDS[name](entry)) for name, pattern in rule.patterns):
        return False
    if rule.any_of and not any(matches(one, entry, seen=seen) for one in rule.any_of):
        return False
    if not all(matches(one, entry, seen=seen) for one in rule.all_of):
        return False
    return not any(matches(one, entry, seen=seen) for one in rule.none_of)


def _is_found(pattern: str, values: Sequence[str]) -> bool:
    search = compiled(pattern).search
    return any(search(value[:MAX_TEXT]) for value in values)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> "re2._Regexp":
    """Return a compiled pattern; feeds.yaml was checked for it."""
    return re2.compile(pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Categories in which an entry is published, and the rules that decided it."""

    places: tuple[CategoryKey, ...] = ()
    reason: str | None = None  # why it is in no category; None: it passes, or no category takes anything
    kept_out: tuple[tuple[CategoryKey, str], ...] = ()  # other categories, and the rule that keeps the entry out
    routed: tuple[tuple[CategoryKey, str], ...] = ()  # categories that only a route leads to, and the route
    hits: tuple[Hit, ...] = ()


def judge(
    entry: Entry,
    source: Source,
    categories: Mapping[CategoryKey, Category],
    *,
    seen: datetime,
    own: Sequence[CategoryKey] | None = None,
) -> Judgement:
    """Apply all rules to an entry.

    Args:
        entry: rewritten already, if its source rewrites.
        source: whose entry it is.
        categories: those of feeds.yaml.
        seen: when it was first seen; `age` counts back from there.
        own: the categories of the entry; None: those of its source.
    """
    told = entry.as_told
    steps = entry.original.by if entry.original else ()
    hits = [Hit("", step if step.startswith(HOOK) else f"rewrite {step}") for step in steps]
    if entry.original and entry.original.dropped:
        return Judgement(reason=entry.original.dropped, hits=tuple(hits))
    hits += _hits(told, "", source.include, source.exclude, seen)
    reason = refusal(told, source.include, source.exclude, seen=seen)
    if reason is not None:
        return Judgement(reason=reason, hits=tuple(hits))
    places: list[CategoryKey] = []
    kept_out: dict[CategoryKey, str] = {}
    routed: dict[CategoryKey, str] = {}
    for key, route in _wanted(entry, source, seen, source.categories if own is None else own):
        if key in places:
            continue
        if route is not None:
            hits.append(Hit("", f"route {route}"))
        category = categories.get(key)
        refused = None
        if category is not None and key not in kept_out:
            hits += _hits(told, key, category.include, category.exclude, seen)
            refused = refusal(told, category.include, category.exclude, seen=seen)
        if refused is not None:
            kept_out[key] = refused
        elif key not in kept_out:
            places.append(key)
            if route is not None:
                routed[key] = route
    said = "; ".join(f"{key}: {refused}" for key, refused in kept_out.items())
    return Judgement(
        places=tuple(places),
        reason=None if places else said or None,
        kept_out=tuple(kept_out.items()),
        routed=tuple(routed.items()),
        hits=tuple(hits),
    )


def _wanted(
    entry: Entry, source: Source, seen: datetime, own: Sequence[CategoryKey]
) -> Iterator[tuple[CategoryKey, str | None]]:
    for key in own:
        yield key, None
    for route in source.routes:
        if matches(route.when, entry, seen=seen):
            yield route.to, str(route)


def _hits(entry: Entry, place: str, include: Sequence[Rule], exclude: Sequence[Rule], seen: datetime) -> list[Hit]:
    """Return the rule that decided: the first of `exclude` that matches, else the first of `include`."""
    for name, rules in (("exclude", exclude), ("include", include)):
        for rule in rules:
            if matches(rule, entry, seen=seen):
                return [Hit(place, f"{name} {rule}")]
    return []
