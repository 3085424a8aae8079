"""Body and sentences of `status`: sources, categories, alarms; what needs attention comes first."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from aggregator.cli.check import heavy_feeds
from aggregator.cli.names import keys_of
from aggregator.cli.open import last_good_settings, read_store
from aggregator.cli.rest_words import rest_in_words
from aggregator.cli.terminal import (
    ahead_in_words,
    alarm_lines,
    called,
    counted,
    folded,
    grouped,
    json_text,
    printable,
    shortened,
)
from aggregator.clock import rfc3339, utc_now
from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.in_force import completed_roster, listed_settings
from aggregator.model.alarm import FACTS, Alarm
from aggregator.model.history import NO_SUMS, AsideSums, Fetching, RecentPoll, SourceHistory, Sums
from aggregator.model.poll import State
from aggregator.model.settings import Roster, Settings
from aggregator.model.status import HubStatus, RuleHits, SourceStatus, Status
from aggregator.model.tokens import PrivateRedactor
from aggregator.render import alarm_words
from aggregator.render.status_json import alarm_record, history_record, rule_record, source_record, status_record
from aggregator.store.database import Store
from aggregator.store.private_redactor import redactor_of_private
from aggregator.text.durations import rounded_span

CHARTED_DAYS = 30
FINE = 20  # sources without trouble that are told one by one
IN_TROUBLE = (State.SUSPECT, State.GONE, State.FAILING)
UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))

_POLLS = ("time", "outcome", "status", "bytes", "ms", "new", "revised", "next due", "because")
_DAYS = ("day", "polls", "not modified", "unconditional", "failures", "bytes", "new")
_DETAILS = ("details", "failed", "their bytes")
_FURTHER = ("further", "failed", "their bytes")
_RULES = ("hits", "last", "rule")
_WORDS = {"time", "outcome", "next due", "because", "day", "last", "rule"}  # columns that are set to the left


def in_words(status: Status, *, folds: bool = True, charts: bool = False) -> str:
    """Return the status as lines; what needs attention comes first.

    Args:
        status: the status.
        folds: fold similar lines into a few.
        charts: draw the new entries and failures of a month, for a terminal.
    """
    lines = []
    for what, since in (
        ("The network has", status.outage.public),
        ("Your own machines have", status.outage.own),
    ):
        if since:
            lines.append(
                f"{what} been unreachable since {rfc3339(since)}; failures are not counted against sources meanwhile."
            )
    if status.config.error:
        lines += [
            "feeds.yaml was edited and can't be used; the last good one is in force:",
            *_indented(status.config.error),
        ]
    bad = [s for s in status.sources if s.state in IN_TROUBLE]
    total = sum(category.stories for category in status.categories)
    several = f" in {len(status.categories)} categories, counted in each" if len(status.categories) > 1 else ""
    sources = counted(len(status.sources), "source")
    lines.append(f"{sources}, {len(bad)} in trouble; {counted(total, 'story', 'stories')}{several}.")
    if status.fetching.sums.polls:
        lines.append(_manners(status.fetching))
    if charts:
        sums = {one.day: one.polls for one in status.days}
        days = [sums.get(status.at.date() - timedelta(days=back), NO_SUMS) for back in reversed(range(CHARTED_DAYS))]
        lines += _charts([(one.new, one.failures) for one in days])
    if status.hub is not None:
        lines.append(_of_hub(status.hub))
    names = {source.key: called(source.title, source.key) for source in status.sources}
    for rest in status.rests:
        waiting = sum(source.rest is not None and source.rest.host == rest.host for source in status.sources)
        waits = counted(waiting, "source waits", "sources wait")
        lines.append(f"  {rest_in_words(rest, names)}; {waits} for that")
    lines += _sources(status, folds=folds)
    for category in status.categories:
        newest = f", newest {rfc3339(category.newest)}" if category.newest else ""
        stories, sources = counted(category.stories, "story", "stories"), counted(category.sources, "source")
        lines.append(f"  category/{category.slug}: {stories} from {sources}{newest}")
    for gone in status.removed:
        lines.append(f"  category/{gone.slug}: left feeds.yaml {gone.removed_at:%Y-%m-%d}; its files stay")
    return "\n".join(lines)


def _sources(status: Status, *, folds: bool) -> list[str]:
    """Return the lines on sources: those in trouble, other alarms, those with advice, then the rest."""
    names = {s.key: called(s.title, s.key) for s in status.sources}
    alarms = {some[0].source: some for some in grouped(status.alarms, lambda alarm: alarm.source)}
    all_of = "aggregator status --all" if folds else ""
    bad = [s for s in status.sources if s.state in IN_TROUBLE]
    advised = [s for s in status.sources if s.state not in IN_TROUBLE and s.advice]
    others = [s for s in status.sources if s.state not in IN_TROUBLE and not s.advice]
    shown = [*bad, *advised, *(others if not folds or len(others) <= FINE else ())]
    width = max((len(shortened(s.title)) for s in shown), default=0)

    def lines_of(source: SourceStatus) -> list[str]:
        is_polled = source.state is not State.PAUSED
        when = f"next {ahead_in_words(source.next_at, status.at)}" if is_polled else "not polled"
        lines = [f"  {source.shown_state:8} {shortened(source.title):{width}}  {source.entries:5} entries  {when}"]
        if source.code or source.advice:
            lines += _indented(called(source.key, source.key, source.line))
        if source.code:
            lines += _indented(f"{source.code}: {source.error}", _failures(source, UTC))
        if source.state in IN_TROUBLE:
            lines += _indented(*(f"alarm {alarm.code.value}: {alarm.text}" for alarm in alarms.get(source.key, ())))
        return lines + (_indented(f"→ {source.advice}") if source.advice else [])

    def together(sources: Sequence[SourceStatus], what: str) -> list[str]:
        if not folds:
            return [line for source in sources for line in lines_of(source)]
        return folded(sources, lines_of, f"           and {{}} {what}; `{all_of}` lists all")

    lines = alarm_lines([alarm for alarm in status.alarms if alarm.source is None], names, all_of)
    for some in grouped(bad, lambda s: (s.state, s.code)):
        lines += together(some, f"{some[0].state.value} with {some[0].code}" if some[0].code else some[0].state.value)
    told = {source.key for source in bad}
    lines += alarm_lines([a for a in status.alarms if a.source is not None and a.source not in told], names, all_of)
    lines += together(advised, "with advice")
    if folds and len(others) > FINE:
        states = Counter((source.quiet or source.state).value for source in others)
        counts = ", ".join(f"{count:,} {state}" for state, count in states.items())
        return [*lines, f"  {counted(len(others), 'source')} without trouble: {counts}; `{all_of}` lists all"]
    return lines + [line for source in others for line in lines_of(source)]


def one_in_words(
    source: SourceStatus,
    history: SourceHistory,
    alarms: Iterable[Alarm],
    hits: Sequence[RuleHits],
    status: Status,
    zone: ZoneInfo,
    *,
    charts: bool = False,
) -> str:
    """Return the lines on one source.

    Args:
        source: status of the source.
        history: its last polls and its sums per day.
        alarms: its alarms.
        hits: how often each of its rules applied.
        status: status of all sources, for their names and the time.
        zone: time zone of the times shown.
        charts: draw a month, and leave the year out of tables, for a terminal.
    """
    names = {each.key: called(each.title, each.key) for each in status.sources}
    sent = [name for name, held in (("ETag", history.etag), ("Last-Modified", history.last_modified)) if held]
    lines = [
        f"{called(source.title, source.key, source.line)}, {source.url or 'a local file'}",
        f"  {source.shown_state}, last success {_moment(source.last_success, zone)}; {source.entries} entries, "
        f"{source.per_week:g} a week, the newest of {_moment(source.newest, zone)}; in {', '.join(source.categories)}",
        f"  validators: {' and '.join(sent) or 'none'}",
    ]
    if source.state is State.PAUSED:
        lines.append("  not polled")
    else:
        because = f": {source.because}" if source.because else ""
        if source.rest is not None and source.rest.until > source.next_due:
            because = f": {rest_in_words(source.rest, names)}"
        lines.append(f"  next at {_moment(source.next_at, zone)}, {ahead_in_words(source.next_at, status.at)}{because}")
    if source.code:
        lines.append(f"  {_failures(source, zone)}; {source.code}: {source.error}")
    if source.moved_to:
        lines.append(f"  redirects permanently to {source.moved_to}")
    if source.clock_skew:
        way = "ahead of" if source.clock_skew > timedelta(0) else "behind"
        lines.append(f"  its clock is {rounded_span(abs(source.clock_skew.total_seconds()))} {way} ours")
    if charts:
        lines += _charts(source.month)
    lines += [f"  alarm {alarm.code.value}: {alarm.text}" for alarm in alarms]
    lines += [f"  · {printable(notice)}" for notice in history.notices if notice != source.advice]
    if source.advice:
        lines.append(f"  → {source.advice}")
    if hits:
        lines += ["", "Rules (new entries):", *_table(_RULES, [_rule(each, zone) for each in hits])]
    if history.recent:
        lines += [
            "",
            f"Last polls ({zone.key}):",
            *_table(_POLLS, [_poll(poll, zone, is_short=charts) for poll in history.recent]),
        ]
    if history.days:
        has_details = any(one.details.requests for one in history.days)
        has_further = any(one.further.requests for one in history.days)
        head = (*_DAYS, *(_DETAILS if has_details else ()), *(_FURTHER if has_further else ()))
        rows = [
            (
                one.day.isoformat(),
                *_sums(one.polls),
                *(_aside_sums(one.details) if has_details else ()),
                *(_aside_sums(one.further) if has_further else ()),
            )
            for one in history.days
        ]
        lines += ["", "Days (UTC):", *_table(head, rows)]
    return "\n".join(lines)


def _failures(source: SourceStatus, zone: tzinfo) -> str:
    failures = "1 failure" if source.failures == 1 else f"{source.failures} failures in a row"
    answer = f", the last with HTTP {source.http_status}" if source.http_status else ""
    return f"{failures}, since {_moment(source.failing_since, zone)}{answer}"


def _rule(hits: RuleHits, zone: ZoneInfo) -> tuple[str, ...]:
    rule = f"{hits.place}: {hits.rule}" if hits.place else hits.rule
    return str(hits.hits), _moment(hits.last_at, zone), rule


def _charts(days: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Yield a line for new entries and one for failed polls, if there are any.

    Args:
        days: both numbers of each day, oldest first.
    """
    from aggregator.cli.look import sparkline  # late: most runs have no terminal

    for numbers, what in zip(zip(*days, strict=True), ("new entries", "failed polls"), strict=False):
        if any(numbers):
            yield f"  {sparkline(numbers)}  {what} a day, {max(numbers):,} at most"


