"""Queries for documents when a story is in more than one category."""

from dataclasses import replace

from tests.fake_source import FakeSource, said
from tests.rows import change
from tests.sample_site import SampleSite

TWO = """sources:
  - {url: 'https://a.example/feed', key: a, category: x}
  - {url: 'https://b.example/feed', key: b, category: y}
"""


def test_t2_each_category_credits_the_copies_that_it_does_not_show(sample_site: SampleSite) -> None:
    sample_site.writes(TWO)
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1, link="https://a.example/1"))
        sample_site.clock.move(minutes=5)
        fake_source.says("b", said(1, link="https://b.example/1"))
        with app.store.read() as tx:
            placed = [one.publication for one in tx.publications.of_stories([1])]
            newest = [found for some in tx.documents.newest_of_each([1, 2], 5, fair=True).values() for found in some]
    for found in (placed, newest):
        assert [(p.category, p.source, [c.source for c in p.credits]) for p in found] == [
            ("x", "a", ["b"]),
            ("y", "b", ["a"]),
        ]


def test_the_newest_of_each_are_in_order_and_no_more_than_asked_for(sample_site: SampleSite) -> None:
    sample_site.writes(TWO)
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        for number in range(7):
            sample_site.clock.move(minutes=5)
            fake_source.says("a", said(number))
        with app.store.read() as tx:
            newest = tx.documents.newest_of_each([1, 2], 5, fair=False)
    assert [p.title for p in newest[1]] == [f"Title {number}" for number in (6, 5, 4, 3, 2)]
    assert newest.keys() == {1}


def test_texts_of_the_main_document_are_those_that_stand_there(sample_site: SampleSite) -> None:
    sample_site.writes(TWO)
    with sample_site.opened() as app:
        FakeSource(app).says("a", *(replace(said(number), summary=f"<p>{number}</p>") for number in (1, 2, 3)))
        FakeSource(app).says("b", said(4))
        change(app.store, "UPDATE publication SET page = 1 WHERE story_id = 2")
        change(app.store, "UPDATE publication SET withdrawn_at = 1 WHERE story_id = 3")
        with app.store.read() as tx:
            assert list(tx.documents.main_texts(1)) == [(1, "<p>1</p>", said(1).content)]
