"""Categories that had left feeds.yaml before the state was lost, and pages of a service (A44; docs/decisions/0118)."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.cli import main
from aggregator.config import load_config
from aggregator.poll.maintenance import REMOVED, Maintenance
from aggregator.restore.restore import read_site, restore
from tests.feed_server import FeedServer
from tests.rows import change
from tests.sample_site import SampleSite, item, rss, shows_states


class Site:
    """A site with two categories, each of one source."""

    def __init__(self, sample_site: SampleSite, publisher: FeedServer) -> None:
        self.sample_site = sample_site
        urls = [publisher.serve(f"/{key}", rss(item(key), title=key)) for key in ("one", "two")]
        self.sources = [
            f"  - {{key: {k}, url: '{u}', category: {k}}}\n" for k, u in zip(("one", "two"), urls, strict=True)
        ]
        self.writes("", *self.sources)
        sample_site.poll()

    def writes(self, categories: str, *sources: str) -> None:
        self.sample_site.writes(f"{categories}sources:\n{''.join(sources)}")

    def removes_two(self) -> None:
        self.writes("", self.sources[0])
        self.sample_site.clock.move(hours=1)
        self.sample_site.poll()

    def restores(self) -> None:
        shutil.rmtree(self.sample_site.folder / "var")
        settings = load_config(self.sample_site.folder / "feeds.yaml", {})
        app = restore(
            read_site("public", settings, self.sample_site.clock, folder=self.sample_site.folder),
            settings,
            self.sample_site.clock,
        )
        try:
            assert app.publisher.publish(everything=True, take_over=True).failed == ()
        finally:
            app.close()

    def outputs(self) -> dict[str, bytes]:
        """Return every output but those that show how the sources are doing."""
        root = self.sample_site.folder / "public"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not shows_states(path)
        }

    def status(self) -> int:
        return main(["-c", str(self.sample_site.folder / "feeds.yaml"), "status"], {})


@pytest.fixture
def site(sample_site: SampleSite, publisher: FeedServer) -> Site:
    return Site(sample_site, publisher)


def test_a44_a_removed_category_stays_gone_and_keeps_its_pages(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.removes_two()
    before = site.outputs()
    assert b"\ncategory/two.atom\n" in before["gone.txt"]
    site.restores()
    assert site.outputs() == before
    assert site.status() == 0
    assert "category/two: left feeds.yaml 2026-03-04; its files stay" in capsys.readouterr().out
    site.sample_site.poll()
    assert site.outputs() == before


def test_a44_a_removed_category_answers_410_for_90_days_after_the_restore_and_404_from_then_on(site: Site) -> None:
    site.removes_two()
    site.restores()
    for wait, answer in (
        (REMOVED - timedelta(days=1), b"\ncategory/two.atom\n"),
        (timedelta(days=2), b"404=category/two.atom"),
    ):
        site.sample_site.clock.now += wait
        with site.sample_site.opened() as app:
            Maintenance(app.store, app.clock).end_tombstones()
            app.publisher.publish()
        assert answer in site.outputs()["gone.txt"]
    before = site.outputs()
    site.restores()
    assert site.outputs() == before, "what answered 404 is not gone once more"


def test_a_category_removed_since_the_last_publication_is_gone_after_the_restore(site: Site) -> None:
    site.writes("", site.sources[0])
    before = site.outputs()
    site.restores()
    after = site.outputs()
    assert b"\ncategory/two.atom\n" in after["gone.txt"]
    assert {path for path in before if path.startswith("entry/")} <= after.keys()


def test_n4_an_unlisted_category_that_was_removed_is_told_to_nobody(site: Site) -> None:
    site.writes("categories: {two: {unlisted: true}}\n", *site.sources)
    site.sample_site.poll()
    site.removes_two()
    before = site.outputs()
    site.restores()
    assert site.outputs() == before
    assert not any(b"category/two" in data for path, data in before.items() if not path.startswith("category/two"))


def test_status_answers_for_a_store_whose_removed_category_has_no_date(site: Site) -> None:
    """`restore --from-site` of earlier versions left none."""
    site.removes_two()
    change(site.sample_site.folder, "UPDATE category SET removed_at = NULL WHERE NOT active")
    with site.sample_site.opened():
        pass
    assert site.status() == 0


def test_pages_of_a_service_keep_their_search_link_after_a_restore_from_the_site(site: Site) -> None:
    with site.sample_site.opened("serve") as app:
        with app.store.begin() as tx:
            tx.store_row.note_serving(app.clock())
        app.publisher.publish()
    before = site.outputs()
    assert b'href="search"' in before["index.html"]
    site.restores()
    assert site.outputs() == before
    site.sample_site.clock.move(hours=1)
    site.sample_site.poll()
    assert site.outputs() == before
    site.sample_site.clock.move(days=8)
    site.sample_site.poll()
    assert b'href="search"' not in site.outputs()["index.html"], "no service has run for a week"


def test_pages_of_a_service_keep_their_search_link_after_a_backup_of_before(site: Site, tmp_path: Path) -> None:
    with site.sample_site.opened() as app:
        app.store.back_up(tmp_path / "copy.db")
    with site.sample_site.opened("serve") as app:
        with app.store.begin() as tx:
            tx.store_row.note_serving(app.clock())
        app.publisher.publish()
    before = site.outputs()
    shutil.rmtree(site.sample_site.folder / "var")
    assert main(["-c", str(site.sample_site.folder / "feeds.yaml"), "restore", str(tmp_path / "copy.db")], {}) == 0
    assert main(["-c", str(site.sample_site.folder / "feeds.yaml"), "publish"], {}) == 0
    assert site.outputs() == before


def test_pages_that_no_service_made_get_no_search_link_by_a_restore(site: Site) -> None:
    before = site.outputs()
    site.restores()
    assert site.outputs() == before
    assert b'href="search"' not in before["index.html"]
