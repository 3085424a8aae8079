"""Sentences of `preview`: the feed, its notices, and what would become of each entry."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.cli.terminal import printable
from aggregator.text.durations import span_in_words

EXCERPT = 160  # characters of a text
STATES = {
    "new": "NEW",
    "revised": "REVISED",
    "known": "known",
    "rejected": "REJECTED",
    "beyond_initial": "not shown",
    "waiting": "waiting",
}
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def in_words(record: Mapping[str, Any], timezone: str) -> str:
    """Return a preview as text.

    Args:
        record: a record of `preview --json`.
        timezone: IANA name of the time zone for dates.
    """
    zone = ZoneInfo(timezone)
    lines = [*_head(record), *_feed(record, zone)]
    for number, entry in enumerate(record["entries"], 1):
        lines += ["", *_entry(number, entry, zone)]
    return printable("\n".join(lines))


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    source, feed = record["source"], record["feed"]
    yield feed["title"] or source["key"]
    address = source["url"] or "a local file, or an address that is kept private"
    yield f"  {address}  ({source['key']}{'' if source['known'] else ', never polled'})"
    status = f"HTTP {record['status']}, " if record["status"] else ""
    yield f"  {record['outcome']}: {status}{record['bytes']:,} bytes in {record['ms']} ms"
    if record["error"]:
        yield f"  {record['error']}"


def _feed(record: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    feed = record["feed"]
    if not feed["format"]:
        return
    facts = [feed["format"], feed["encoding"], feed["language"] or "no language", feed["link"] or "no page of its own"]
    yield "  " + " · ".join(facts)
    for notice in feed["notices"]:
        yield f"  ! {notice}"
    for name in feed["left_out"]:
        yield f"  ! left out: {name}"
    wishes = list(_wishes(feed["hints"]))
    if wishes:
        yield "  asks for: " + ", ".join(wishes)
    yield f"  next poll: {_when(record['next_due'], zone)}"
    counts = [(record[state], word) for state, word in STATES.items() if record.get(state)]
    said = ", ".join(f"{count} {word.lower()}" for count, word in counts) or "none"
    copies = record["duplicates"]
    joined = f"; {copies} of the new {'joins a known story' if copies == 1 else 'join known stories'}" if copies else ""
    number = len(record["entries"])
    yield f"  {number} {'entry' if number == 1 else 'entries'}: {said}{joined}"


def _wishes(hints: Mapping[str, Any]) -> Iterator[str]:
    for name, word in (
        ("retry_after_s", "no request for"),
        ("max_age_s", "max-age"),
        ("ttl_s", "ttl"),
        ("syndication_s", "one poll in"),
    ):
        if hints[name]:
            yield f"{word} {span_in_words(timedelta(seconds=hints[name]))}"
    if hints["skip_hours"]:
        yield f"no polls at {', '.join(f'{hour:02}' for hour in hints['skip_hours'])} h UTC"
    if hints["skip_days"]:
        yield f"no polls on {', '.join(DAYS[day] for day in hints['skip_days'])}"


def _entry(number: int, entry: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    when = entry["published"] or entry["updated"]
    date = _when(when, zone) if when else "no date"
    written = entry["written"]
    as_written = f'  (written "{written}")' if written and written != when else ""
    yield f"{number:3}  {STATES.get(entry['state'], entry['state']):9}  {date}{as_written}"
    yield f"     {entry['title']}"
    if entry["link"]:
        yield f"     {entry['link']}"
    by = [f"by {', '.join(entry['authors'])}"] if entry["authors"] else []
    by += [f"tags: {', '.join(entry['tags'])}"] if entry["tags"] else []
    by += [f"files: {', '.join(entry['files'])}"] if entry["files"] else []
    for line in by:
        yield f"     {line}"
    text = " ".join(entry["text"].split())
    if text and text != entry["title"]:
        yield f"     {text[:EXCERPT]}{'…' if len(text) > EXCERPT else ''}"
    if entry["rule"]:
        yield f"     → held back by {entry['rule']}"
    for kept in entry["kept_out"]:
        yield f"     → kept out of {kept['category']} by {kept['rule']}"
    if entry["joins"]:
        story = entry["joins"]
        told = f"“{story['title']}” of {story['source']} (story {story['story']})"
        yield f"     → joins {told}, by {_told(story['evidence'])}"
    if entry["state"] == "new":
        yield f"     → {', '.join(entry['categories'])}"


def _told(evidence: object) -> str:
    """Return what two entries have in common."""
    if isinstance(evidence, Mapping):
        return ", ".join(f"{name} {value}" for name, value in evidence.items())
    return str(evidence)


def _when(text: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
