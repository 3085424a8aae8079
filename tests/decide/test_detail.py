"""Details of entries: when they are tried again, and what they add."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.decide.detail import complete, merged, retry
from aggregator.model.entry import NO_NEWS, Digest, Feed, Person, Tag
from aggregator.model.event import Code
from aggregator.model.job import Awaited, Claim, DetailJob, Gathered
from aggregator.model.known import EntryState, Known
from aggregator.model.poll import Answer, Failed, Fetched
from aggregator.model.settings import Reading, Request, Rule
from aggregator.urls import Url
from tests.decide.records import DAY, FEED, HOUR, MINUTE, NOON, ORIGIN, SOURCE, UUID, categories, entry, roster

ARTICLE = Reading(is_article=True)


def poll(
    answer: Answer | None = None, feed: Feed = NO_NEWS, *, waited: timedelta = HOUR, **fields: Any
) -> Gathered[DetailJob]:
    awaited = Awaited(id=7, link=None, date=NOON - HOUR, backfill=False, since=NOON - waited)
    plain = DetailJob(
        source=SOURCE,
        source_id=1,
        awaited=awaited,
        url=FEED,
        host_key="news.example",
        request=Request(),
        reading=Reading(),
        claim=Claim(due_at=NOON),
    )
    return Gathered(replace(plain, **fields), answer or fetched(), feed)


def fetched() -> Fetched:
    return Fetched(asked_at=NOON, url=FEED, body=b"", body_digest=Digest("d"))


def failed(code: str = "timeout") -> Failed:
    return Failed(asked_at=NOON, code=code, text="it failed")


@pytest.mark.parametrize(
    ("failures", "wait"),
    [(0, 5 * MINUTE), (1, 10 * MINUTE), (5, 160 * MINUTE), (6, 4 * HOUR), (99, 4 * HOUR)],
)
def test_how_long_an_entry_waits_on(failures: int, wait: timedelta) -> None:
    found = retry(poll(failed(), failures=failures))
    assert found is not None
    assert found.retry_at == NOON + wait
    assert (found.code, found.error, found.all_of_host, found.answered) == ("timeout", "it failed", True, False)
    (event,) = found.entries.events
    assert (event.code, event.source, event.entry) == (Code.RETRY_DETAIL, 1, 7)
    said = (NOON + wait).isoformat("T", "seconds")
    assert event.facts == {"code": "timeout", "error": "it failed", "next": said}


def test_it_never_waits_longer_than_a_day() -> None:
    found = retry(poll(failed(), waited=DAY - MINUTE))
    assert found is not None
    assert found.retry_at == NOON + MINUTE
    assert retry(poll(failed(), waited=DAY)) is None


@pytest.mark.parametrize("code", ["not_found", "gone", "not_a_feed", "unreadable", "empty", "too_large", "short"])
def test_a_fault_of_one_detail_delays_no_other(code: str) -> None:
    found = retry(poll(failed(code)))
    assert found is not None
    assert not found.all_of_host


def test_a_response_without_an_entry() -> None:
    found = retry(poll())
    assert found is not None
    assert (found.code, found.error, found.all_of_host) == ("empty", "there is no entry in it", False)
    named = retry(poll(feed=Feed(left_out=("a", "b"))))
    assert named is not None
    assert named.error == "a; b"
    assert retry(poll(feed=Feed(entries=(entry(),)))) is None


@pytest.mark.parametrize("code", ["forbidden", "auth", "gone", "not_a_feed", "unreadable", "too_large", "refused"])
def test_an_article_that_will_never_come_is_not_waited_for(code: str) -> None:
    assert retry(poll(failed(code), reading=ARTICLE)) is None
    assert retry(poll(failed("timeout"), reading=ARTICLE)) is not None
    assert retry(poll(reading=ARTICLE)) is None


def test_what_a_detail_adds() -> None:
    listed = entry(title="T", link=Url("https://e.org/1"), summary="s", content="c", text="c", published=NOON)
    bare = entry(title="", link=None, summary="", content="", text="", published=None)
    assert merged(listed, poll()) is listed
    kept = merged(listed, poll(feed=Feed(entries=(bare,))))
    assert replace(kept, digest=listed.digest, text_digest=None) == listed
    full = entry(
        title="D",
        link=Url("https://e.org/2"),
        summary="ds",
        content="dc",
        text="dc",
        authors=(Person(name="A"),),
        tags=(Tag(term="t"),),
        published=NOON - HOUR,
        updated=NOON,
        language="de",
    )
    found = merged(listed, poll(feed=Feed(entries=(full,))))
    assert (found.title, found.link, found.summary, found.content, found.text) == ("D", full.link, "ds", "dc", "dc")
    assert (found.authors, found.tags, found.published, found.updated) == (full.authors, full.tags, NOON - HOUR, NOON)
    assert (found.language, found.key) == ("de", listed.key)
    assert found.digest != listed.digest
    later = merged(listed, poll(feed=Feed(entries=(replace(full, published=NOON + HOUR),))))
    assert later.published == NOON
    assert merged(replace(listed, language="en"), poll(feed=Feed(entries=(full,)))).language == "en"
    only = merged(replace(listed, text="own"), poll(feed=Feed(entries=(replace(bare, text="their"),))))
    assert only.text == "own"


KNOWN = Known(store_uuid=UUID, next_entry=50, next_story=60, categories=categories("x", "y"))


def completed(answer: Answer | None = None, feed: Feed = NO_NEWS, **fields: Any) -> Any:
    return complete(poll(answer, feed, **fields), entry(), entry(), KNOWN, roster(), ORIGIN)


def test_an_entry_is_published_with_or_without_its_detail() -> None:
    found = completed(feed=Feed(entries=(entry(),)))
    (released,) = found.entries.released
    assert (released.id, released.state, released.story, released.categories) == (7, EntryState.PUBLISHED, 60, (1,))
    assert [(made.story, made.category, made.shown) for made in found.entries.stories.publications] == [(60, 1, 7)]
    assert [made.id for made in found.entries.stories.new] == [60]
    assert [one.id for one in found.entries.completed] == [7]
    assert found.answered
    assert found.entries.events[0].facts == {"because": "its detail came"}
    assert (
        completed(feed=Feed(entries=(entry(),)), reading=ARTICLE).entries.events[0].facts["because"]
        == "its article came"
    )
    assert completed(failed()).entries.events[0].facts["because"] == "it failed"
    assert completed().entries.events[0].facts["because"] == "its detail is empty"
    assert completed(feed=Feed(left_out=("x",)), reading=ARTICLE).entries.events[0].facts["because"] == "x"
    assert not completed().answered


def test_an_entry_that_its_rules_reject_now() -> None:
    no = replace(SOURCE, exclude=(Rule(patterns=(("title", "T"),)),))
    found = completed(source=no)
    (released,) = found.entries.released
    assert (released.state, released.story) == (EntryState.REJECTED, None)
    assert [event.code for event in found.entries.events] == [Code.COMPLETE_ENTRY, Code.REJECT_ENTRY]
