"""Body of `poll`: polls what is due, publishes what changed, and ends (R55)."""

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from aggregator.app import App
from aggregator.cadence import may_ask_again
from aggregator.cadence.hosts import rests_of
from aggregator.cli.commands.poll import limit_of
from aggregator.cli.logs import drop_logged
from aggregator.cli.names import keys_of
from aggregator.cli.open import configured, opened_app, stopping
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
    progress,
)
from aggregator.clock import rfc3339
from aggregator.container import use_one_heap
from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.late import late
from aggregator.model.alarm import Alarm
from aggregator.model.changes import Changes, Settled
from aggregator.model.hosts import Rest, rest_record
from aggregator.model.job import JobId
from aggregator.model.naming import name_of_source
from aggregator.model.poll import Outcome, Report
from aggregator.model.settings import SourceKey
from aggregator.poll.maintenance import Maintenance
from aggregator.publish.report import Published
from aggregator.store.schedule import DueItem
from aggregator.websub import send_pings_briefly

if TYPE_CHECKING:
    from aggregator.notify import messages
    from aggregator.poll import corrections, details, dispatcher, due_queue
else:
    messages = late("aggregator.notify.messages")
    corrections = late("aggregator.poll.corrections")
    details = late("aggregator.poll.details")
    dispatcher = late("aggregator.poll.dispatcher")
    due_queue = late("aggregator.poll.due_queue")

