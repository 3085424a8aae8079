"""Makes the rules of `hosts:`, and computes the interval at which a host allows to poll all its sources (P72)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from aggregator.config.addresses import HostName
from aggregator.config.compounds import Pair
from aggregator.config.document import MapNode, Node
from aggregator.config.findings import Findings, Place, quoted
from aggregator.config.keys import HostKeys
from aggregator.config.schedules import shortest_gap
from aggregator.config.tables import Values
from aggregator.model.hosts import budget_key, ruling, spacing_of
from aggregator.model.settings import HostRule, Source
from aggregator.text.durations import duration_text

MIN_SPACING = timedelta(seconds=1)  # between two requests to a host without allow_private
MAX_PARALLEL = 4


def host_rules(pairs: Sequence[Pair[HostName, Values]], findings: Findings) -> tuple[HostRule, ...]:
    """Return the rules of `hosts:`. A rule with too high limits is reported and still returned, for later checks."""
    rules: dict[str, HostRule] = {}
    lines: dict[str, int] = {}
    for pair in pairs:
        values = pair.value
        rule = HostRule(
            name=pair.name.name,
            network=pair.name.network,
            spacing=values[HostKeys.spacing],
            parallel=values[HostKeys.parallel],
            allow_private=values[HostKeys.allow_private],
        )
        if rule.name in rules:
            what = f"{quoted(pair.key.raw)} is already the host of line {lines[rule.name]}; remove one of the two"
            findings.problem_at(pair.key, what)
        rules.setdefault(rule.name, rule)
        lines.setdefault(rule.name, pair.key.line)
        if rule.allow_private:
            continue
        if rule.spacing is not None and rule.spacing < MIN_SPACING:
            what = f'"{duration_text(rule.spacing)}" is under 1s; write 1s or more'
            findings.problem_at(values.place(HostKeys.spacing), f"{what}, or allow_private: true for your own machine")
        if rule.parallel is not None and rule.parallel > MAX_PARALLEL:
            what = f'"{rule.parallel}" is over {MAX_PARALLEL}; write 1 to {MAX_PARALLEL}'
            findings.problem_at(values.place(HostKeys.parallel), f"{what}, or allow_private: true for your own machine")
    return tuple(rules.values())


def may_hide_allow_private(node: Node, pairs: Sequence[Pair[HostName, Values]]) -> bool:
    """Report whether an entry that could not be read may contain `allow_private`, so that limits are unknown."""
    if not isinstance(node, MapNode):
        return False
    read = {pair.key.raw for pair in pairs if not pair.value.is_bad(HostKeys.allow_private)}
    return any(
        isinstance(item, MapNode) and HostKeys.allow_private.name in item.values
        for raw, item in node.values.items()
        if raw not in read
    )


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
    spacings = {key: spacing_of(key, ruling(key, rules)) for key in counts}
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
