"""The feed of alarms: an entry for each alarm, updated when it is over, at a path that nothing links to."""

import feedparser

from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

PATH = "private/alarms-k4x9.atom"
YAML = (
    "site: {{title: Our planet}}\n{}publish: {{formats: [atom, html]}}\n"
    "sources: [{{key: a, url: 'https://a.example/', title: The a}}]\n"
)


def published(site: SampleSite) -> None:
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.alarms.note(site.clock())
        app.publisher.publish()


def test_an_alarm_is_an_entry_that_its_end_updates(sample_site: SampleSite) -> None:
    site = sample_site
    site.writes(YAML.format(f"alarms: {{feed: {PATH}}}\n"))
    with site.opened() as app:
        FakeSource(app).says("a", said(1))
    published(site)
    feed = feedparser.parse(site.published(PATH))
    assert (feed.bozo, feed.feed.title, feed.entries) == (False, "Alarms of Our planet", [])
    for _ in range(4):
        site.clock.move(days=2)
        with site.opened() as app:
            FakeSource(app).fails("a", "dns")
    published(site)
    (begun,) = feedparser.parse(site.published(PATH)).entries
    assert begun.title == "dead: The a"
    assert "no success since 2026-03-04" in begun.summary
    assert begun.published == begun.updated
    first = site.published(PATH)
    with site.opened() as app:
        app.publisher.publish(everything=True)
    assert site.published(PATH) == first, "byte for byte"
    site.clock.move(hours=1)
    with site.opened() as app:
        FakeSource(app).unchanged(["a"])
    published(site)
    (over,) = (one for one in feedparser.parse(site.published(PATH)).entries if "lag" not in one.title)
    assert (over.id, over.title) == (begun.id, "Over: dead: The a")
    assert over.updated == "2026-03-12T13:00:00Z" > over.published
    others = b"".join(data for path, (data, *_) in site.files().items() if not path.startswith("private/"))
    assert b"k4x9" not in others


def test_the_feed_is_removed_with_its_key_and_moves_with_its_path(sample_site: SampleSite) -> None:
    site = sample_site
    site.writes(YAML.format(f"alarms: {{feed: {PATH}}}\n"))
    published(site)
    assert PATH in site.files()
    site.writes(YAML.format("alarms: {feed: other.atom}\n"))
    published(site)
    assert {path for path in site.files() if path in (PATH, "other.atom")} == {"other.atom"}
    site.writes(YAML.format(""))
    published(site)
    assert "other.atom" not in site.files()
