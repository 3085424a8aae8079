"""Generations of categories: a change during a rendering leaves the category dirty (invariant 6)."""

from datetime import timedelta
from pathlib import Path

from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite


def test_a_page_that_was_rendered_is_not_rendered_again_for_what_came_meanwhile(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(
        "publish: {entries: 10, archive_page: 10, formats: [atom]}\n"
        "sources: [{key: a, url: 'https://a.example/', initial: 5000}]\n"
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        entries = [said(n, published=START - timedelta(hours=n)) for n in range(40)]
        fake_source.says("a", *entries)
        app.publisher.publish()
        entries[35] = said(35, title="Corrected on a page", published=entries[35].published)
        fake_source.says("a", *entries)
        with app.store.read() as tx:
            (row,) = tx.categories.rows()
        assert row.dirty_pages == (1,)
        entries[25] = said(25, title="Corrected on another", published=entries[25].published)
        fake_source.says("a", *entries)  # while the first correction is being rendered
        with app.store.begin() as tx:
            tx.categories.mark_rendered(row, row.look or "", site.clock())
        with app.store.read() as tx:
            (row,) = tx.categories.rows()
        assert row.dirty_pages == (2,), "the first page is done, the second is not"
        assert row.dirty != row.rendered