GRACE = 5.0  # seconds that polls under way get when we are told to stop (R54)
LAST_WORD = 8.0  # seconds after which a publication begins no further category: what is left the next run publishes
NAMED = 10  # sources in one line
EVERYTHING = "aggregator status --all"  # the command that lists what is folded here
TOLD = ("poll_source", "raise_alarm")  # in the log, once each, what the report tells as well


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Poll once and print the report."""
    use_one_heap()  # 113 MB in place of 145 for 60 sources: each thread would keep the most that it ever had
    limit = limit_of(options.limit) or timedelta(0)
    if options.keys and keys_of(options.keys, configured(options, environ), options.config) is None:
        return 2
    if not (options.json or options.verbose or options.log == "json"):
        drop_logged(TOLD)
    with opened_app(options, environ, goes_on=True) as app:
        keys = keys_of(options.keys, app.in_force.settings, options.config) if options.keys else []
        if keys is None:
            return 2
        shot = OneShot(app)
        with stopping(shot.stop) as signals:
            shows = sys.stderr.isatty()
            with progress("sources polled") if shows else nullcontext(shot.on_polled) as shot.on_polled:
                shot.poll(keys, everything=options.all, limit=limit)
            unpublished, published = "", Published(changed=())
            if shot.has_requests:
                corrections.run_pending_requests(app.store, app.in_force.roster, app.clock)
            try:
                published = app.publisher.publish(is_cut=shot.is_late)
                if published.failed:
                    unpublished = "could not be written: " + ", ".join(published.failed)
            except StrangerInTheWay as error:
                unpublished, published = str(error), Published(changed=error.changed)
            except PublishError as error:
                unpublished = str(error)
            if app.in_force.settings.publish.hub is not None:
                send_pings_briefly(app, should_stop=lambda: bool(signals))
            if (alarms := app.in_force.settings.alarms).webhook or alarms.notify:
                messages.send_messages(app, should_stop=lambda: bool(signals))
        report = shot.report(published.changed, published.posts)
        names = {} if options.json else shot.names()
    print(
        json_text(report)
        if options.json
        else printable(in_words(report, shot.left_alone, shot.none_due, names=names, alarms=shot.alarms))
    )
    if unpublished:
        print(f"aggregator: {unpublished}", file=sys.stderr)
        return 3
    if signals:
        return 128 + signals[0]
    return 1 if options.strict and report["failed"] else 0


class _Arrived(NamedTuple):
    """Counts of one request for a detail."""

    key: SourceKey
    new: int
    duplicates: int
    rejected: int


class OneShot:
    """One run over a fixed list of sources."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._started, self._from = app.clock(), monotonic()
        self._polled: set[JobId] = set()
        self._rows: list[Report] = []  # of these; not their changes, which hold the texts of all new entries
        self._details: list[_Arrived] = []  # likewise, of requests for details
        self._has_outlines = False  # whether a list named feeds
        self._skipped: list[Report] = []
        self.left_alone: list[str] = []  # sources that were wished for, and must not be asked yet (P69)
        self.alarms: tuple[Alarm, ...] = ()  # what has become wrong
        self.has_requests = False  # whether operators asked for corrections while polls went on
        self.none_due = ""  # how that is, if nothing is due
        self._dispatcher: dispatcher.Dispatcher | None = None
        self.on_polled: Callable[[int, int], None] = lambda done, total: None  # gets the numbers of done and of all
        self._total = 0
        self._stopped = False
        self._ends: float | None = None  # when nothing more may begin, once we were told to stop

    def poll(self, keys: Sequence[str] | None, *, everything: bool, limit: timedelta) -> None:
        """Poll sources that are due, the given ones, or all, for at most `limit` (0: no limit).

        Raises:
            StoreError: the store failed.
        """
        wanted, others = self._wanted(keys, everything=everything)
        self._ask(wanted, keys, honours_skip_hours=not keys and not everything, limit=limit)
        if not keys and not self._stopped and self._has_outlines:
            with self._app.store.read() as tx:  # what lists have named just now: no operator waits for a second run
                before = {item.id for item in (*wanted, *others)}
                named = [
                    item for item in tx.schedule.named(None) if item.id not in before and item.attempted_at is None
                ]
            self._ask(named, [item.key for item in named], honours_skip_hours=False, limit=limit)
            wanted += named
        self._end(wanted, others)

    def _ask(
        self, wanted: list[DueItem], keys: Sequence[str] | None, *, honours_skip_hours: bool, limit: timedelta
    ) -> None:
        """Poll the given sources. With `keys`, only these sources may fetch details."""
        if not wanted and not self._app.in_force.has_details:
            return  # nothing of what sends requests is loaded
        self._total += len(wanted)
        listed = due_queue.ListedBacklog(wanted, honours_skip_hours=honours_skip_hours)
        app, named = self._app, {item.id.row for item in wanted} if keys else None
        backlog = due_queue.WithDetails(listed, app.store, app.in_force, app.clock, sources=named)
        end = self._from + limit.total_seconds()
        self._dispatcher = dispatcher.Dispatcher(app.store, app.poller, app.in_force, backlog, on_settled=self._note)
        if not self._stopped:
            bell = threading.Timer(limit.total_seconds(), self._dispatcher.wake)  # or it sleeps past the end
            bell.daemon = True
            if limit:
                bell.start()
            self._dispatcher.run(until=lambda: bool(limit) and monotonic() >= end)
            bell.cancel()

    def _end(self, wanted: Sequence[DueItem], others: Sequence[DueItem]) -> None:
        """Record which sources were left over, and do the maintenance at the end of a run."""
        left = {item.key for item in wanted if item.id not in self._polled}
        if left:
            with self._app.store.read() as tx:  # some were claimed, and put back or put off
                rests = rests_of(tx.hosts.restraints(), self._app.clock())
                self._skipped += [self._skipped_row(item, rests) for item in tx.schedule.named(left)]
        self._skipped += [self._report_of(item) for item in others]
        self.left_alone = [str(item.key) for item in others]
        with self._app.store.begin() as tx:
            self.alarms, _ = tx.alarms.note(self._app.clock())
            self.has_requests = bool(tx.corrections.pending())
            if self._stopped:  # the next run does the rest (R54)
                return
            has_lapsed = bool(tx.details.lapsed(self._app.clock(), self._app.in_force.roster.sources))
            finish = Maintenance(self._app.store, self._app.clock).begin(tx)
        if has_lapsed:
            details.end_waits(self._app.store, self._app.in_force, self._app.clock)
        finish()

    def _note(self, settled: Sequence[Settled]) -> None:
        for one in settled:
            if isinstance(one, Changes):
                self._polled.add(one.job.id)
                self._rows.append(report_of(one))
                self._has_outlines = self._has_outlines or bool(one.outlines)
            else:
                entries = one.entries
                self._details.append(
                    _Arrived(one.job.source.key, entries.new_count, entries.duplicates, entries.rejected)
                )
        self.on_polled(len(self._polled), self._total)

    def is_late(self) -> bool:
        """Return whether the run was stopped so long ago that no further work may begin (R54)."""
        return self._ends is not None and monotonic() >= self._ends

    def stop(self) -> None:
        """Start no further poll. Polls under way get a few seconds and are then cut (R54)."""
        self._stopped, self._ends = True, monotonic() + LAST_WORD
        if self._dispatcher is not None:
            self._dispatcher.stop()
        cut = threading.Timer(GRACE, self._app.poller.cut)
        cut.daemon = True
        cut.start()

    def _wanted(self, keys: Sequence[str] | None, *, everything: bool) -> tuple[list[DueItem], list[DueItem]]:
        """Return the sources to poll, and the requested ones that must not be polled yet."""
        now = self._app.clock()
        with self._app.store.read() if keys else self._app.store.begin() as tx:
            if not keys:
                tx.store_row.note_run(now)
            if not keys and not everything:
                count = len(self._app.in_force.settings.sources)
                due = tx.schedule.due(now, limit=count, per_host=count, early=True)
                self.none_due = "" if due else _none_due(*tx.schedule.next_turn(), now)
                return due, []
            named = tx.schedule.named(keys or None)
        wanted: list[DueItem] = []
        others: list[DueItem] = []
        for item in named:
            source = self._app.in_force.roster.sources[item.key]
            may = source.own_machine or may_ask_again(now, item.attempted_at, item.retry_until)
            (wanted if may else others).append(item)
        return wanted, others

    def rows(self) -> list[Report]:
        """Return the reports of all sources that were polled or skipped, sorted by key."""
        polled = [self._with_details(row) for row in self._rows]
        return sorted(polled + self._skipped, key=lambda row: row.key)

    def report(self, published: Sequence[str], posts: Sequence[str] = ()) -> dict[str, object]:
        """Return the record of `poll --json`."""
        rows = self.rows()
        count = Counter(row.outcome for row in rows)
        return {
            "version": 1,
            "started": rfc3339(self._started),
            "seconds": round(monotonic() - self._from, 3),
            "sources": len(rows),
            "not_modified": count[Outcome.NOT_MODIFIED],
            "fetched": count[Outcome.FETCHED] + count[Outcome.MOVED],
            "failed": count[Outcome.FAILED] + count[Outcome.GONE],
            "skipped": count[Outcome.SKIPPED],
            "new": sum(one.new for part in (self._rows, self._details) for one in part),
            "revised": sum(row.revised for row in rows),
            "duplicates": sum(row.duplicates for row in rows),
            "rejected": sum(row.rejected for row in rows),
            "withdrawn": sum(row.withdrawn for row in rows),
            "published": list(published),
            "posts": list(posts),
            "resting": [
                {**(rest_record(rest) or {}), "sources": sources}
                for rest, sources in Counter(row.rest for row in rows if row.rest is not None).most_common()
            ],
            "results": [_row(row) for row in rows],
        }

    def names(self) -> dict[SourceKey, str]:
        """Return what sources are called in the report: title, key and line of feeds.yaml; empty if it names none."""
        if not (self.alarms or self.left_alone or self._skipped or any(row.code for row in self._rows)):
            return {}
        sources = self._app.in_force.roster.sources
        with self._app.store.read() as tx:
            titles = tx.sources.titles()
        return {
            key: called(name_of_source(source, titles.get(key)), key, source.line) for key, source in sources.items()
        }

    def _with_details(self, row: Report) -> Report:
        """Add entries whose detail arrived in this run to the counts of their sources."""
        done = [one for one in self._details if one.key == row.key]
        return replace(
            row,
            new=row.new + sum(one.new for one in done),
            duplicates=row.duplicates + sum(one.duplicates for one in done),
            rejected=row.rejected + sum(one.rejected for one in done),
        )

    def _skipped_row(self, item: DueItem, rests: Mapping[str, Rest]) -> Report:
        row = replace(self._report_of(item), rest=rests.get(item.host_key))
        if self._dispatcher is not None and self._dispatcher.is_unreached(item):
            return replace(
                row, code="network_down", error="so many hosts are unreachable that the network must be down"
            )
        return row

    def _report_of(self, item: DueItem) -> Report:
        url = self._app.in_force.roster.sources[item.key].safe_url
        return Report(key=item.key, url=url, outcome=Outcome.SKIPPED, next_due=item.due_at)


