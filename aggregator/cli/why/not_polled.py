"""`why` of polls that did not happen: of a source that is due or paused, and of a host that gets no requests."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from aggregator.cli.rest_words import rest_in_words
from aggregator.cli.terminal import counted
from aggregator.cli.why.sentences import Frame, Section, indented
from aggregator.clock import rfc3339
from aggregator.model.event import Code
from aggregator.model.hosts import rest_record
from aggregator.model.poll import State
from aggregator.model.settings import Source, SourceKey
from aggregator.model.status import SourceStatus, Status
from aggregator.model.trail import Step
from aggregator.store.store_file import Holder
from aggregator.store.transaction import Transaction
from aggregator.text.durations import rounded_span
from aggregator.urls import host_of

LATE = timedelta(minutes=2)  # after which a due source that was not polled needs a reason
NAMED = 10  # sources of a host that are named


def next_poll(source: SourceStatus, steps: Sequence[Step], frame: Frame) -> str:
    """Return when a source is polled next, and why then; of a paused source since when it is not, and what polls it.

    Args:
        source: the status of the source.
        steps: its events, the oldest first.
        frame: names, and the time.
    """
    if source.state is State.PAUSED:
        pauses = [step for step in steps if step.code == Code.MOVE_SETTINGS and "paused" in step.facts]
        since = f", since {frame.moment(pauses[-1].at)}" if pauses else ""
        last = f"; last polled {frame.moment(source.last_attempt)}" if source.last_attempt else ""
        again = f"`aggregator resume {source.key}` polls it again"
        return f"not polled, since feeds.yaml says paused: true{since}{last}; what it published stays; {again}"
    if source.rest is not None and source.rest.until > source.next_due:
        return f"next poll {frame.moment(source.rest.until)}: {rest_in_words(source.rest, frame.names)}"
    return f"next poll {frame.moment(source.next_due)}: {source.because or 'it was never polled'}"


def why_not_polled(tx: Transaction, source: SourceStatus, status: Status, holder: Holder | None, frame: Frame) -> str:
    """Return why a source that has been due for a while was not polled; empty if it has not.

    Args:
        tx: a reading transaction.
        source: the status of the source.
        status: the status of all, for outages of the network.
        holder: the process that holds the lock of the store, or held it last; None if that is unknown.
        frame: names, and the time.
    """
    late = frame.now - source.next_at
    if source.state is State.PAUSED or late < LATE:
        return ""
    due = f"due for {rounded_span(late.total_seconds())} and not polled"
    settings = frame.roster.sources.get(source.key)
    outage = status.outage.since(own=settings is not None and settings.own_machine)
    if outage is not None:
        return f"{due}: the network has been unreachable since {frame.moment(outage)}"
    rhythm = tx.store_row.rhythm()
    if rhythm.runs:
        last = rhythm.runs[-1]
        if last < source.next_at:
            return f"{due}: no run of `aggregator poll` began since then, the last one began {frame.moment(last)}"
        if holder is not None and holder.is_running:
            return f"{due}: the run that began {frame.moment(last)} has not come to it yet"
        return f"{due}: the run that began {frame.moment(last)} ended before (`--for`, or it was stopped)"
    if holder is not None and holder.is_running:
        return f"{due}: {holder.who} is late; `aggregator status` shows how late it is"
    if rhythm.served_at is not None:
        return f"{due}: `aggregator serve` began last {frame.moment(rhythm.served_at)}, and does not run"
    return f"{due}: nothing has run yet; `aggregator poll` or `aggregator serve` polls it"


def host_section(tx: Transaction, host: str, status: Status, frame: Frame) -> Section | None:
    """Return the section on a host: whether it rests and because of whom, its spacing, and its sources.

    Args:
        tx: a reading transaction.
        host: as in the addresses of sources.
        status: the status of all sources.
        frame: names, and the time.

    Returns:
        None if no source is at that host.
    """
    sources = dict(_sources_at(host, frame))
    if not sources:
        return None
    known = {each.key: each for each in status.sources}
    rest = next((known[key].rest for key in sources if key in known and known[key].rest), None)
    sums = next((each for each in status.fetching.hosts if each.host == (rest.host if rest else host)), None)
    state = rest_in_words(rest, frame.names) if rest else "it does not rest: its sources are polled when they are due"
    lines = [f"{host} (host of {counted(len(sources), 'source')})", f"  {state}"]
    if sums is not None:
        lines += indented(
            [
                f"{sums.spacing.total_seconds():g} s at least between two requests",
                f"since {frame.moment(status.fetching.since)}: {counted(sums.sums.polls, 'poll')}, "
                f"{sums.sums.failures:,} failed",
            ]
        )
    waiting = sorted((known[key] for key in sources if key in known), key=lambda each: (each.next_at, each.key))
    lines += indented(["", "Sources:"])
    for each in waiting[:NAMED]:
        lines += indented([f"{frame.name(each.key)} ({each.key}): {next_poll(each, (), frame)}"])
    if len(waiting) > NAMED:
        lines += indented([f"and {len(waiting) - NAMED} more, later"])
    record = {
        "kind": "host",
        "host": host,
        "rests": rest_record(rest),
        "spacing_s": sums.spacing.total_seconds() if sums is not None else None,
        "sources": [{"key": each.key, "next": rfc3339(each.next_at)} for each in waiting],
    }
    return Section(lines, record)


def _sources_at(host: str, frame: Frame) -> Iterator[tuple[SourceKey, Source]]:
    for key, source in frame.roster.sources.items():
        if source.path is None and not source.private and host_of(source.url) == host.casefold():
            yield key, source
