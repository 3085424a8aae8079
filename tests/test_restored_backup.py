"""A backup that is older than the outputs: what was published after it is taken in from them."""

import shutil
from pathlib import Path

import pytest
from lxml import etree

from aggregator.cli import main
from aggregator.poll.corrections import run_pending_requests
from tests.feed_server import FeedServer
from tests.sample_site import SampleSite, item, rss, shows_states

SHAPE = "site: {base_url: 'https://planet.example/'}\npublish: {entries: 10, archive_page: 10}\n"


class Site:
    """A site with two sources, which a backup was made of before more came."""

    def __init__(self, sample_site: SampleSite, publisher: FeedServer) -> None:
        self.sample_site, self.publisher = sample_site, publisher
        self.items = [item(n, guid=f"urn:example:{n}") for n in range(25)]  # none has a date
        self.serve("/a", *reversed(self.items))
        self.serve("/b", item("b1", guid="urn:example:b1"))
        self.writes()
        self.poll()
        self.copy = sample_site.folder / "copy.db"
        with sample_site.opened() as app:
            app.store.back_up(self.copy)

    def writes(self, more: str = "") -> None:
        a, b = (self.publisher.url(path) for path in ("/a", "/b"))
        self.sample_site.writes(
            f"{SHAPE}sources:\n  - {{key: a, url: '{a}', category: [news, other], initial: 40}}\n"
            f"  - {{key: b, url: '{b}', category: news}}\n{more}"
        )

    def serve(self, path: str, *items: dict[str, str]) -> str:
        return self.publisher.serve(path, rss(*items, title=path))

    def poll(self, *, days: int = 0) -> dict[str, object]:
        self.sample_site.clock.move(hours=1, days=days)
        report = self.sample_site.poll()
        assert report["failed"] == 0
        return report

    def restores(self) -> None:
        shutil.rmtree(self.sample_site.folder / "var")
        for command in (["restore", str(self.copy)], ["publish"]):
            assert main(["-q", "-c", str(self.sample_site.folder / "feeds.yaml"), *command], {}) == 0

    def outputs(self) -> dict[str, bytes]:
        """Return every output but those that show how the sources are doing."""
        root = self.sample_site.folder / "public"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not shows_states(path)
        }

    def goes_on(self, *, revised: int = 0) -> None:
        """Restore, and see that nothing has changed, nor does by the next poll."""
        before = self.outputs()
        self.restores()
        after = self.outputs()
        assert [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)] == []
        report = self.poll()
        assert (report["new"], report["revised"], report["withdrawn"]) == (0, revised, 0)
        assert self.outputs() == before


@pytest.fixture
def site(sample_site: SampleSite, publisher: FeedServer) -> Site:
    return Site(sample_site, publisher)


def ids(site: Site, path: str) -> list[str]:
    return [str(entry.findtext("{*}id")) for entry in site.sample_site.entries(path)]


def test_a_page_that_was_closed_after_the_backup_stays_in_the_archive(site: Site) -> None:
    before = site.sample_site.previous("category/news")
    for start in (25, 37):
        site.items += [item(n, guid=f"urn:example:{n}") for n in range(start, start + 12)]
        site.serve("/a", *reversed(site.items[-12:]))  # the source lists its newest alone
        site.poll(days=2)
    assert site.sample_site.previous("category/news") > before
    site.goes_on()
    assert b"Title 48" in site.sample_site.published("source/a.html")


def test_undated_entries_of_after_the_backup_keep_place_and_dates_also_where_their_source_lists_them_no_more(
    site: Site,
) -> None:
    site.serve("/a", item(25, guid="urn:example:25"), *reversed(site.items))
    site.poll(days=3)
    site.serve("/a", item(26, guid="urn:example:26"))
    site.poll(days=3)
    assert ids(site, "category/news.atom")[:2] == ["urn:example:26", "urn:example:25"]
    site.goes_on()


def test_a_revision_of_after_the_backup_stays_and_no_date_goes_back(site: Site) -> None:
    site.items[24]["title"] = "Another title"
    site.serve("/a", *reversed(site.items))
    site.poll()
    assert "Another title" in site.sample_site.titles("category/news.atom")
    site.goes_on()


def test_a_copy_that_was_credited_after_the_backup_is(site: Site) -> None:
    copy = site.items[24] | {"guid": "b-copy"}
    site.serve("/b", copy, item("b1", guid="urn:example:b1"))
    site.poll()
    assert b'"also"' in site.sample_site.published("category/news.json")
    site.goes_on(revised=1)  # of a copy, documents tell title and link alone


def test_a_source_and_a_category_of_after_the_backup_go_on(site: Site) -> None:
    url = site.serve("/c", *(item(f"c{n}") for n in range(3)))
    site.writes(f"  - {{key: c, url: '{url}', category: third}}\n")
    site.poll()
    assert len(site.sample_site.entries("category/third.atom")) == 3
    site.goes_on()
    site.serve("/c", item("c3"), *(item(f"c{n}") for n in range(3)))
    assert site.poll()["new"] == 1
    assert site.sample_site.titles("category/third.atom")[0] == "Title c3"