def report_of(change: Changes) -> Report:
    """Return the row of one poll."""
    move, entries = change.update, change.entries
    return Report(
        key=change.job.source.key,
        url=change.job.source.safe_url,
        outcome=move.outcome,
        status=move.status,
        new=entries.new_count,
        revised=entries.revisions,
        duplicates=entries.duplicates,
        rejected=entries.rejected,
        withdrawn=len(entries.stories.withdrawn),
        code=move.code,
        error=move.error,
        next_due=move.due_at,
    )


def in_words(
    report: Mapping[str, object],
    left_alone: Sequence[str] = (),
    none_due: str = "",
    *,
    names: Mapping[SourceKey, str] | None = None,
    alarms: Sequence[Alarm] = (),
) -> str:
    """Return the report of `poll --json` in lines, with the reasons why sources were not polled.

    Args:
        report: a record of `poll --json`.
        left_alone: keys of sources that must not be polled yet.
        none_due: why no source is due; empty if some are.
        names: names of sources by key.
        alarms: alarms raised by this run.
    """
    names = names or {}
    lines = [
        "{polled}: {fetched} fetched, {not_modified} not modified, {failed} failed, {skipped} skipped; "
        "{entries}, {revised} revised, {duplicates} of them copies, {rejected} rejected.".format(
            polled=counted(int(str(report["sources"])), "source"),
            entries=counted(int(str(report["new"])), "new entry", "new entries"),
            **report,
        )
    ]
    results = report["results"]
    assert isinstance(results, list)
    failed = [row for row in results if row["error"]]
    for same in grouped(failed, lambda row: row["error"].partition(":")[0]):
        lines += folded(
            [f"  {names.get(row['key'], row['key'])}: {row['error']}" for row in same],
            lambda line: [line],
            f"  {same[0]['error'].partition(':')[0]}: and {{}}; `{EVERYTHING}` lists all",
        )
    resting = report["resting"]
    assert isinstance(resting, list)
    for each in resting:
        rest = Rest(
            host=each["host"], until=datetime.fromisoformat(each["until"]), source=each["source"], status=each["status"]
        )
        lines.append(f"  {counted(each['sources'], 'source')} not polled: {rest_in_words(rest, names)}")
    lines += alarm_lines(alarms, names, EVERYTHING)
    if none_due:
        lines.append(f"  {none_due}")
    if left_alone:
        named = ", ".join(names.get(SourceKey(key), key) for key in left_alone[:NAMED])
        named += ", …" if len(left_alone) > NAMED else ""
        lines.append(
            f"  not polled, because they were polled in the last five minutes or their host asked for a pause: {named}"
        )
    published = report["published"]
    assert isinstance(published, list)
    posts = report["posts"]
    assert isinstance(posts, list)
    written = [counted(len(published), "file")] * bool(published) + [counted(len(posts), "post")] * bool(posts)
    lines.append(f"{' and '.join(written)} written." if written else "No file changed.")
    return "\n".join(lines)


def _none_due(count: int, when: datetime | None, now: datetime) -> str:
    """Return the message that no source is due, with the number of sources and the next due time."""
    if when is None:
        return "there is no source to poll: feeds.yaml has none, or all are paused"
    none = f"none of {count} sources is due" if count > 1 else "the source is not due"
    return f"{none}; the next {ahead_in_words(when, now)}; `aggregator poll --all` polls now"


def _row(row: Report) -> dict[str, object]:
    return {
        "key": row.key,
        "url": row.url,
        "outcome": row.outcome.value,
        "status": row.status,
        "new": row.new,
        "revised": row.revised,
        "duplicates": row.duplicates,
        "rejected": row.rejected,
        "error": f"{row.code}: {row.error}" if row.code else None,
        "next_due": rfc3339(row.next_due),
        "host_rests": rest_record(row.rest),
    }
