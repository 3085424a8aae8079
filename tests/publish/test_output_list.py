"""Tests which files are ours, in which folder, and files that can't be written or are no longer wanted."""

import json
import shutil
from pathlib import Path

import pytest

from aggregator.cli import main
from aggregator.errors import StrangerInTheWay
from aggregator.publish.folder import Folder
from aggregator.serve.published import PublishedState
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite
from tests.stores import lose_store

TWO = """
sources:
  - {key: a, url: 'https://a.example/', category: a}
  - {key: b, url: 'https://b.example/', category: b}
"""


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    (tmp_path / "home").mkdir()
    return SampleSite(tmp_path / "home")


def begin(site: SampleSite, yaml: str = TWO) -> None:
    """Publish two categories."""
    site.writes(yaml)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said("a"))
        fake_source.says("b", said("b"))
        app.publisher.publish()


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


# --- cut short


def test_r54_a_publication_that_is_cut_leaves_the_rest_for_the_next(site: SampleSite) -> None:
    site.writes(TWO)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said("a"))
        fake_source.says("b", said("b"))
        asked = iter((False, False, True, True))  # before the stories' pages, and before each category
        cut = app.publisher.publish(is_cut=lambda: next(asked))
        assert cut.waiting
        changed = {path.partition(".")[0] for path in cut.changed if not path.startswith("entry/")}
        assert changed == {"category/a"}, "one category, whole"
        rest = app.publisher.publish()
        assert not rest.waiting
        assert {"category/b.atom", "all.atom", "index.html", "status.json"} <= set(rest.changed)


# --- gone


@pytest.mark.parametrize("gone", ["", "category", "index.html", "category/a.atom"])
def test_what_somebody_removed_is_written_again_at_the_next_start(site: SampleSite, gone: str) -> None:
    begin(site)
    root = site.folder / "public"
    before = tree(root)
    target = root / gone
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with site.opened() as app:
        app.publisher.publish()
    after = tree(root)
    assert {path for path in before if not path.startswith("status.")} <= set(after)
    assert all(after[path] == data for path, data in before.items() if not path.startswith("status."))


# --- another folder


def test_another_folder_gets_everything_and_the_old_one_is_left(site: SampleSite) -> None:
    begin(site)
    before = tree(site.folder / "public")
    site.writes("publish: {to: other/}" + TWO)
    with site.opened() as app:
        app.publisher.publish()
        assert app.publisher.publish().changed == ()
    after = tree(site.folder / "other")
    assert {path for path in before if not path.startswith("status.")} <= set(after)
    assert all(after[path] == data for path, data in before.items() if not path.startswith("status."))
    assert tree(site.folder / "public") == before


def test_somebody_elses_file_in_another_folder_is_not_written_over(site: SampleSite) -> None:
    begin(site)
    (site.folder / "other").mkdir()
    (site.folder / "other" / "index.html").write_text("my own site")
    site.writes("publish: {to: other/}" + TWO)
    with site.opened() as app, pytest.raises(StrangerInTheWay, match=r"other/index\.html exists"):
        app.publisher.publish(everything=True)
    assert tree(site.folder / "other") == {"index.html": b"my own site"}


@pytest.mark.parametrize("path", ["index.html", "category/a.json", "status.json", "old.xml", "own.txt"])
def test_nothing_is_written_in_a_folder_of_somebody_else(site: SampleSite, path: str) -> None:
    theirs, static = site.folder / "public" / path, site.folder / "static"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    static.mkdir()
    (static / "own.txt").write_text("of feeds.yaml")
    site.writes("publish: {static: static, aliases: {old.xml: all.atom}}" + TWO)
    command = ["-q", "-c", str(site.folder / "feeds.yaml")]
    for _ in range(2):
        with site.opened() as app:
            FakeSource(app).says("a", said("a"))
            with pytest.raises(StrangerInTheWay, match=rf"public/{path} exists"):
                app.publisher.publish()
        assert tree(site.folder / "public") == {path: b"mine"}
    assert main([*command, "publish", "--take-over"], {}) == 3
    assert tree(site.folder / "public") == {path: b"mine"}
    theirs.unlink()
    assert main([*command, "publish"], {}) == 0
    assert site.titles("category/a.atom") == ["Title a"]


