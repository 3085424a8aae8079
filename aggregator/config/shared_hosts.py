"""Computes the shortest interval at which the budget of a host allows to poll all its sources (P72)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from aggregator.config.findings import Findings, Place
from aggregator.config.schedules import shortest_gap
from aggregator.model.hosts import budget_key, spacing_of
from aggregator.model.settings import HostRule, Source
from aggregator.text.durations import duration_text

SLACK = 1.2  # factor on the sum of all spacings: without spare time a delayed cycle never catches up
MINUTE = timedelta(minutes=1)


def with_shortest_intervals(
    read: Sequence[tuple[Place, Source]], rules: Sequence[HostRule], findings: Findings
) -> tuple[Source, ...]:
    """Set `crowding` of each source: the shortest interval that the budget of its host allows.

    If that interval is longer than the one a source is configured with, one note for the host is added to `findings`.

    Args:
        read: all sources, with their places in the file.
        rules: the rules of `hosts:`.
        findings: collects the notes.
    """
    keys = [budget_key(source.url, rules) for _, source in read]
    counts = Counter(key for key, (_, source) in zip(keys, read, strict=True) if not source.paused)
    spacings = {key: spacing_of(key, rules) for key in counts}
    sources: list[Source] = []
    noted: set[str] = set()
    for key, (place, source) in zip(keys, read, strict=True):
        least = SLACK * counts[key] * spacings.get(key, timedelta(0))
        if least > _configured_interval(source) and key not in noted and not source.paused:
            noted.add(key)
            findings.note(place, _advice(key, counts[key], spacings[key], least))
        sources.append(replace(source, crowding=least))
    return tuple(sources)


def _configured_interval(source: Source) -> timedelta:
    if source.schedule is not None:
        return shortest_gap(source.schedule)
    return source.every or source.min_interval


def _advice(key: str, count: int, spacing: timedelta, least: timedelta) -> str:
    interval = duration_text(least if least < MINUTE else -(-least // MINUTE) * MINUTE)
    who = f"{count:,} sources" if count > 1 else "a source"
    what = f"{who} on {key}, one request every {duration_text(spacing)}: each is polled every {interval} at most"
    return f"{what}; write every: {interval}, or a shorter spacing under hosts:, if {key} allows it"
