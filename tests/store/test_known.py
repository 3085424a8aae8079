"""What is looked up for a document: texts, stories and publications only of what it may change or join."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from aggregator.app import App
from aggregator.identify.keys import identify
from aggregator.model.entry import NO_NEWS, Entry
from aggregator.model.known import Known
from tests.fake_source import FakeSource, numbered, said
from tests.sample_site import START, SampleSite


@pytest.fixture
def app(sample_site: SampleSite) -> Iterator[App]:
    keys = ("a", "b")
    sample_site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/'}}\n" for key in keys))
    with sample_site.opened() as app:
        yield app


def known_of(app: App, *entries: Entry, deleted: tuple[str, ...] = ()) -> Known:
    job = FakeSource(app).claim("a")
    feed = identify(replace(NO_NEWS, entries=numbered(entries), deleted=tuple((ref, None) for ref in deleted)))
    with app.store.read() as tx:
        return tx.known(job, feed, app.clock())


def test_of_entries_that_stay_the_same_no_texts_and_stories_are_looked_up(app: App) -> None:
    entries = [said(number, published=START) for number in range(3)]
    FakeSource(app).says("a", *entries)
    known = known_of(app, *entries, said("new"))
    assert len(known.entries) == 3
    assert (known.changing, known.stories, known.others) == ({}, {}, {})


def test_a_revision_is_looked_up_with_its_text_and_its_story(app: App) -> None:
    FakeSource(app).says("a", said(1), said(2))
    known = known_of(app, said(1), said(2, text="<p>Other words, and as many of them as there were.</p>"))
    (before,) = known.changing.values()
    assert before.content == said(2).content
    assert list(known.stories) == [before.story]


def test_an_earlier_date_is_a_change_and_a_later_one_is_none(app: App) -> None:
    FakeSource(app).says("a", said(1, published=START), said(2, published=START))
    earlier, later = START.replace(hour=1), START.replace(hour=13)
    known = known_of(app, said(1, published=earlier), said(2, published=later))
    assert [before.title for before in known.changing.values()] == ["Title 1"]


def test_a_withdrawn_entry_that_is_listed_again_is_looked_up_with_all_copies(app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said(1, own_id="urn:isbn:1"))
    fake_source.says("b", said(1))
    fake_source.says("a", deleted=(("urn:isbn:1", START),))
    (copies,) = known_of(app, said(1, own_id="urn:isbn:1")).copies.values()
    assert len(copies) == 2
    (gone,) = known_of(app, deleted=("urn:isbn:1",)).deleted.values()
    assert gone.content == said(1).content


def test_t2_a_source_that_tells_its_own_story_twice_joins_neither_it_nor_its_copies(app: App) -> None:
    """The entry that it told first stays the same, so its story is looked up only where another source tells it."""
    fake_source = FakeSource(app)
    link = "https://news.example/one"
    fake_source.says("a", said(1, link=link))
    fake_source.says("b", said(1, link=link))
    changes = fake_source.says("a", said(1, link=link), said(1, own_id="again", link=link))
    assert (len(changes.entries.stories.new), changes.entries.duplicates) == (1, 0)
    alone = fake_source.says("a", said(2), said(2, own_id="once more"))
    again = fake_source.says("a", said(2), said(2, own_id="once more"), said(2, own_id="for the third time"))
    assert (alone.entries.duplicates, len(again.entries.stories.new)) == (0, 1)
