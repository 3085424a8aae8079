"""What polls came to: one by one for the last few, as sums for the days before (P93)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from aggregator.model.poll import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentPoll:
    """One of the last polls of a source."""

    at: datetime  # when the request left
    outcome: Outcome
    status: int | None
    wire_bytes: int
    milliseconds: int
    new: int
    revised: int
    next_due: datetime
    because: str  # the input that decided on that, as `cadence` names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What some polls came to together."""

    polls: int = 0
    not_modified: int = 0
    unconditional: int = 0  # 200s to a request without validators although some were known (P94)
    bytes: int = 0  # that came over the wire
    failures: int = 0
    new: int = 0
    future: int = 0  # new entries dated over a day ahead (R48)
    past: int = 0  # over a year back, those of a first poll apart


NO_SUMS = Sums()


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideSums:
    """What some requests beside the polls themselves came to together. None is conditional."""

    requests: int = 0
    bytes: int = 0  # that came over the wire
    failures: int = 0


NO_ASIDES = AsideSums()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSums:
    """What the polls of a host came to, and what else was asked for there, for whatever sources."""

    host: str  # host key
    sources: int  # of feeds.yaml that are asked there
    sums: Sums
    details: AsideSums = NO_ASIDES  # and articles, each asked for once
    further: AsideSums = NO_ASIDES  # documents beyond a poll's own, and robots.txt
    spacing: timedelta  # between two requests
    opens_at: datetime | None  # not asked before; None: it may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """What polling has cost us and the publishers lately."""

    since: datetime
    sums: Sums
    details: AsideSums
    further: AsideSums
    hosts: tuple[HostSums, ...]  # the busiest first

    @property
    def share_304(self) -> float:
        """The share of polls that ended with 304, 0 to 1."""
        return self.sums.not_modified / self.sums.polls if self.sums.polls else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """What a source has cost on one day."""

    day: date  # UTC
    polls: Sums = NO_SUMS
    details: AsideSums = NO_ASIDES
    further: AsideSums = NO_ASIDES


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHistory:
    """What is remembered of one source's polls."""

    recent: tuple[RecentPoll, ...]  # newest first
    days: tuple[DaySums, ...]  # newest first
    etag: bool  # we hold one, and send it
    last_modified: bool  # likewise
    notices: tuple[str, ...] = ()  # what was odd about the last document
