"""Checks the polling intervals of sources: which are allowed, and which need a reason (P51)."""

from datetime import timedelta

from aggregator.config.document import Node, Scalar
from aggregator.config.durations import COURTEOUS
from aggregator.config.findings import Findings, quoted
from aggregator.config.keys import DefaultKeys
from aggregator.config.schedules import shortest_gap
from aggregator.config.source_keys import SourceKeys
from aggregator.config.tables import Key, Values
from aggregator.text.durations import duration_text

SHORTEST = timedelta(minutes=1)  # shortest interval of a source that gives a reason (`frequent`)

_REASON = "or the reason in frequent:"


class IntervalCheck:
    """Checks the intervals of sources. A wrong interval under `defaults` is reported once, at its place there."""

    def __init__(self, defaults: Values, findings: Findings) -> None:
        self._defaults, self._findings = defaults, findings
        self._inherited: set[str] = set()
        self._order(defaults)

    def check(self, source: Values, *, is_own_machine: bool | None) -> None:
        """Check one source.

        Args:
            source: the keys of the source.
            is_own_machine: whether any interval is allowed (`allow_private`); None if that can't be known.
        """
        if source.says(SourceKeys.min_interval) or source.says(SourceKeys.max_interval):
            self._order(source)
        schedule = source[SourceKeys.schedule]
        if source.says(SourceKeys.schedule) and source.says(SourceKeys.every):
            what = "every and schedule exclude each other; remove one of the two"
            self._findings.problem_at(source.place(SourceKeys.schedule), what)
        if is_own_machine is not False:
            return
        has_reason = source.says(SourceKeys.frequent)
        if schedule is not None and not has_reason and (gap := shortest_gap(schedule)) < COURTEOUS:
            place = source.place(SourceKeys.schedule)
            what = f"{_shown(place)} polls every {duration_text(gap)}; write one that polls every 15m at most"
            self._findings.problem_at(place, f"{what}, {_REASON}")
        every = None if source.says(SourceKeys.schedule) else source.over(SourceKeys.every, self._defaults)
        self._interval(source, SourceKeys.every, every, has_reason)
        self._interval(
            source, SourceKeys.min_interval, source.over(SourceKeys.min_interval, self._defaults), has_reason
        )

    def _interval(self, source: Values, key: Key[timedelta | None], value: timedelta | None, has_reason: bool) -> None:
        least = SHORTEST if has_reason else COURTEOUS
        if value is None or value >= least:
            return
        if source.says(key):
            place = source.place(key)
            if has_reason:
                what = f"{_shown(place)} is under 1m; write 1m or more"
            else:
                what = f"{_shown(place)} is under 15m; write 15m or more, {_REASON}"
            self._findings.problem_at(place, what)
        elif key.name not in self._inherited:
            self._inherited.add(key.name)
            place = self._defaults.place(key)
            line = source.node.line
            what = f"{_shown(place)} is too short for the source in line {line}; write 15m or more, {_REASON} there"
            self._findings.problem_at(place, what)

    def _order(self, values: Values) -> None:
        least = values.over(DefaultKeys.min_interval, self._defaults)
        most = values.over(DefaultKeys.max_interval, self._defaults)
        if least > most:
            what = f"min_interval {duration_text(least)} is over max_interval {duration_text(most)}"
            if values.says(DefaultKeys.min_interval):
                key, advice = DefaultKeys.min_interval, f"write at most {duration_text(most)}"
            else:
                key, advice = DefaultKeys.max_interval, f"write at least {duration_text(least)}"
            self._findings.problem_at(values.place(key), f"{what}; {advice}")


def _shown(place: Node) -> str:
    return quoted(place.raw) if isinstance(place, Scalar) else "it"
