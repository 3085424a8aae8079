"""The stored bodies of a source: only those that changed something, only the last few, and without secrets."""

import random
from pathlib import Path

import pytest

from aggregator.dry_run.replay import NothingToReplay, Replay, stored_versions
from aggregator.model.settings import SourceKey
from aggregator.store import history
from aggregator.store.history import StoredBody
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite, item, rss

KEY = SourceKey("a")


def kept(site: SampleSite) -> list[StoredBody]:
    with site.opened() as app, app.store.read() as tx:
        return tx.bodies.of(KEY)


def feeds(site: SampleSite, url: str, more: str = "") -> None:
    site.writes(f"sources: [{{key: a, url: '{url}'{more}}}]")


def test_a_body_that_changed_something_is_kept(sample_site: SampleSite, publisher: FeedServer) -> None:
    first, second = rss(item(1)), rss(item(2), item(1))
    again = rss(item(2), item(1), title="Another title for the feed, and the same entries")
    replies = [Reply(200, document, {"Content-Type": "text/xml"}) for document in (first, first, second, again)]
    feeds(sample_site, publisher.says("/feed", *replies))
    for _ in replies:
        sample_site.poll()
        sample_site.clock.move(hours=2)
    found = kept(sample_site)
    assert [one.data for one in found] == [first, second], "the same again, and nothing new in it: not"
    assert [one.headers["content-type"] for one in found] == ["text/xml", "text/xml"]


def test_only_the_newest_stay(sample_site: SampleSite, publisher: FeedServer) -> None:
    documents = [rss(*(item(n) for n in range(count))) for count in range(1, history.BODIES_KEPT + 4)]
    feeds(sample_site, publisher.says("/feed", *(Reply(200, document) for document in documents)))
    for _ in documents:
        sample_site.poll()
        sample_site.clock.move(hours=2)
    assert [one.data for one in kept(sample_site)] == documents[-history.BODIES_KEPT :]


def test_of_each_hour_only_the_first_body_that_changed_something_is_kept(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    documents = [rss(*(item(n) for n in range(count))) for count in (1, 2, 2, 3, 4)]
    feeds(sample_site, publisher.says("/feed", *(Reply(200, document) for document in documents)))
    sample_site.clock.move(minutes=20)
    for minutes in (10, 20, 20, 10, 10):  # polls at :20, :30, :50, :10, :20
        assert sample_site.poll()["failed"] == 0
        sample_site.clock.move(minutes=minutes)
    assert [one.data for one in kept(sample_site)] == [documents[0], documents[3]]


def test_one_that_was_odd_is_kept_whenever_it_came(sample_site: SampleSite, publisher: FeedServer) -> None:
    second = rss(item(2, title="Caf\xe9"), item(1)).replace(b"\xc3\xa9", b"\xe9")  # not the UTF-8 that it declares
    documents = [rss(item(1)), second]
    feeds(sample_site, publisher.says("/feed", *(Reply(200, document) for document in documents)))
    for _ in documents:
        assert sample_site.poll()["new"] == 1
        sample_site.clock.move(minutes=5)
    assert [one.data for one in kept(sample_site)] == documents


def test_one_that_stays_large_is_not_kept(sample_site: SampleSite, publisher: FeedServer) -> None:
    noise = random.Random(1).randbytes(100_000).hex()
    feeds(sample_site, publisher.says("/feed", Reply(200, rss(item(1, description=noise)))))
    assert sample_site.poll()["new"] == 1
    assert kept(sample_site) == []


def test_s44_it_is_kept_without_what_it_echoes_of_our_secrets(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.environ["TOKEN"] = "sekrettoken-0123456789"
    echo = rss(item(1, description="You asked with sekrettoken-0123456789, and here is what it says at some length."))
    feeds(sample_site, publisher.says("/feed", Reply(200, echo)), ", headers: {Authorization: '${TOKEN}'}")
    sample_site.poll()
    (one,) = kept(sample_site)
    assert b"You asked with" in one.data
    assert b"sekrettoken" not in one.data


def test_what_is_kept_can_be_replayed_under_other_rules(sample_site: SampleSite, publisher: FeedServer) -> None:
    documents = [rss(item(1)), rss(item(2, title="Spam"), item(1))]
    url = publisher.says("/feed", *(Reply(200, document) for document in documents))
    feeds(sample_site, url)
    for _ in documents:
        sample_site.poll()
        sample_site.clock.move(hours=2)
    feeds(sample_site, url, ", exclude: [{title: Spam}]")
    with sample_site.opened() as app:
        versions = stored_versions(app.store, KEY)
        settings = app.in_force.settings
    with Replay(settings, versions) as replay:
        steps = list(replay.steps())
    assert [{kind: len(found) for kind, found in step.found.items()} for step in steps] == [{"new": 1}, {"rejected": 1}]


def test_a_source_that_brought_nothing_has_none(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    feeds(site, "https://a.example/")
    with site.opened() as app, pytest.raises(NothingToReplay, match="no body of a is stored"):
        stored_versions(app.store, KEY)
