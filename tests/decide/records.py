"""Records for pure tests of decisions: an entry, a source and its job as the store would have them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.decide.draft import Draft
from aggregator.model.entry import Digest, Entry, EntryKey, Origin
from aggregator.model.job import Claim, Health, SourceJob
from aggregator.model.known import EntryState, Known, KnownCategory, KnownEntry
from aggregator.model.poll import State
from aggregator.model.settings import Category, CategoryKey, Roster, Source, SourceKey
from aggregator.urls import Url

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UUID = "00000000-0000-4000-8000-000000000000"
FEED = Url("https://news.example/feed")
SOURCE = Source(key=SourceKey("news"), url=FEED, categories=(CategoryKey("x"),))
ORIGIN = Origin(id="https://news.example/", title="News")


def known_entry(number: int = 1, **fields: Any) -> KnownEntry:
    """Return a stored entry of source 1, published in category 1."""
    plain = KnownEntry(
        id=number,
        source=1,
        source_key=SOURCE.key,
        source_host="news.example",
        key=f"k{number}",
        form=f"f{number}",
        own_id=None,
        digest=Digest(f"1:{number}"),
        shown_digest=Digest(f"1:{number}"),
        id_hash=None,
        text_digest=None,
        match_link=None,
        title=f"Title {number}",
        link=None,
        summary="",
        content="text",
        published=None,
        updated=None,
        first_seen=NOON,
        undated=0,
        state=EntryState.PUBLISHED,
        story=100 + number,
        taken_back_at=None,
        merged_from=None,
        categories=(1,),
        credited=False,
        private=False,
    )
    return replace(plain, **fields)


def entry(key: str = "k", **fields: Any) -> Entry:
    """Return an entry as a document brings it."""
    return replace(Entry(key=EntryKey(key), title="T", content="<p>c</p>", text="c"), **fields)


def job(**fields: Any) -> SourceJob:
    """Return the job of a source that was polled before."""
    plain = SourceJob(
        source=SOURCE,
        source_id=1,
        url=FEED,
        host_key="news.example",
        claim=Claim(due_at=NOON),
        health=Health(state=State.OK),
        stored_before=True,
    )
    return replace(plain, **fields)


def categories(*keys: str) -> dict[CategoryKey, KnownCategory]:
    """Return stored categories, numbered from 1."""
    return {
        CategoryKey(key): KnownCategory(id=number, key=CategoryKey(key), slug=key)
        for number, key in enumerate(keys, start=1)
    }


def roster(*sources: Source, **settings: Any) -> Roster:
    """Return a roster of some sources with the categories x and y; `settings` are those of x."""
    both = (
        Category(key=CategoryKey("x"), title="X", **settings),
        Category(key=CategoryKey("y"), title="Y"),
    )
    return Roster({one.key: one for one in sources or (SOURCE,)}, {one.key: one for one in both})


def draft(known: Known | None = None, **fields: Any) -> Draft:
    """Return an empty draft of source 1 at noon."""
    plain: dict[str, Any] = {
        "source": SOURCE,
        "source_id": 1,
        "url": FEED,
        "observed": job().observed,
        "stored_before": True,
        "asked_at": NOON,
        "known": known or Known(store_uuid=UUID, categories=categories("x", "y")),
        "roster": roster(),
        "origin": ORIGIN,
    }
    return Draft(**(plain | fields))
