"""Texts for the full-text index, and what a search shows to operators and to the public."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.entry import Person, Tag
from aggregator.model.known import EntryState
from aggregator.store.search import EntryText, Find
from tests.fake_source import FakeSource, said
from tests.rows import change, rows
from tests.sample_site import START, SampleSite

YAML = """
categories: {hidden: {unlisted: true}}
sources:
  - {key: a, url: 'https://a.example/', category: [x, y]}
  - {key: b, url: 'https://b.example/', category: [x, z]}
  - {key: own, url: 'https://own.example/', category: x, private: true}
  - {key: c, url: 'https://c.example/', category: hidden}
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Yield an app with the entries 1 and 2 of a, 3 of b (a copy of 1), 4 of the private source and 5, unlisted."""
    site = SampleSite(tmp_path)
    site.writes(YAML)
    with site.opened() as app:
        first = said(1, published=START - timedelta(days=1))
        FakeSource(app).says("a", first, said(2, updated=START - timedelta(days=2)))
        FakeSource(app).says("b", first)
        FakeSource(app).says("own", said(4))
        FakeSource(app).says("c", said(5))
        yield app


def test_an_operator_sees_which_copy_each_category_shows(app: App) -> None:
    with app.store.read() as tx:
        found = tx.search.finds([1, 2, 3])
    assert [(find.entry, find.story, find.source, find.title, find.categories, find.shown_by) for find in found] == [
        (3, 1, "b", "Title 1", ("z",), None),
        (2, 2, "a", "Title 2", ("x", "y"), None),
        (1, 1, "a", "Title 1", ("x", "y"), None),
    ]
    assert found[2] == Find(
        entry=1, story=1, state=EntryState.PUBLISHED, source=found[2].source, title="Title 1", link=said(1).link,
        published=START - timedelta(days=1), first_seen=START, categories=found[2].categories,
    )  # fmt: skip
    assert found[1].published == START - timedelta(days=2), "`updated`, without a date of its own"
    change(app.store, "UPDATE publication SET shown_id = 1 WHERE story_id = 1")
    change(app.store, "UPDATE publication SET withdrawn_at = 1 WHERE category_id = 2")
    with app.store.read() as tx:
        [hidden] = tx.search.finds([3])
    keys = dict(rows(app.store, "SELECT id, key FROM category"))
    assert hidden.categories == tuple(sorted({"x", "y", "z"} - {keys[2]}))
    assert hidden.shown_by == 1


def test_the_public_finds_what_it_may_read(app: App) -> None:
    def found() -> list[tuple[str, str]]:
        with app.store.read() as tx:
            return [(p.title, p.category) for p in tx.search.public_finds([1, 2, 4, 5])]

    every = found()
    assert sorted(every) == [("Title 1", "x"), ("Title 1", "y"), ("Title 2", "x"), ("Title 2", "y")]
    assert [title for title, _ in every] == ["Title 2"] * 2 + ["Title 1"] * 2
    change(app.store, "UPDATE publication SET withdrawn_at = 1 WHERE story_id = 2")
    assert sorted(found()) == [("Title 1", "x"), ("Title 1", "y")]


def test_texts_for_the_index(app: App) -> None:
    tags = (Tag(term="t", label="Label"), Tag(term="u"))
    written = replace(said(6), summary="<p>Summary</p>", authors=(Person(name="Ada"),), tags=tags)
    FakeSource(app).says("c", written, said(5))
    [(last,)] = rows(app.store, "SELECT max(id) FROM entry")
    change(app.store, "UPDATE entry SET digest = '1:a', shown_digest = NULL WHERE id = :id", id=last)
    with app.store.read() as tx:
        assert [text.id for text in tx.search.texts_after(0, 2)] == [1, 2]
        [text] = tx.search.texts_after(last - 1, 9)
        assert [one.id for one in tx.search.texts_of_stories([1])] == [1, 3]
        marks = tx.search.newest_marks()
    assert text == EntryText(
        id=last, digest="1:a", title="Title 6", body=f"<p>Summary</p>\n{said(6).content}", names=("Ada", "Label", "u")
    )
    assert marks == (last, rows(app.store, "SELECT dirty FROM store")[0][0])
    change(app.store, "UPDATE entry SET shown_digest = '1:b', summary = '' WHERE id = :id", id=last)
    with app.store.read() as tx:
        [text] = tx.search.texts_after(last - 1, 9)
        assert tx.search.texts_thinned(0) == ([], 0)
    assert (text.digest, text.body) == ("1:b", said(6).content)


def test_texts_that_were_removed_come_generation_by_generation(app: App) -> None:
    for number, generation in ((1, 7), (2, 7), (3, 9)):
        change(app.store, "UPDATE entry SET thinned = :gone WHERE id = :id", gone=generation, id=number)

    def thinned(after: int) -> tuple[list[int], int]:
        with app.store.read() as tx:
            found, generation = tx.search.texts_thinned(after)
        assert all(text.digest.endswith(" without its text") for text in found)
        return [text.id for text in found], generation

    assert [thinned(after) for after in (0, 6, 7, 9)] == [([1, 2], 7), ([1, 2], 7), ([3], 9), ([], 9)]


def test_a_store_without_entries_has_no_last_one(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    with site.opened() as app, app.store.read() as tx:
        assert tx.search.newest_marks()[0] == 0
