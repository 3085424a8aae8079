"""Names rules of feeds.yaml that have never decided for an entry, for `check`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aggregator.errors import Problem
from aggregator.model.settings import CategoryKey, Settings, Source, SourceKey
from aggregator.store.transaction import Transaction

ENOUGH: Final = 100  # stored entries that a rule could have matched; with fewer, nothing is said
_SHOWN: Final = 10  # rules that are named


def idle_rules(settings: Settings, config: Path, tx: Transaction) -> tuple[str, ...]:
    """Return a warning for each rule that has decided for none of at least `ENOUGH` entries; ten at most.

    Args:
        settings: with the sources that lists name.
        config: feeds.yaml, as messages name it.
        tx: reading transaction.
    """
    used = {(hit.source, hit.place, hit.rule) for hit in tx.history.rule_hits()}
    entries = tx.sources.entry_counts()
    of_all = (_of_sources, _of_defaults, _of_categories)
    found = [line for lines in of_all for line in lines(settings, config, used, entries)]
    more = len(found) - _SHOWN
    return (*found[:_SHOWN], *([f"{config}: {more} more rules have decided for no entry"] if more > 0 else []))


def _of_sources(
    settings: Settings, config: Path, used: set[tuple[SourceKey, str, str]], entries: dict[SourceKey, int]
) -> Iterator[str]:
    for source in settings.sources:
        count = entries.get(source.key, 0)
        if count < ENOUGH or source.listed_by is not None:
            continue
        for rule in _rules_of(source):
            if (source.key, "", rule) not in used and rule not in settings.default_rules:
                yield str(Problem(str(config), source.line, 1, _words(rule, count, f"entries of {source.key}")))


def _of_defaults(
    settings: Settings, config: Path, used: set[tuple[SourceKey, str, str]], entries: dict[SourceKey, int]
) -> Iterator[str]:
    """Yield rules of `defaults` that have decided for no entry of any source."""
    decided = {rule for _, place, rule in used if not place}
    for rule in sorted(settings.default_rules - decided):
        count = sum(entries.get(source.key, 0) for source in settings.sources if rule in _rules_of(source))
        if count >= ENOUGH:
            yield f"{config}: {_words(rule, count, 'entries of all sources')}"


def _of_categories(
    settings: Settings, config: Path, used: set[tuple[SourceKey, str, str]], entries: dict[SourceKey, int]
) -> Iterator[str]:
    there: dict[CategoryKey, int] = {}
    for source in settings.sources:
        for place in source.places:
            there[place] = there.get(place, 0) + entries.get(source.key, 0)
    decided = {(place, rule) for _, place, rule in used}
    for category in settings.categories:
        count = there.get(category.key, 0)
        rules = [f"exclude {rule}" for rule in category.exclude] + [f"include {rule}" for rule in category.include]
        for rule in rules:
            if count >= ENOUGH and (category.key, rule) not in decided:
                yield f"{config}: {_words(rule, count, f'entries of the sources of category {category.key}')}"


def _rules_of(source: Source) -> Iterator[str]:
    yield from (f"exclude {rule}" for rule in source.exclude)
    yield from (f"include {rule}" for rule in source.include)
    yield from (f"rewrite {step}" for step in source.rewrite)
    yield from (f"route {route}" for route in source.routes)


def _words(rule: str, count: int, whose: str) -> str:
    return f"the rule {rule} has decided for none of {count:,} {whose}; if it is not new, correct or remove it"