def test_nothing_is_written_in_a_folder_of_another_aggregator(site: SampleSite) -> None:
    begin(site)
    shutil.copytree(site.folder / "public", site.folder / "other")
    (site.folder / "other" / "category" / "b.atom").unlink()
    lose_store(site.folder)
    site.writes("publish: {to: third/}" + TWO)
    with site.opened() as app:
        FakeSource(app).says("a", said("a2"))
        app.publisher.publish()
    before = tree(site.folder / "other")
    site.writes("publish: {to: other/}" + TWO)
    with site.opened() as app, pytest.raises(StrangerInTheWay, match="restore FILE"):
        app.publisher.publish()
    assert tree(site.folder / "other") == before


def test_what_stands_beside_outputs_is_in_nobodys_way(site: SampleSite) -> None:
    (site.folder / "public" / "category").mkdir(parents=True)
    for path in ("notes.html", "category/theirs.atom"):
        (site.folder / "public" / path).write_text("mine")
    begin(site)
    assert site.titles("category/a.atom") == ["Title a"]


@pytest.mark.only_sqlite  # the store is in the tree
def test_a_tree_that_was_moved_as_a_whole_stays_ours(site: SampleSite) -> None:
    begin(site)
    before = tree(site.folder / "public")
    site.folder = site.folder.rename(site.folder.with_name("elsewhere"))
    with site.opened() as app:
        assert [path for path in app.publisher.publish().changed if not path.startswith("status.")] == []
        FakeSource(app).says("a", said("more"))
        assert "category/a.atom" in app.publisher.publish().changed
    assert {path for path in set(tree(site.folder / "public")) - set(before) if not path.startswith("entry/")} == set()


def test_of_a_moved_tree_a_file_that_was_edited_is_not_ours(site: SampleSite) -> None:
    begin(site)
    site.folder = site.folder.rename(site.folder.with_name("elsewhere"))
    (site.folder / "public" / "index.html").write_text("my own site")
    with site.opened() as app, pytest.raises(StrangerInTheWay):
        app.publisher.publish()
    assert (site.folder / "public" / "index.html").read_text() == "my own site"


def test_a_link_that_leads_elsewhere_is_another_folder(site: SampleSite) -> None:
    public = site.folder / "public"
    for name in ("one", "two"):
        (site.folder / name).mkdir()
    public.symlink_to("one")
    begin(site)
    public.unlink()
    public.symlink_to("two")
    (site.folder / "two" / "index.html").write_text("my own site")
    with site.opened() as app, pytest.raises(StrangerInTheWay):
        app.publisher.publish()
    assert tree(site.folder / "two") == {"index.html": b"my own site"}


# --- marks


def test_every_output_bears_our_mark(site: SampleSite) -> None:
    yaml = "publish: {entries: 10, archive_page: 10}\ndefaults: {initial: 40}" + TWO
    site.writes(yaml)
    with site.opened() as app:
        FakeSource(app).says("a", *(said(n) for n in range(40)))
        app.publisher.publish()
    root = site.folder / "public"
    outputs = [path for path in tree(root) if not path.endswith(".gz")]
    kinds = {path.partition(".")[2] for path in outputs}
    assert kinds == {"atom", "rss", "json", "html", "css", "svg", "xml", "opml", "txt", "ico", "png"}
    assert "category/a/archive/1.atom" in outputs
    assert [path for path in outputs if Folder(root).stranger(path) is not True] == []


