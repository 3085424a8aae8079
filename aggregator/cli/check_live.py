"""`check --live`: fetches each source once and makes its row, the record of `--json`."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aggregator.cli.preview.record import hints_record
from aggregator.cli.terminal import called
from aggregator.clock import Clock, rfc3339
from aggregator.config.lists import with_lists
from aggregator.dry_run.advice import Advice, advise, copies, dates_of, same_address
from aggregator.dry_run.probe import Past, Prober, past_of, why_not_now
from aggregator.errors import NotAFeed, StoreError
from aggregator.model.entry import Entry, Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.naming import name_of_source
from aggregator.model.poll import Cut, Failed, Fetched
from aggregator.model.settings import Settings, Source
from aggregator.model.tokens import led_address
from aggregator.parse.discovery import best_first
from aggregator.poll.secrecy import private_redactor_of
from aggregator.urls import Url, host_of

NOT_ASKED = "its host answered another source with 429 or 503, so it is not fetched for a while; try again later"
STOPPED = "the run was stopped"
NULLS = (
    "status error ended_at bytes ms conditional hints title format encoding charset newest newest_age_s entries listed"
).split()
NO_ROOM = "it redirects to a host that is at its limit of requests, or the network is down"


class Live:
    """Fetches sources once, without storing anything. Close it after use.

    Args:
        settings: all settings of feeds.yaml.
        clock: returns the current time.
        sources: the sources to fetch.
        follows: also fetch the feeds that OPML lists name now, once the lists have answered.
    """

    def __init__(self, settings: Settings, clock: Clock, sources: Sequence[Source], *, follows: bool = False) -> None:
        self._settings, self._clock, self._sources, self._follows = settings, clock, sources, follows
        try:
            self._past = past_of(settings, clock())
        except StoreError as error:
            print(f"aggregator: {error}; so it is unknown which sources were polled lately", file=sys.stderr)
            self._past = Past()
        self._trials = Prober(settings, clock, self._past)
        self._asked: list[Gathered[SourceJob]] = []  # with entries that have no texts

    def rows(self, progress: Callable[[int, int], None]) -> list[dict[str, Any]]:
        """Return the row of each source for `check --live --json`, in the order of lines.

        Args:
            progress: called with the numbers of sources that are done, and of all, after each.
        """
        rows: list[dict[str, Any]] = []
        total = len(self._sources)
        for row in self._rows_of(self._sources):
            rows.append(row)
            progress(len(rows), total)
        named = self._named_by_lists() if self._follows and not self._trials.stopped else []
        for row in self._rows_of(named):
            rows.append(row)
            progress(len(rows), total + len(named))
        self._compare({row["key"]: row for row in rows})
        for row in rows:
            row["kind"] = kind_of(row)
        return sorted(rows, key=lambda row: row["line"])

    def _named_by_lists(self) -> list[Source]:
        """Return the sources that OPML lists name now and that nobody knew before."""
        lists = {poll.job.source.key: poll.feed.outlines for poll in self._asked if poll.feed.outlines}
        written = [source for source in self._settings.sources if source.listed_by is None]
        named = with_lists(replace(self._settings, sources=tuple(written)), lists).sources[len(written) :]
        known = {source.key for source in self._settings.sources}
        return [source for source in named if source.key not in known]

    def _compare(self, rows: Mapping[str, dict[str, Any]]) -> None:
        """Add what only a comparison of sources shows: two at one address, and copies of a feed under another one."""
        polls = sorted(self._asked, key=lambda poll: poll.job.source.line)
        same = same_address(polls)
        found = {**copies([poll for poll in polls if poll.job.source.key not in same]), **same}
        for poll in polls:
            if advice := found.get(poll.job.source.key):
                self._add(rows[poll.job.source.key], poll, advice)

    def _add(self, row: dict[str, Any], poll: Gathered[SourceJob], advice: Advice) -> None:
        """Add one piece of advice to the row of a source."""
        said = _advice(advice)
        is_private = poll.job.source.private
        row["advice"].append(private_redactor_of(poll.job, poll.answer, poll.feed).record(said) if is_private else said)

    def _rows_of(self, sources: Sequence[Source]) -> Iterator[dict[str, Any]]:
        """Yield a row for each source: first those not fetched, then in the order of answers. Keeps their polls."""
        now = self._clock()
        wanted: list[Source] = []
        for source in sources:
            reason = "paused" if source.paused else why_not_now(source, self._past.waiting.get(source.key), now)
            if reason is None:
                wanted.append(source)
            else:
                yield _row(source, skipped=reason)
        left = {source.key: source for source in wanted}
        for poll in self._trials.run(wanted):
            del left[poll.job.source.key]
            self._asked.append(_slim(poll))
            if isinstance(poll.answer, Cut):
                yield _row(poll.job.source, skipped=NO_ROOM)
            else:
                yield self._row_of(poll)
        for source in left.values():
            yield _row(source, skipped=STOPPED if self._trials.stopped else _not_asked(source, self._asked))

    def stop(self) -> None:
        """Start no further fetch. May be called from another thread."""
        self._trials.stop()

    def close(self) -> None:
        """Close connections and reader processes."""
        self._trials.close()

    def _row_of(self, poll: Gathered[SourceJob]) -> dict[str, Any]:
        secrets, source, answer = self._settings.secrets, poll.job.source, poll.answer
        advice = advise(poll, self._clock(), secrets=secrets)

        def shown(url: Url) -> str:
            return led_address(url, secrets, private=source.private)

        failed = answer if isinstance(answer, Failed) else None
        feeds = best_first(failed.error.feeds) if failed and isinstance(failed.error, NotAFeed) else ()
        at = failed.error.url if failed and failed.error else getattr(answer, "url", poll.job.url)
        row = _row(
            source,
            outcome="failed" if failed else "fetched",
            status=None if source.path is not None else getattr(answer, "status", None),
            error=f"{failed.code}: {failed.text}" if failed else None,
            redirects=[{"status": hop.status, "url": shown(hop.url)} for hop in answer.hops],
            ended_at=None if source.safe_url is None or source.path is not None else shown(at),
            bytes=answer.wire_bytes or (answer.body_bytes if isinstance(answer, Fetched) else 0),
            ms=round(answer.seconds * 1000),
            conditional=isinstance(answer, Fetched) and bool(answer.etag or answer.last_modified),
            hints=hints_record(poll.feed.hints, answer.hints),
            feeds=[{"url": shown(feed.url), "title": feed.title, "format": feed.format or None} for feed in feeds],
            advice=[_advice(each) for each in advice],
            **({} if failed else _feed(poll.feed, self._clock())),
        )
        return private_redactor_of(poll.job, answer, poll.feed).record(row) if source.private else row


def _slim(poll: Gathered[SourceJob]) -> Gathered[SourceJob]:
    """Return a poll whose entries have no texts: those of hundreds of feeds are kept until the last has answered."""
    kept = [
        Entry(id=one.id, digest=one.digest, link=one.link, published=one.published, updated=one.updated)
        for one in poll.feed.entries
    ]
    return replace(poll, feed=replace(poll.feed, entries=tuple(kept)))


def kind_of(row: Mapping[str, Any]) -> str:
    """Return the kind of a row: its error or first finding, else `unusual`, `ok` or `skipped`."""
    if row["outcome"] == "skipped":
        return "skipped"
    if row["advice"]:
        return str(row["advice"][0]["code"])
    return "unusual" if row["notices"] else "ok"


def _not_asked(source: Source, asked: Sequence[Gathered[SourceJob]]) -> str:
    """Return why a source was not fetched: the answer of its host, and the source that received it."""
    for poll in asked:
        told, status = poll.job.source, getattr(poll.answer, "status", None)
        if status in (429, 503) and host_of(told.url) == host_of(source.url):
            said = called(name_of_source(told), told.key, told.line)
            return f"its host answered {status} to {said}, so it is not fetched for a while; try again later"
    return NOT_ASKED


def _row(source: Source, *, skipped: str | None = None, **said: Any) -> dict[str, Any]:
    """Return the row of one source. Fields that do not apply are null or empty."""
    empty: dict[str, Any] = dict.fromkeys(NULLS)
    empty |= {"redirects": [], "notices": [], "feeds": [], "advice": []}
    name = name_of_source(source, said.get("title"))
    named: dict[str, Any] = {"key": source.key, "name": name, "url": source.safe_url}
    named |= {"line": source.line, "listed_by": source.listed_by}
    return named | {"outcome": "skipped", "reason": skipped} | empty | said


def _feed(feed: Feed, now: datetime) -> dict[str, Any]:
    dates = dates_of(feed)
    return {
        "title": feed.title,
        "format": feed.format,
        "encoding": feed.encoding,
        "charset": {
            "by": feed.charset.step.value,
            "against": list(feed.charset.against),
            "lossy": feed.charset.lossy,
            "mixed": feed.charset.mixed,
        },
        "newest": rfc3339(dates[-1]) if dates else None,
        "newest_age_s": round((now - dates[-1]).total_seconds()) if dates else None,
        "entries": {
            "count": len(feed.entries),
            "without_date": len(feed.entries) - len(dates),
            "without_id": sum(entry.id is None for entry in feed.entries),
            "without_title": sum(not entry.title for entry in feed.entries),
            "left_out": len(feed.left_out),
        },
        "listed": len(feed.outlines) if feed.format == "opml" else None,
        "notices": list(feed.notices),
    }


def _advice(advice: Advice) -> dict[str, Any]:
    return {"code": advice.code, "text": advice.text, "write": dict(advice.write)}
