"""Readings with and without a window, compared: of one document after another, and of whole histories in two stores."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aggregator.app import App
from aggregator.errors import ParseError
from aggregator.identify.keys import key_form
from aggregator.model.ask import Ask
from aggregator.model.entry import Digest, Entry, Feed, KeyRule
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.model.window import FIELDS, Item, form_of, pack, state_of
from aggregator.poll.pipeline import gather, settle
from aggregator.reader.reading import read, read_new
from aggregator.urls import normalise_link
from tests.sample_site import START, SampleSite

ITEM = re.compile(rb"<(item|entry)[\s>].*?</\1>", re.DOTALL)
OF_READING = ("window", "read_whole")  # columns that say how a document was read, and nothing of what it said


def fetched(body: bytes, **said: Any) -> Fetched:
    """Return a body as if it had been fetched."""
    facts: dict[str, Any] = {"asked_at": START, "url": normalise_link("https://news.example/feed"), "etag": '"x"'}
    digest = Digest(sha256(body).hexdigest())
    return Fetched(**(facts | {"body": body, "body_digest": digest, "content_type": "application/xml"} | said))


def ask(window: bytes | None, reading: Reading | None = None) -> Ask:
    """Return the request for a feed whose source has a window; `b""` for one that was never read."""
    url = normalise_link("https://news.example/feed")
    return Ask(url=url, configured=url, host_key="news.example", reading=reading or Reading(), window=window)


def read_with(window: bytes | None, answer: Fetched, reading: Reading | None = None) -> Feed:
    """Read a body as a poll does."""
    request = ask(window, reading)
    return read_new(answer, request, lambda body: read(body, request.reading))


def said_of(entry: Entry) -> tuple[object, ...]:
    """Return what a window and the store keep of an entry that did not change."""
    has = (entry.link, entry.title, entry.published or entry.updated, entry.summary or entry.content)
    return key_form(entry.key), entry.id, entry.digest, entry.published, entry.updated, tuple(map(bool, has))


def window_of(feed: Feed) -> bytes | None:
    """Return the window after a document, all of whose entries were stored; None if there is none."""
    if not feed.listing.context:
        return None
    return pack(feed.listing.context, [_item(feed, entry) for entry in feed.entries])


def _item(feed: Feed, entry: Entry) -> Item:
    *_, has = said_of(entry)
    bits = sum(one << place for place, one in enumerate(has)) if isinstance(has, tuple) else 0
    mark, form = feed.listing.marks[entry.position], form_of(key_form(entry.key))
    return Item(
        mark,
        form,
        state_of(entry.digest, entry.published, entry.updated),
        entry.position + 1,
        bits,
        entry.key_rule is KeyRule.LINK,
    )


@lru_cache(maxsize=8)
def _first(answer: Fetched, reading: Reading | None) -> Feed:
    return read_with(b"", answer, reading)


@lru_cache(maxsize=8)
def _whole(answer: Fetched, reading: Reading) -> Feed:
    return read(answer, reading)


def compare(before: Fetched, after: Fetched, reading: Reading | None = None) -> str:
    """Read a document after another one, with what is known of that, and check it against a full reading.

    Returns:
        Why it was read whole; empty if items were cut out.
    """
    try:
        first = _first(before, reading)
    except ParseError:
        return "error"
    window = window_of(first)
    if window is None:
        return f"no window: {first.listing.whole}"
    stored = {entry.position + 1: entry for entry in first.entries}
    try:
        whole = _whole(after, reading or Reading())
    except ParseError as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            read_with(window, after, reading)
        return "error"
    part = read_with(window, after, reading)
    for each in fields(Feed):
        if each.name not in ("entries", "listing"):
            assert getattr(part, each.name) == getattr(whole, each.name), each.name
    if part.listing.whole:
        assert part.entries == whole.entries
        return part.listing.whole
    seen = {place: stored[item.entry] for place, item in part.listing.seen}
    full = {entry.position: entry for entry in whole.entries}
    assert {entry.position: entry for entry in part.entries} == {
        place: entry for place, entry in full.items() if place not in seen
    }
    assert {place: said_of(entry) for place, entry in seen.items()} == {
        place: said_of(entry) for place, entry in full.items() if place in seen
    }
    had = {name for entry in seen.values() for name, one in zip(FIELDS, said_of(entry)[-1], strict=True) if one}  # type: ignore[call-overload]
    assert part.listing.fields == had
    return ""


class Edits:
    """A document and the versions of it that a publisher may serve next; each is a list of pieces."""

    def __init__(self, body: bytes) -> None:
        places = [0, *(at for match in ITEM.finditer(body) for at in match.span()), len(body)]
        pieces = [body[start:end] for start, end in pairwise(places)]
        self.items = pieces[1::2]
        self.gaps = pieces[::2]

    def of(self, items: Sequence[bytes]) -> bytes:
        """Return the document with other items."""
        gap = self.gaps[1] if len(self.gaps) > 2 else b""
        return self.gaps[0] + gap.join(items) + self.gaps[-1]

    def versions(self) -> dict[str, tuple[bytes, bytes]]:
        """Return pairs of a document and a later one, by what happened in between; none of one without items."""
        if not self.items:
            return {}
        items, all_of_it = self.items, self.of(self.items)
        made = {
            "none": (all_of_it, all_of_it.replace(b"<channel>", b"<channel>\n", 1)),
            "one": (self.of(items[1:]), all_of_it),
            "three": (self.of(items[3:]), all_of_it),
            "window": (self.of(items[1:]), self.of(items[:-1])),
            "removed": (all_of_it, self.of([*items[:1], *items[2:]])),
            "reordered": (all_of_it, self.of(items[::-1])),
            "duplicate": (self.of(items[1:]), self.of([items[-1], *items])),
            "twice": (self.of(items[1:]), self.of([items[0], *items])),
            "edited": (all_of_it, self.of([_edited(items[0]), *items[1:]])),
            "root": (self.of(items[1:]), re.sub(rb"<(rss|feed|rdf:RDF)\b", rb'<\1 xml:lang="qq"', all_of_it, count=1)),
            "link": (self.of(items[1:]), self.of(items).replace(b"://", b"://other.", 1)),
            "cut": (self.of(items[1:]), all_of_it[: -len(all_of_it) // 5]),
            "comment": (self.of(items[1:]), self.of([*items[:1], b"<!--", *items[1:], b"-->"])),
            "cdata": (self.of(items[1:]), self.of([*items[:1], b"<![CDATA[", *items[1:], b"]]>"])),
            "nested": (self.of(items[1:]), self.of([*items[:1], b"<x>", *items[1:], b"</x>"])),
            "doctype": (self.of(items[1:]), re.sub(rb"<(rss|feed|rdf:RDF)\b", rb"<!DOCTYPE x><\1", all_of_it, count=1)),
        }
        return {name: pair for name, pair in made.items() if pair[0] != pair[1]}


def _edited(item: bytes) -> bytes:
    return re.sub(rb"(<title[^>]*>(?:<!\[CDATA\[)?)", rb"\1Edited: ", item, count=1)


class Newsroom:
    """A site of one source, whose documents are given; with windows, or read whole each time."""

    def __init__(self, folder: Path, *, delta: bool) -> None:
        self.site, self._delta = SampleSite(folder), delta
        self.cuts = 0
        self.reasons: list[str] = []

    def polls(self, app: App, answer: Fetched) -> None:
        """Poll the source; it answers with a document."""
        with app.store.begin() as tx:
            (waiting,) = tx.schedule.named(["news"])
            (job,) = tx.claims.claim([waiting], app.clock(), app.in_force.roster.sources)
        if not self._delta:
            job = replace(job, window=None)
        answer = replace(
            answer, asked_at=app.clock(), body_bytes=len(answer.body), same_body=answer.body_digest == job.body_digest
        )
        poll = gather(job, replace(app.poller.ports, fetch=lambda _: answer))
        self.cuts += bool(poll.feed.listing.seen)
        self.reasons.append(poll.feed.listing.whole)
        settle([poll], app.poller.ports)

    def goes_through(self, answers: Sequence[Fetched]) -> None:
        """Poll all documents, an hour apart, and publish after each second one."""
        with self.site.opened() as app:
            for number, answer in enumerate(answers):
                self.polls(app, answer)
                if number % 2:
                    app.publisher.publish()
                self.site.clock.move(hours=1)
            app.publisher.publish()

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of all tables, less how documents were read."""
        tables = self.site.tables()
        for row in tables["source"]:
            for name in OF_READING:
                del row[name]
        return tables


def tell_twice(folder: Path, yaml: str, answers: Sequence[Fetched]) -> Newsroom:
    """Poll a history twice, with windows and without, and check that stores and files are equal.

    Args:
        folder: an empty one.
        yaml: a feeds.yaml with one source, `news`.
        answers: its documents.
    """
    short, long = Newsroom(folder / "short", delta=True), Newsroom(folder / "long", delta=False)
    short.site.folder.mkdir()
    short.site.writes(yaml)
    with short.site.opened():
        pass
    shutil.copytree(short.site.folder, long.site.folder)
    for room in (short, long):
        room.goes_through(answers)
    ours, theirs = short.tables(), long.tables()
    for name, table in theirs.items():
        assert ours[name] == table, name
    assert short.site.outputs() == long.site.outputs()
    assert not long.cuts
    return short