def test_take_over_starts_anew_over_a_whole_site(site: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    begin(site)
    lose_store(site.folder)
    command = ["-c", str(site.folder / "feeds.yaml"), "publish"]
    assert main(command, {}) == 3
    assert "--take-over" in capsys.readouterr().err
    assert any(path.startswith("entry/") for path in tree(site.folder / "public"))
    (site.folder / "public" / "entry" / "mine.html").write_text("my own page")
    (site.folder / "public" / "entry" / "00").mkdir(exist_ok=True)
    (site.folder / "public" / "entry" / "00" / "00112233445566.html").write_text("mine, too")
    assert main([*command, "--take-over"], {}) == 0
    left = [path for path in tree(site.folder / "public") if path.startswith("entry/")]
    assert left == ["entry/00/00112233445566.html", "entry/mine.html"], "nobody would bring the pages up to date"
    assert main([*command, "--all"], {}) == 0
    with site.opened() as app:
        FakeSource(app).says("a", said("a"))
        assert "category/a.atom" in app.publisher.publish().changed, "and none stands in the way of the new ones"


def test_status_json_says_the_mark_first(site: SampleSite) -> None:
    begin(site)
    assert next(iter(json.loads(site.published("status.json")))) == "_aggregator"


# --- what can't be written


def test_r32_an_output_that_cannot_be_written_is_named_and_harms_no_other(
    site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(site)
    path = site.folder / "public" / "category" / "a.json"
    path.unlink()
    path.mkdir()
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said("a"), said("a2"))
        fake_source.says("b", said("b"), said("b2"))
        published = app.publisher.publish()
    assert published.failed == ("category/a.json",)
    assert {"category/a.atom", "category/b.json", "index.html"} <= set(published.changed)
    command = ["-c", str(site.folder / "feeds.yaml"), "publish", "--json"]
    assert main(command, {}) == 3
    said_so = capsys.readouterr()
    assert json.loads(said_so.out)["failed"] == ["category/a.json"]
    assert "category/a.json" in said_so.err
    path.rmdir()
    assert main(command, {}) == 0, "it was tried again"
    assert json.loads(capsys.readouterr().out)["failed"] == []


def test_r32_a_folder_that_cannot_be_looked_into_harms_no_other(site: SampleSite) -> None:
    site.writes(TWO)
    elsewhere = site.folder / "elsewhere"
    elsewhere.mkdir()
    (site.folder / "public").mkdir()
    (site.folder / "public" / "category").symlink_to(elsewhere)
    with site.opened() as app:
        FakeSource(app).says("a", said("a"))
        published = app.publisher.publish()
    assert "category/a.atom" in published.failed
    assert {"index.html", "all.atom", "status.json"} <= set(published.changed)
    assert list(elsewhere.iterdir()) == [], "links are not followed (S51)"


def test_somebody_elses_file_stops_its_category_and_no_other(
    site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    site.writes(TWO.replace("category: a}", "category: c}"))
    with site.opened() as app:
        app.publisher.publish()
    theirs = site.folder / "public" / "category" / "a.json"
    theirs.write_text("{}")
    site.writes(TWO)
    with site.opened() as app:
        FakeSource(app).says("b", said("b"))
        published = PublishedState(app.store, app.in_force)
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        published.note(None)
        assert published.max_age("category/b.atom") > 300, "what was written is known"
    assert theirs.read_text() == "{}"
    assert not theirs.with_name("a.atom").exists()
    assert site.titles("category/b.atom") == ["Title b"]
    assert (site.folder / "public" / "index.html").is_file()
    with site.opened() as app:
        FakeSource(app).says("b", said("b"), said("b2"))
    assert main(["-c", str(site.folder / "feeds.yaml"), "publish", "--json"], {}) == 3
    done = capsys.readouterr()
    assert json.loads(done.out)["failed"] == ["category/a.json"]
    assert "category/b.atom" in json.loads(done.out)["published"]
    assert "did not write it" in done.err


def test_where_the_state_was_lost_nothing_is_mixed_into_what_stands_there(site: SampleSite) -> None:
    begin(site)
    lose_store(site.folder)
    (site.folder / "public" / "category" / "b.atom").unlink()
    with site.opened() as app, pytest.raises(StrangerInTheWay):
        app.publisher.publish()
    assert not (site.folder / "public" / "category" / "b.atom").exists()


# --- formats taken out


def test_files_of_a_format_that_was_taken_out_are_removed(site: SampleSite) -> None:
    yaml = "defaults: {initial: 40}" + TWO
    site.writes("publish: {entries: 10, archive_page: 10}\n" + yaml)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", *(said(n) for n in range(40)))
        fake_source.says("b", said("b"))
        app.publisher.publish()
    root = site.folder / "public"
    (root / "category" / "mine.html").write_text("mine")
    (root / "about.json").write_text("{}")
    site.writes("publish: {entries: 10, archive_page: 10, formats: [atom]}\n" + yaml)
    with site.opened() as app:
        assert not app.publisher.publish().failed
        left = {path for path in tree(root) if not path.endswith((".atom", ".gz"))}
        assert left == {
            "status.json",
            "opml.xml",
            "sources.opml",
            "category/mine.html",
            "about.json",
            "category/a.opml",
            "category/b.opml",
        }
    site.writes("publish: {entries: 10, archive_page: 10}\n" + yaml)
    with site.opened() as app:
        app.publisher.publish()
    assert {"index.html", "category/a.json", "category/a/archive/1.html", "style.css"} <= set(tree(root))