def test_m8_what_was_retracted_after_the_backup_stays_so_and_can_be_brought_back(site: Site) -> None:
    command = ["-q", "-c", str(site.sample_site.folder / "feeds.yaml"), "retract", "urn:example:24"]
    with site.sample_site.opened() as app:
        with app.store.begin() as tx:
            number = tx.finding.story("urn:example:24")
            tx.corrections.file("retract", {"story": number}, site.sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()
    assert "urn:example:24" not in ids(site, "category/news.atom")
    site.goes_on()
    assert main([*command, "--undo"], {}) == 0
    assert "urn:example:24" in ids(site, "category/news.atom")


def test_what_was_brought_back_after_the_backup_stands(site: Site) -> None:
    command = ["-q", "-c", str(site.sample_site.folder / "feeds.yaml"), "retract", "urn:example:24"]
    assert main(command, {}) == 0
    with site.sample_site.opened() as app:
        app.store.back_up(site.copy)
    assert main([*command, "--undo"], {}) == 0
    before = site.outputs()
    site.restores()
    assert site.outputs() == before
    assert main(command, {}) == 0, "it is not taken for retracted"


def test_m8_what_came_and_was_retracted_after_the_backup_does_not_come_back(site: Site) -> None:
    site.serve("/a", item(25, guid="urn:example:25"), *reversed(site.items))
    site.poll()
    with site.sample_site.opened() as app:
        with app.store.begin() as tx:
            tx.corrections.file("retract", {"story": tx.finding.story("urn:example:25")}, site.sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()
    before = site.outputs()
    site.restores()
    site.poll()
    assert "Title 25" not in site.sample_site.titles("category/news.atom")
    grave = etree.fromstring(site.sample_site.published("category/news.atom")).find("{*}deleted-entry")
    assert grave is not None
    assert grave.get("ref") == "urn:example:25"
    assert site.outputs()["category/news.atom"] == before["category/news.atom"]


def test_an_entry_that_a_rule_let_pass_after_the_backup_is_published_once(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.serve("/a", rss(item(1), item(2)))
    yaml = f"{SHAPE}sources: [{{key: a, url: '{url}', category: news, exclude: [{{title: 'Title 1'}}]}}]\n"
    sample_site.writes(yaml)
    sample_site.poll()
    with sample_site.opened() as app:
        app.store.back_up(sample_site.folder / "copy.db")
    sample_site.writes(yaml.replace(", exclude: [{title: 'Title 1'}]", ""))
    command = ["-q", "-c", str(sample_site.folder / "feeds.yaml")]
    assert main([*command, "publish", "--rules"], {}) == 0
    before = sample_site.published("category/news.atom")
    assert sorted(sample_site.titles("category/news.atom")) == ["Title 1", "Title 2"]
    shutil.rmtree(sample_site.folder / "var")
    assert main([*command, "restore", str(sample_site.folder / "copy.db")], {}) == 0
    assert main([*command, "publish"], {}) == 0
    assert sample_site.published("category/news.atom") == before
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert sample_site.published("category/news.atom") == before


def test_a_backup_comes_back_also_where_the_outputs_have_a_hole(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (site.sample_site.folder / "public" / "category" / "news" / "archive" / "1.atom").unlink()
    site.restores()
    said = capsys.readouterr()
    assert "archive/1.atom is missing" in said.err
    assert "restored from" in said.out
    assert site.poll()["new"] == 0


def test_nothing_is_taken_in_from_the_outputs_of_another_store(site: Site, tmp_path: Path) -> None:
    feeds = site.sample_site.folder / "feeds.yaml"
    shutil.rmtree(site.sample_site.folder / "var")
    shutil.rmtree(site.sample_site.folder / "public")
    site.serve("/a", item("another"))
    site.poll()
    shutil.rmtree(site.sample_site.folder / "var")
    assert main(["-q", "-c", str(feeds), "restore", str(site.copy)], {}) == 0
    with site.sample_site.opened() as app, app.store.read() as tx:
        assert tx.finding.entries("https://news.example/another") == []
        assert tx.finding.entries("another") == []


def test_what_the_backup_has_and_older_outputs_have_not_stays(site: Site) -> None:
    shutil.copytree(site.sample_site.folder / "public", site.sample_site.folder / "older")
    site.serve("/a", item(25, guid="urn:example:25"), *reversed(site.items))
    site.items[24]["title"] = "Another title"
    site.poll()
    before = site.outputs()
    with site.sample_site.opened() as app:
        app.store.back_up(site.copy)
    shutil.rmtree(site.sample_site.folder / "public")
    (site.sample_site.folder / "older").rename(site.sample_site.folder / "public")
    site.restores()
    assert site.outputs() == before


def test_what_a_source_never_had_is_no_loss_after_a_backup_came_back(site: Site) -> None:
    notes = [item(f"n{n}", title="", guid=f"urn:example:n{n}") for n in range(12)]
    site.serve("/b", *notes[:8])
    site.poll()
    site.goes_on()
    for count in (10, 12):  # entries came back as they were published, with titles and dates of ours
        site.serve("/b", *notes[:count])
        assert site.poll()["new"] == 2
        assert set(ids(site, "category/news.atom")) >= {f"urn:example:n{n}" for n in range(count)}
