"""Results of polls: each of the last few, and sums for each day (P93)."""

from datetime import date, datetime, timedelta

from aggregator.model.poll import Outcome
from aggregator.model.record import record


@record
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
    because: str  # the input that decided the due time, as `cadence` names it


@record
class Sums:
    """Sums over some polls."""

    polls: int = 0
    not_modified: int = 0
    unconditional: int = 0  # answers 200 to requests without validators although some were stored (P94)
    bytes: int = 0  # received over the network
    failures: int = 0
    new: int = 0
    future: int = 0  # new entries dated over a day ahead (R48)
    past: int = 0  # new entries dated over a year back, without those of a first poll
    late: int = 0  # seconds that polls came after their due times


NO_SUMS = Sums()


@record
class AsideSums:
    """Sums over some requests that are not polls. None of them is conditional."""

    requests: int = 0
    bytes: int = 0  # received over the network
    failures: int = 0


NO_ASIDES = AsideSums()


@record
class HostSums:
    """Sums over polls and other requests at a host, for all sources."""

    host: str  # host key
    sources: int  # sources of feeds.yaml that are polled there
    sums: Sums
    details: AsideSums = NO_ASIDES  # requests of details and articles
    further: AsideSums = NO_ASIDES  # requests of further documents and of robots.txt
    spacing: timedelta  # between two requests
    opens_at: datetime | None  # no request before this time; None: requests are allowed


@record
class Fetching:
    """Sums over recent polls, which show the cost for us and for publishers."""

    since: datetime
    sums: Sums
    details: AsideSums
    further: AsideSums
    hosts: tuple[HostSums, ...]  # most requests first

    @property
    def share_304(self) -> float:
        """Share of polls that ended with 304, from 0 to 1."""
        return self.sums.not_modified / self.sums.polls if self.sums.polls else 0.0


@record
class DaySums:
    """Sums over the requests for one source, or for all, on one day."""

    day: date  # UTC
    polls: Sums = NO_SUMS
    details: AsideSums = NO_ASIDES
    further: AsideSums = NO_ASIDES


@record
class SourceHistory:
    """Stored results of one source's polls."""

    recent: tuple[RecentPoll, ...]  # newest first
    days: tuple[DaySums, ...]  # newest first
    etag: bool  # an ETag is stored and sent
    last_modified: bool  # a Last-Modified is stored and sent
    notices: tuple[str, ...] = ()  # oddities of the last document
