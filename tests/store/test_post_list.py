"""The list of posts."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from aggregator.app import App
from aggregator.store.alarms import failed_posts
from aggregator.store.post_list import ExportRow, PostRow
from aggregator.store.schema import post, publication
from tests.fake_source import FakeSource, said
from tests.rows import connected, rows
from tests.sample_site import START, SampleSite

A = PostRow(folder="site/_posts", name="2026-Ä.md", story=1, category=1, digest="a", fault=None)
B = PostRow(folder="site/_archive", name="b.md", story=2, category=1, digest=None, fault=None)
C = PostRow(folder="site/_posts", name="c.md", story=3, category=1, digest="c", fault="no title")


@pytest.fixture
def app(sample_site: SampleSite) -> Iterator[App]:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    with sample_site.opened() as app:
        FakeSource(app).says("a", *(said(n, own_id=f"urn:example:{n}") for n in range(3)))
        yield app


def test_how_far_the_export_has_come(app: App) -> None:
    with app.store.begin() as tx:
        assert tx.posts.export_row() == ExportRow(generation=0, look=None, names=None)
        tx.posts.mark_exported(ExportRow(generation=7, look="x", names="{title}"))
        assert tx.posts.export_row() == ExportRow(generation=7, look="x", names="{title}")


def test_posts_are_listed_replaced_and_forgotten(app: App) -> None:
    with app.store.begin() as tx:
        posts = tx.posts
        posts.keep([], START)
        posts.keep([A, B, C], START)
        assert posts.of([1, 2, 3]) == [B, A, C], "by folder and name"
        assert posts.of([2]) == [B]
        assert posts.of([]) == []
        assert posts.unfinished() == {2, 3}
        assert (posts.has_any("site/_posts"), posts.has_any("site/_archive"), posts.has_any("_posts")) == (
            *(True, False, False),
        )
        changed = PostRow(folder=C.folder, name=C.name, story=2, category=1, digest="d", fault=None)
        posts.keep([changed], START)
        assert posts.of([2, 3]) == [B, changed]
        posts.forget([(B.folder, B.name), (A.folder, "other")])
        assert posts.of([1, 2]) == [A, changed]
        posts.forget([])
    assert {row.written_at for row in rows(app.store, select(post.c.written_at))} == {START}


def test_names_are_compared_in_lower_case_in_all_folders(app: App) -> None:
    elsewhere = PostRow(folder="other", name="2026-ä.md", story=2, category=1, digest=None, fault=None)
    with app.store.begin() as tx:
        tx.posts.keep([A, elsewhere, C], START)
        assert tx.posts.bearers(["2026-Ä.MD", "none.md"]) == {"2026-ä.md": {(1, 1), (2, 1)}}
        assert tx.posts.bearers([]) == {}


def test_faults_are_counted_and_the_first_is_named(app: App) -> None:
    with app.store.begin() as tx:
        tx.posts.keep([A], START)
    with connected(app.store) as connection:
        assert failed_posts(connection) == (0, "")
    other = PostRow(folder="x", name="x.md", story=2, category=1, digest=None, fault="a fault")
    with app.store.begin() as tx:
        tx.posts.keep([C, other], START)
    with connected(app.store) as connection:
        assert failed_posts(connection) == (2, "a fault")


def test_older_stories_move_to_the_archive_once_and_come_back(app: App) -> None:
    later = START + timedelta(days=1)

    def archived() -> int:
        return len(rows(app.store, select(publication.c.story_id).where(publication.c.cooled_at.is_not(None))))

    with app.store.begin() as tx:
        newest = max(row.sort_at for row in rows(app.store, select(publication.c.sort_at)))
        assert tx.posts.cool(before=START - timedelta(days=1), now=later) == 0
        assert tx.posts.cool(before=newest + timedelta(days=1), now=later) == 3
        assert tx.posts.cool(before=newest + timedelta(days=1), now=later) == 0
    assert archived() == 3
    with app.store.begin() as tx:
        tx.posts.warm(since=newest + timedelta(days=1))
    assert archived() == 3
    with app.store.begin() as tx:
        tx.posts.warm(since=newest)
    assert archived() < 3
    with app.store.begin() as tx:
        tx.posts.warm(since=None)
    assert archived() == 0