def _poll(poll: RecentPoll, zone: ZoneInfo, *, is_short: bool) -> tuple[str, ...]:
    next_due = _moment(poll.next_due, zone)
    return (
        f"{poll.at.astimezone(zone):{'%m-%d %H:%M' if is_short else '%Y-%m-%d %H:%M:%S'}}",
        poll.outcome.value,
        str(poll.status or "-"),
        _size(poll.wire_bytes),
        str(poll.milliseconds),
        str(poll.new),
        str(poll.revised),
        next_due.partition("-")[2] if is_short else next_due,
        poll.because,
    )


def _sums(sums: Sums) -> tuple[str, ...]:
    counts = (sums.polls, sums.not_modified, sums.unconditional, sums.failures)
    return (*map(str, counts), _size(sums.bytes), str(sums.new))


def _aside_sums(sums: AsideSums) -> tuple[str, ...]:
    return str(sums.requests), str(sums.failures), _size(sums.bytes)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            [
                "",
                *(
                    cell.ljust(width) if name in _WORDS else cell.rjust(width)
                    for name, cell, width in zip(head, row, widths, strict=True)
                ),
            ]
        ).rstrip()
        for row in (head, *rows)
    ]


def _manners(fetching: Fetching) -> str:
    """Return the line on requests and bytes, with the host that received most requests."""
    sums = fetching.sums
    polls = counted(sums.polls, "poll")
    line = (
        f"Since {fetching.since:%Y-%m-%d %H:%M} UTC: {polls}, {fetching.share_304:.0%} not modified, "
        f"{sums.failures:,} failed, {_size(sums.bytes)}"
    )
    if fetching.details.requests:
        asked = fetching.details
        line += f"; {asked.requests:,} details and articles, {asked.failures:,} failed, {_size(asked.bytes)}"
    if fetching.further.requests:
        asked = fetching.further
        documents = counted(asked.requests, "further document")
        line += f"; {documents} and robots.txt, {asked.failures:,} failed, {_size(asked.bytes)}"
    requests = {host.host: host.sums.polls + host.details.requests + host.further.requests for host in fetching.hosts}
    busiest = next((name for name, count in requests.items() if count and name != "file"), None)
    return f"{line}; busiest host {busiest} with {requests[busiest]:,}." if busiest else f"{line}."


