"""Result of all rules for one entry. Pure.

The rules of the source come first, then those of each category of the entry, routes last. Rules see the entry as its
source published it, except routes, which see it rewritten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model.changes import Hit
from aggregator.model.entry import Entry
from aggregator.model.settings import Category, CategoryKey, Rule, Source
from aggregator.rules.matching import matches, refusal


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
    hits = [Hit("", f"rewrite {step}") for step in entry.original.by] if entry.original else []
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
