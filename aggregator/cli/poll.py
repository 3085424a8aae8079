"""`aggregator poll`: ask what is due, publish what changed, end. For cron and CI schedules (R55)."""

import argparse
import json
import logging
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from difflib import get_close_matches
from time import monotonic

from aggregator.cadence import may_ask_again
from aggregator.cli.open import opened_world
from aggregator.dispatcher import Dispatcher, ListedBacklog
from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.model.changes import Changes
from aggregator.model.poll import Due, Outcome, Report
from aggregator.model.settings import Kind
from aggregator.publish.publisher import Published
from aggregator.store.sources import Waiting
from aggregator.urls import BadUrl, normalise
from aggregator.world import World

LEVEL = logging.WARNING
POLLED = (Kind.FEED, Kind.FILE)  # the others are not built yet
GRACE = 5.0  # seconds that polls under way get when we are told to stop (R54)
UNITS = {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Poll once; report on stdout."""
    limit = _limit_of(options.limit)
    if limit is None:
        print(f"aggregator: --for {options.limit}: not a duration; write 10m, 90s or 0", file=sys.stderr)
        return 2
    with opened_world(options, environ) as world:
        keys, unknown = _keys_of(options.keys, world)
        for name in unknown:
            near = get_close_matches(name, world.roster.sources, 1)
            hint = f"; did you mean {near[0]}?" if near else "; see the keys in `aggregator poll --json`"
            print(f"aggregator: no source {name} in {options.config}{hint}", file=sys.stderr)
        if unknown:
            return 2
        shot = OneShot(world)
        with _stopping(shot) as signals:
            shot.poll(keys, everything=options.all, limit=limit)
            unpublished, published = "", Published(changed=())
            try:
                published = world.publish()
                if published.failed:
                    unpublished = "could not be written: " + ", ".join(published.failed)
            except StrangerInTheWay as error:
                unpublished, published = str(error), Published(changed=error.changed)
            except PublishError as error:
                unpublished = str(error)
        report = shot.report(published.changed)
    print(json.dumps(report, ensure_ascii=False) if options.json else in_words(report))
    if unpublished:
        print(f"aggregator: {unpublished}", file=sys.stderr)
        return 3
    if signals:
        return 128 + signals[0]
    return 1 if options.strict and report["failed"] else 0


class OneShot:
    """One run over a fixed list of sources."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._started, self._from = world.clock(), monotonic()
        self._changes: list[Changes] = []
        self._skipped: list[Waiting] = []
        self._dispatcher: Dispatcher | None = None
        self._stopped = False

    def poll(self, keys: Sequence[str] | None, *, everything: bool, limit: timedelta) -> None:
        """Poll what is due, or these, or all, for at most `limit` (0: as long as it takes).

        Raises:
            StoreError: our side failed.
        """
        backlog = ListedBacklog(self._wanted(keys, everything=everything))
        end = self._from + limit.total_seconds()
        self._dispatcher = Dispatcher(self._world, backlog, on_settled=self._changes.extend)
        if not self._stopped:
            self._dispatcher.run(until=lambda: bool(limit) and monotonic() >= end)
        self._skipped += backlog.left
        self._skipped += [_waiting(due) for due in self._dispatcher.unserved]

    def stop(self) -> None:
        """Ask nobody any more; polls under way get a few seconds and are then cut (R54)."""
        self._stopped = True
        if self._dispatcher is not None:
            self._dispatcher.stop()
        cut = threading.Timer(GRACE, self._world.cut)
        cut.daemon = True
        cut.start()

    def _wanted(self, keys: Sequence[str] | None, *, everything: bool) -> list[Waiting]:
        now = self._world.clock()
        with self._world.store.read() as tx:
            if not keys and not everything:
                count = len(self._world.settings.sources)
                return tx.due(now, limit=count, per_host=count, early=True)
            named = tx.named(keys or None)
        wanted: list[Waiting] = []
        for item in named:
            source = self._world.roster.sources[item.key]
            may = source.allow_private or may_ask_again(now, item.attempted_at, item.retry_until)
            may &= source.reading.kind in POLLED
            (wanted if may else self._skipped).append(item)
        return wanted

    def report(self, published: Sequence[str]) -> dict[str, object]:
        """Give the shape of `poll --json` (DESIGN 3.2)."""
        rows = [report_of(change) for change in self._changes]
        rows += [self._skipped_row(item) for item in self._skipped]
        rows.sort(key=lambda row: row.key)
        count = Counter(row.outcome for row in rows)
        return {
            "version": 1,
            "started": _time(self._started),
            "seconds": round(monotonic() - self._from, 3),
            "sources": len(rows),
            "not_modified": count[Outcome.NOT_MODIFIED],
            "fetched": count[Outcome.FETCHED] + count[Outcome.MOVED],
            "failed": count[Outcome.FAILED] + count[Outcome.GONE],
            "skipped": count[Outcome.SKIPPED],
            "new": sum(row.new for row in rows),
            "revised": sum(row.revised for row in rows),
            "duplicates": sum(row.duplicates for row in rows),
            "rejected": sum(row.rejected for row in rows),
            "withdrawn": sum(row.withdrawn for row in rows),
            "published": list(published),
            "results": [_row(row) for row in rows],
        }

    def _skipped_row(self, item: Waiting) -> Report:
        url = self._world.roster.sources[item.key].safe_url
        return Report(key=item.key, url=url, outcome=Outcome.SKIPPED, next_due=item.due_at)


def _waiting(due: Due) -> Waiting:
    """Give a source whose claim was undone: it is due as it was."""
    return Waiting(id=due.id, key=due.source.key, url=due.url, host_key=due.host_key, due_at=due.due_at)


def report_of(change: Changes) -> Report:
    """Give the row of one poll."""
    move, entries = change.move, change.entries
    return Report(
        key=change.due.source.key,
        url=change.due.source.safe_url,
        outcome=move.outcome,
        status=move.status,
        new=entries.fresh,
        revised=len(entries.revised),
        duplicates=entries.duplicates,
        rejected=entries.rejected,
        code=move.code,
        error=move.error,
        next_due=move.due_at,
    )


def in_words(report: Mapping[str, object]) -> str:
    """Say in a few lines what `poll --json` says in full."""
    lines = [
        "{sources} sources: {fetched} fetched, {not_modified} not modified, {failed} failed, {skipped} skipped; "
        "{new} new entries, {revised} revised, {duplicates} of them copies, {rejected} rejected.".format(**report)
    ]
    results = report["results"]
    assert isinstance(results, list)
    lines += [f"  {row['key']}: {row['error']}" for row in results if row["error"]]
    published = report["published"]
    assert isinstance(published, list)
    lines.append(f"{len(published)} files written." if published else "No file changed.")
    return "\n".join(lines)


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
        "next_due": _time(row.next_due) if row.next_due else None,
    }


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _keys_of(names: Sequence[str], world: World) -> tuple[list[str], list[str]]:
    """Turn keys and URLs into keys; give those that name no source apart."""
    by_url = {source.url: source.key for source in world.settings.sources}
    keys: list[str] = []
    unknown: list[str] = []
    for name in names:
        try:
            key = name if name in world.roster.sources else by_url.get(normalise(name))
        except BadUrl:
            key = None
        (unknown if key is None else keys).append(name if key is None else key)
    return keys, unknown


def _limit_of(text: str) -> timedelta | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|)", text.strip(), re.ASCII)
    return timedelta(seconds=float(match[1]) * UNITS[match[2]]) if match else None


@contextmanager
def _stopping(shot: OneShot) -> Iterator[list[int]]:
    """Stop cleanly at the first SIGTERM or SIGINT; a second one ends the process at once (R54)."""
    caught: list[int] = []

    def stop(number: int, frame: object) -> None:
        caught.append(number)
        signal.signal(number, signal.SIG_DFL)
        # In a thread of its own: the main thread may have been interrupted inside the very lock that this needs.
        threading.Thread(target=shot.stop, name="stop", daemon=True).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
