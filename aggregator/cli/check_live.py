"""`check --live`: fetches each source once and reports it, as JSON or sentences."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aggregator.cli.preview.record import hints_record
from aggregator.cli.terminal import called, counted, printable
from aggregator.clock import Clock, rfc3339
from aggregator.config.lists import with_lists
from aggregator.dry_run.advice import Advice, advise, dates_of, same_address
from aggregator.dry_run.probe import Past, Prober, past_of, why_not_now
from aggregator.errors import NotAFeed, StoreError
from aggregator.model.entry import Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.naming import name_of_source
from aggregator.model.poll import Cut, Failed, Fetched
from aggregator.model.settings import Settings, Source
from aggregator.model.tokens import led_address
from aggregator.parse.discovery import best_first
from aggregator.poll.secrecy import private_redactor_of
from aggregator.text.durations import span_in_words
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

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the row of each source for `check --live --json`: first those not fetched, then in order of answers."""
        asked: list[Gathered[SourceJob]] = []
        yield from self._rows_of(self._sources, asked)
        if self._follows and not self._trials.stopped:
            lists = {poll.job.source.key: poll.feed.outlines for poll in asked if poll.feed.outlines}
            written = [source for source in self._settings.sources if source.listed_by is None]
            named = with_lists(replace(self._settings, sources=tuple(written)), lists).sources[len(written) :]
            known = {source.key for source in self._settings.sources}
            yield from self._rows_of([source for source in named if source.key not in known], asked)

    def _rows_of(self, sources: Sequence[Source], asked: list[Gathered[SourceJob]]) -> Iterator[dict[str, Any]]:
        """Yield a row for each source, and add its poll to `asked`."""
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
            asked.append(poll)
            if isinstance(poll.answer, Cut):
                yield _row(poll.job.source, skipped=NO_ROOM)
            else:
                yield self._row_of(poll, asked)
        for source in left.values():
            yield _row(source, skipped=STOPPED if self._trials.stopped else _not_asked(source, asked))

    def stop(self) -> None:
        """Start no further fetch. May be called from another thread."""
        self._trials.stop()

    def close(self) -> None:
        """Close connections and reader processes."""
        self._trials.close()

    def _row_of(self, poll: Gathered[SourceJob], asked: Sequence[Gathered[SourceJob]]) -> dict[str, Any]:
        secrets, source, answer = self._settings.secrets, poll.job.source, poll.answer
        advice = advise(poll, self._clock(), secrets=secrets)
        if twin := same_address(asked).get(source.key):
            advice = (*advice, twin)

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


# In words ------------------------------------------------------------------------------------------------------------


def in_words(row: Mapping[str, Any]) -> str:
    """Return the lines for one row: the feed, what needs attention, and what is unusual but harmless."""
    if row["outcome"] == "skipped":
        return printable(f"skipped  {called(row['name'], row['key'], row['line'])}: {row['reason']}")
    word = "failed" if row["outcome"] == "failed" else "look" if row["advice"] else "ok"
    lines = [f"{word:8} {called(row['name'], row['key'], row['line'])}: {', '.join(_facts(row))}"]
    lines += [f"           redirect {hop['status']} from {hop['url']}" for hop in row["redirects"]]
    if row["redirects"] and row["ended_at"]:
        lines.append(f"           ends at {row['ended_at']}")
    for advice in row["advice"]:
        lines.append(f"         ! {advice['code']}: {advice['text']}")
        if advice["write"]:
            lines.append(f"           → write {', '.join(f'{key}: {value}' for key, value in advice['write'].items())}")
    lines += [f"           it names {feed['url']} {_named(feed)}".rstrip() for feed in row["feeds"]]
    told = tuple(advice["text"] for advice in row["advice"])
    lines += [f"         · {notice}" for notice in row["notices"] if not notice.startswith(told)]
    return printable("\n".join(lines))


def summary_in_words(counts: Mapping[str, Any]) -> str:
    """Return the summary: how many sources were checked and how many need attention."""
    found = counts["found"]
    needs = "needs" if found == 1 else "need"
    state = f"{found} {needs} attention" if found else "nothing is wrong"
    return f"Checked {counts['asked']} of {counted(counts['sources'], 'source')}; {state}."


def _facts(row: Mapping[str, Any]) -> Iterator[str]:
    if row["status"]:
        yield f"HTTP {row['status']}"
    if row["format"]:
        yield f"{row['format']}"
        yield row["encoding"]
        entries = row["entries"]
        if row["listed"] is None:
            yield counted(entries["count"], "entry", "entries")
        else:
            yield f"{counted(row['listed'], 'feed')} named"
        for name, word in (("without_date", "date"), ("without_id", "id"), ("without_title", "title")):
            if entries[name]:
                yield f"{entries[name]} without {word}"
    if row["newest"]:
        yield f"newest {_age(row['newest_age_s'])}"
    wishes = row["hints"] or {}
    for name, word in (("ttl_s", "ttl"), ("max_age_s", "max-age"), ("retry_after_s", "no request for")):
        if wishes.get(name):
            yield f"{word} {span_in_words(timedelta(seconds=wishes[name]))}"
    if row["outcome"] == "fetched" and row["status"] and not row["conditional"]:
        yield "no ETag or Last-Modified"
    yield f"{row['bytes']:,} bytes in {row['ms']} ms"


def _age(seconds: int) -> str:
    """Return an age, rounded."""
    if seconds < 0:
        return "ahead of now"
    unit, size = next(((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60)) if seconds >= 2 * s), ("min", 60))
    return f"{seconds // size} {unit} ago"


def _named(feed: Mapping[str, Any]) -> str:
    return f"({', '.join(filter(None, (feed['format'], feed['title'])))})" if feed["format"] or feed["title"] else ""