def _of_hub(hub: HubStatus) -> str:
    """Return the line on pings that the hub has not received yet."""
    if not hub.owed:
        return "The hub has received all pings."
    line = f"The hub has not yet received the pings of {counted(hub.owed, 'feed')}"
    if hub.failing_since is None:
        return f"{line}."
    return f"{line}; it has refused them since {rfc3339(hub.failing_since)}: {hub.error}"


def _indented(*texts: str) -> list[str]:
    return [f"           {line}" for text in texts for line in text.splitlines()]


def _size(count: int) -> str:
    return next((f"{count / size:.1f} {unit}" for unit, size in UNITS if count >= size), f"{count} B")


def _moment(when: datetime | None, zone: tzinfo) -> str:
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M") if when else "never"


DAYS = 7  # whose sums are shown of one source


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the status."""
    broken = None
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:  # a running service goes on with the last good one, and so do we
        settings, _ = last_good_settings(options.config, environ, error)
        broken = str(error)
    store = read_store(settings)
    try:
        settings = listed_settings(store, settings)
        status = store.status(completed_roster(store, Roster.of(settings)), utc_now(), settings.secrets)
        if broken:
            status = replace(status, config=replace(status.config, error=broken))
        with store.read() as tx:
            redactor = redactor_of_private(tx, settings.sources)
        if not options.key:
            if options.exit_code and not options.json:
                return _show_troubles(status, redactor)
            print(_all(status, settings, redactor, as_json=options.json, folds=not options.all))
            return int(options.exit_code and needs_a_hand(status))
        keys = keys_of([options.key], settings, options.config)
        source = next((each for each in status.sources if keys and each.key == keys[0]), None)
        if source is None:
            if keys:
                print(f"aggregator: {keys[0]} was not polled yet; `aggregator poll {keys[0]}` does", file=sys.stderr)
            return 2
        if options.exit_code:
            status = replace(status, alarms=tuple(each for each in status.alarms if each.source == source.key))
            status = replace(status, config=replace(status.config, error=None))
            if not options.json:
                return _show_troubles(status, redactor)
        print(_one(source, status, store, settings, redactor, as_json=options.json))
        return int(options.exit_code and needs_a_hand(status))
    finally:
        store.close()


def needs_a_hand(status: Status) -> bool:
    """Return whether an operator has to do something."""
    return bool(status.config.error) or any(alarm.code not in FACTS for alarm in status.alarms)


def troubles_in_words(status: Status) -> str:
    """Return what needs a hand, with what to do about it; empty if nothing does."""
    lines = []
    if status.config.error:
        lines += ["feeds.yaml can't be used; the last good one is in force:", *_indented(status.config.error)]
    names = {source.key: called(source.title, source.key, source.line) for source in status.sources}
    for same in grouped((each for each in status.alarms if each.code not in FACTS), lambda alarm: alarm.code):
        lines += alarm_lines(same, names, "aggregator status --all")
        lines += _indented(f"→ {alarm_words.advice_of(same[0])}")
    return "\n".join(lines)


def _show_troubles(status: Status, redactor: PrivateRedactor) -> int:
    if said := troubles_in_words(status):
        print(printable(redactor.text(said)))
    return int(needs_a_hand(status))


def _all(status: Status, settings: Settings, redactor: PrivateRedactor, *, as_json: bool, folds: bool) -> str:
    if as_json:
        return json_text(redactor.record(status_record(status, public=False)))
    said = in_words(status, folds=folds, charts=sys.stdout.isatty())
    if settings.site.contact is None:  # P75
        said += "\nThere is no site.contact: write an address for publishers; it is sent in the User-Agent."
    return printable("\n".join([redactor.text(said), *(f"{advice}." for advice in heavy_feeds(settings))]))


def _one(
    source: SourceStatus, status: Status, store: Store, settings: Settings, redactor: PrivateRedactor, *, as_json: bool
) -> str:
    with store.read() as tx:
        history = tx.history.of(source.key, status.at, days=DAYS)
        hits = [each for each in tx.history.rule_hits() if each.source == source.key]
    alarms = [alarm for alarm in status.alarms if alarm.source == source.key]
    if as_json:
        record = source_record(source, public=False) | history_record(history)
        record["alarms"] = [alarm_record(alarm, public=False) for alarm in alarms]
        record["rules"] = [rule_record(each) for each in hits]
        return json_text(redactor.record(record))
    zone = ZoneInfo(settings.site.timezone)
    said = one_in_words(source, history, alarms, hits, status, zone, charts=sys.stdout.isatty())
    return printable(redactor.text(said))
