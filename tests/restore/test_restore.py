"""The state is lost, and comes back from what was published (invariant 2)."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from aggregator.cli import main
from aggregator.config import load_config
from aggregator.errors import PublishError, StoreError
from aggregator.model.entry import Origin
from aggregator.model.stored_json import origin_of
from aggregator.poll.corrections import run_pending_requests
from aggregator.restore.combine import NothingToRestore
from aggregator.restore.restore import read_site, restore
from aggregator.store.database import backend_of
from aggregator.store.schema import entry, source
from tests.feed_server import FeedServer, Reply
from tests.rows import rows
from tests.sample_site import START, SampleSite, item, rss, shows_states

SITE = "site: {base_url: 'https://planet.example/', title: P}\n"
SMALL = "publish: {entries: 10, archive_page: 10, jekyll: {to: site/_posts}}\n"


def dated(number: int, **fields: str) -> dict[str, str]:
    when = START - timedelta(days=400 - number)
    return item(number, pubDate=when.strftime("%a, %d %b %Y %H:%M:%S GMT"), **fields)


class Planet:
    """A site with three sources, an archive, copies, a withdrawn entry, and several polls behind it."""

    def __init__(self, folder: Path, publisher: FeedServer) -> None:
        self.site, self.publisher = SampleSite(folder), publisher
        self.items = [dated(n, guid=f"urn:example:{n}" if n % 2 else f"item-{n}") for n in range(45)]
        self.serve()
        self.site.writes(
            SITE + SMALL + "categories: {web: {title: The web}, quiet: {unlisted: true}}\nsources:\n"
            f"  - {{key: a, url: '{publisher.url('/a')}', category: [tech, web], initial: 40}}\n"
            f"  - {{key: b, url: '{publisher.url('/b')}', category: [web, quiet]}}\n"
            f"  - {{key: c, url: '{publisher.url('/c')}', category: 大众日报}}\n"
        )

    def serve(self) -> None:
        copy = {"guid": "b-copy", "link": self.items[44]["link"]}
        undated = [item(f"u{n}", guid="", link=f"https://b.example/{n}") for n in range(5)]
        self.publisher.serve("/a", rss(*reversed(self.items), title="Feed A"))
        self.publisher.serve("/b", rss({**self.items[44], **copy}, *undated, title="Feed B"))
        markup = item("c1", title="A & B", description="<p>Text <b>bold</b></p><p>&amp;lt;</p>", category="tag: one")
        self.publisher.serve("/c", rss(markup, dated(1, guid="c2", title=""), title="大众"))

    def poll(self) -> dict[str, object]:
        self.site.clock.move(minutes=20)
        return self.site.poll()

    def copied(self, folder: Path) -> "Planet":
        """Return the same planet in another folder, its feeds served as they are now."""
        copy = Planet(folder, self.publisher)
        copy.site, copy.items = self.site.copied(folder), deepcopy(self.items)
        copy.serve()
        return copy

    def lose(self) -> None:
        shutil.rmtree(self.site.folder / "var")

    def restore(self, where: str = "public") -> tuple[str, ...]:
        settings = load_config(self.site.folder / "feeds.yaml", {})
        restored = read_site(where, settings, self.site.clock, folder=self.site.folder)
        app = restore(restored, settings, self.site.clock)
        try:
            published = app.publisher.publish(everything=True, take_over=True)
            assert published.failed == ()
            return published.changed + published.posts
        finally:
            app.close()

    def published(self) -> Mapping[str, bytes]:
        """Return every document without those that show states of sources, which may differ."""
        return {path: data for path, data in self.documents().items() if path.startswith("public/")}

    def documents(self) -> Mapping[str, bytes]:
        """Return every document and post without those that show states of sources, which may differ."""
        root = self.site.folder
        files = [*(root / "public").rglob("*"), *(root / "site").rglob("*")]
        return {str(p.relative_to(root)): p.read_bytes() for p in files if p.is_file() and not shows_states(p)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planet]:
    """Yield the planet of which each test has a copy: to make one takes a second."""
    with FeedServer() as publisher:
        yield polled(Planet(tmp_path_factory.mktemp("planet"), publisher))


@pytest.fixture
def planet(model: Planet, tmp_path: Path) -> Planet:
    return model.copied(tmp_path)


def polled(planet: Planet) -> Planet:
    planet.poll()
    planet.items += [dated(n, guid=f"urn:example:{n}") for n in range(45, 60)]
    planet.items[20]["title"] = "Another title"
    planet.serve()
    planet.site.clock.move(hours=2)
    planet.poll()
    planet.site.clock.move(days=2)
    planet.poll()
    with planet.site.opened() as app:
        with app.store.begin() as tx:
            number = tx.finding.story("urn:example:59")
            tx.corrections.file("retract", {"story": number}, planet.site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()
    return planet


def test_everything_comes_back_byte_for_byte_and_the_next_poll_changes_nothing(planet: Planet) -> None:
    before = planet.documents()
    assert any("/archive/3.atom" in path for path in before)
    planet.lose()
    changed = planet.restore()
    assert [path for path in changed if not shows_states(Path(path))] == []
    assert planet.documents() == before
    planet.serve()
    report = planet.poll()
    assert {name: report[name] for name in ("new", "revised", "withdrawn", "posts")} == {
        "new": 0, "revised": 0, "withdrawn": 0, "posts": [],
    }  # fmt: skip
    assert planet.documents() == before


def test_what_comes_after_the_loss_is_new_and_enters_at_the_top(planet: Planet) -> None:
    planet.lose()
    planet.restore()
    planet.items.append(dated(60, guid="urn:example:60"))
    planet.items[43]["title"] = "Revised"
    planet.serve()
    report = planet.poll()
    assert (report["new"], report["revised"]) == (1, 1)
    titles = planet.site.titles("category/tech.atom")
    assert titles[0] == "Title 60"
    for path in ("category/tech", "category/web", "all"):
        ids = [entry.findtext("{http://www.w3.org/2005/Atom}id") for entry in planet.site.entries(f"{path}.atom")]
        assert len(ids) == len(set(ids))
        assert "urn:example:59" not in ids, "what was retracted stays so"


def test_what_was_retracted_before_the_loss_is_not_said_to_stand_again(
    planet: Planet, capsys: pytest.CaptureFixture[str]
) -> None:
    planet.lose()
    planet.restore()
    planet.poll()
    before = planet.documents()
    arguments = ["-c", str(planet.site.folder / "feeds.yaml"), "retract", "urn:example:59", "--undo"]
    assert main(arguments, {}) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "urn:example:59 was withdrawn before the store was lost" in output.err
    assert planet.documents() == before


def test_m8_what_a_rule_took_out_of_one_category_keeps_its_tombstone_there(planet: Planet) -> None:
    """The other source's copy still stands where that one publishes it."""
    feeds = planet.site.folder / "feeds.yaml"
    text = feeds.read_text(encoding="utf-8")
    feeds.write_text(text.replace("category: [tech, web], ", "category: [tech, web], exclude: [{title: 'Title 44'}], "))
    with planet.site.opened() as app:
        with app.store.begin() as tx:
            tx.corrections.file("rules", {}, planet.site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()
    before = planet.published()
    [told] = [one["id"] for one in planet.site.items("category/quiet.json") if one["title"] == "Title 44"]
    assert f'deleted-entry ref="{told}"'.encode() in before["public/category/tech.atom"]
    planet.lose()
    planet.restore()
    assert planet.published() == before
    planet.serve()
    planet.poll()
    assert planet.published() == before


def test_a_site_is_read_over_http(planet: Planet, publisher: FeedServer) -> None:
    before = planet.documents()
    for path, data in before.items():
        if path.startswith("public/") and not path.endswith(".gz"):
            publisher.serve(path.removeprefix("public"), data)
    publisher.serve("/opml.xml", planet.site.published("opml.xml"))
    planet.lose()
    shutil.rmtree(planet.site.folder / "public")
    planet.restore(publisher.url("/"))
    assert {p: d for p, d in planet.documents().items() if not p.endswith(".gz")} == {
        p: d for p, d in before.items() if not p.endswith(".gz")
    }


def test_a_store_that_is_not_empty_is_refused(planet: Planet) -> None:
    before = planet.documents()
    with pytest.raises(NothingToRestore, match="has entries already"):
        planet.restore()
    assert planet.documents() == before


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("category/tech/archive/2.atom", None, r"archive/2.atom is missing.* publish --take-over` starts anew"),
        ("category/tech.atom", b"<feed", "category/tech.atom: can't be read back"),
        ("category/tech.json", b"[1]", "category/tech.json: can't be read back"),
        ("category/tech.atom", b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "no aggregator wrote it"),
    ],
)
def test_a_site_with_a_hole_restores_nothing(planet: Planet, name: str, data: bytes | None, error: str) -> None:
    planet.lose()
    path = planet.site.folder / "public" / name
    path.unlink() if data is None else path.write_bytes(data)
    with pytest.raises((NothingToRestore, PublishError), match=error):
        planet.restore()
    assert not (planet.site.folder / "var").exists()


def test_an_empty_folder_is_refused(tmp_path: Path, publisher: FeedServer) -> None:
    planet = Planet(tmp_path, publisher)
    with pytest.raises(NothingToRestore, match="there is no folder"):
        planet.restore("nowhere")
    (planet.site.folder / "nowhere").mkdir()
    with pytest.raises(NothingToRestore, match="nothing was restored"):
        planet.restore("nowhere")


@pytest.mark.parametrize(("status", "code"), [(404, 0), (410, 0), (403, 3), (500, 3)])
def test_a_first_run_has_nothing_to_restore_but_what_can_not_be_read_is_no_first_run(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    sample_site.writes("sources: [http://127.0.0.1:9/]\ncategories: {web: {}}\n")
    for path in ("/opml.xml", "/category/web.atom", "/category/general.atom"):
        publisher.says(path, Reply(status))
    arguments = ["-c", str(sample_site.folder / "feeds.yaml"), "restore", "--from-site", publisher.url("/")]
    assert main([*arguments, "--if-any"], {}) == code
    assert "nothing was restored" in capsys.readouterr().err
    assert main(arguments, {}) == 3
    assert not (sample_site.folder / "var" / "aggregator.db").exists()


def test_without_json_ids_tell_entries_apart(planet: Planet) -> None:
    planet.lose()
    ids = [item["id"] for item in planet.site.items("category/tech.json")]
    for path in (planet.site.folder / "public" / "category").rglob("*.json"):
        path.unlink()
    planet.restore()
    planet.serve()
    assert planet.poll()["new"] == 0
    assert [item["id"] for item in planet.site.items("category/tech.json")] == ids


def test_r62_a_backup_comes_back(planet: Planet) -> None:
    copy = planet.site.folder / "copy.db"
    with planet.site.opened() as app:
        assert app.store.back_up(copy) > 0
    before = planet.documents()
    url = load_config(planet.site.folder / "feeds.yaml", {}).store
    with pytest.raises(StoreError, match="there is a store"):
        backend_of(url).restore(copy, planet.site.clock())
    planet.lose()
    backend_of(url).restore(copy, planet.site.clock())
    assert planet.poll()["new"] == 0
    assert planet.documents() == before


def test_a_published_json_names_what_restore_needs(planet: Planet) -> None:
    said = json.loads(planet.site.published("category/web.json"))
    assert set(said["_aggregator"]) == {"store", "feed", "category"}
    assert said["next_url"].startswith("https://planet.example/category/web/archive/")
    assert all({"source", "key", "sort_at", "digest"} <= set(one["_aggregator"]) for one in said["items"])


@pytest.mark.parametrize("command", ["poll", "serve", "publish"])
def test_a_lost_state_is_refused_before_anything_is_asked_or_stored(
    planet: Planet, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    folder, before = planet.site.folder, planet.documents()
    planet.lose()
    asked = len(planet.publisher.asked)
    assert main(["-c", str(folder / "feeds.yaml"), command], {}) == 3
    said = capsys.readouterr().err
    assert f"aggregator -c {folder}/feeds.yaml restore --from-site {folder}/public` brings it back" in said
    assert len(planet.publisher.asked) == asked
    assert not (folder / "var").exists(), "a backup, too, is restored only where no store is"
    assert planet.documents() == before
    named = re.findall(r"`aggregator ([^`]+)`", said)[0]
    assert main(named.split(), {}) == 0
    assert planet.documents() == before
    assert planet.poll()["new"] == 0


def test_a_state_that_somebody_emptied_is_as_good_as_lost(planet: Planet, capsys: pytest.CaptureFixture[str]) -> None:
    planet.lose()
    with planet.site.opened():
        pass
    assert main(["-c", str(planet.site.folder / "feeds.yaml"), "poll"], {}) == 3
    assert "restore --from-site" in capsys.readouterr().err
    planet.restore()


def test_who_only_reads_says_of_a_lost_state_what_poll_says(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds = str(sample_site.folder / "feeds.yaml")
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/feed', rss(item(1)))}'}}]\n")
    commands = (
        ["status"],
        ["why", "a"],
        ["search", "x"],
        ["backup", str(sample_site.folder / "b.db")],
        ["replay", "--stored", "a"],
    )
    assert main(["-c", feeds, "status"], {}) == 3
    assert "there is no store" in capsys.readouterr().err
    sample_site.poll()
    shutil.rmtree(sample_site.folder / "var")
    assert main(["-c", feeds, "poll"], {}) == 3
    said = capsys.readouterr().err
    assert "restore --from-site" in said
    for command in commands:
        assert (main(["-c", feeds, *command], {}), capsys.readouterr().err) == (3, said), command


def test_a_source_may_be_called_lost(sample_site: SampleSite, publisher: FeedServer) -> None:
    """What was withdrawn before the loss has no source of that name."""
    url = publisher.serve("/feed", rss(item(1), item(2)))
    sample_site.writes(f"sources: [{{key: lost, url: '{url}'}}]\n")
    sample_site.poll()
    with sample_site.opened() as app:
        with app.store.begin() as tx:
            [entry] = tx.finding.entries("item-2")
            tx.corrections.file("retract", {"story": entry.story}, sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    planet.lose()
    planet.restore()
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 0
    assert sample_site.titles() == ["Title 1"]
    with sample_site.opened() as app:
        [source] = app.store.status(app.in_force.roster, sample_site.clock()).sources
        assert (source.key, source.entries) == ("lost", 2)
        with app.store.begin() as tx:
            [entry] = tx.finding.entries("item-1")
            tx.corrections.file("retract", {"story": entry.story}, sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        with app.store.begin() as tx:
            number = tx.corrections.file("retract", {"story": entry.story, "undo": True}, sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        with app.store.read() as tx:
            outcome = tx.corrections.outcome(number)
        assert outcome is not None
        assert "stands again" in outcome.said


def test_a_post_keeps_the_name_that_an_earlier_copy_gave_it(sample_site: SampleSite, publisher: FeedServer) -> None:
    """A post is named once, after the copy that was shown first; no document tells which that was."""
    told = dated(1, guid="first"), dated(2, guid="other")
    low = publisher.serve("/low", rss(*told))
    high = publisher.serve("/high", rss(item(1, guid="better", pubDate="Mon, 06 Jan 2025 10:00:00 GMT")))
    yaml = SITE + "publish: {jekyll: {to: site/_posts}}\nsources:\n  - {key: low, url: '%s', category: [a, b]}\n"
    sample_site.writes(yaml % low)
    sample_site.poll()
    sample_site.writes(f"{yaml % low}  - {{key: high, url: '{high}', category: [a, b], priority: 9}}\n")
    sample_site.poll()
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    before = planet.documents()
    posts = {path: data for path, data in before.items() if path.startswith("site/")}
    assert [b"better" in sample_site.published("category/a.json"), len(posts)] == [True, 4]
    assert not any("better" in path for path in posts)
    planet.lose()
    assert not [path for path in planet.restore() if path.startswith("site/")]
    assert planet.documents() == before
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["posts"] == []
    assert planet.documents() == before


def test_i42_a_copy_keeps_its_own_date_where_an_older_one_gave_its_story_the_place(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    """In one category it stands by the date of the copy that was shown there first, in the other by its own."""
    low = publisher.serve("/low", rss(dated(380, guid="low")))
    high = publisher.serve("/high", rss(item(380, guid="high", pubDate="Mon, 02 Mar 2026 10:00:00 GMT")))
    yaml = SITE + f"publish: {{jekyll: {{to: site/_posts}}}}\nsources:\n  - {{key: low, url: '{low}', category: a}}\n"
    sample_site.writes(yaml)
    sample_site.poll()
    sample_site.writes(f"{yaml}  - {{key: high, url: '{high}', category: [a, b], priority: 9}}\n")
    sample_site.clock.move(minutes=20)
    sample_site.poll()
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    before = planet.documents()
    for path in ("a", "b"):
        [told] = sample_site.items(f"category/{path}.json")
        assert (told["_aggregator"]["key"], told["date_published"]) == ("high", "2026-03-02T10:00:00Z")
    planet.lose()
    planet.restore()
    posts = {path: data for path, data in planet.documents().items() if path.startswith("site/")}
    assert posts == {path: data for path, data in before.items() if path.startswith("site/")}
    for path in ("a", "b"):
        assert sample_site.items(f"category/{path}.json")[0]["date_published"] == "2026-03-02T10:00:00Z"


def test_a9_a_copy_that_was_credited_has_nothing_of_the_feed_that_was_shown(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    low = publisher.serve("/low", rss(item(1, guid="low"), title="Low"))
    feed = rss(item(1, guid="high"), title="High")
    about = b"<category>High things</category><image><url>https://high.example/logo.png</url></image>"
    high = publisher.serve("/high", feed.replace(b"<item>", about + b"<item>", 1))
    sample_site.writes(
        f"{SITE}sources:\n  - {{key: low, url: '{low}'}}\n  - {{key: high, url: '{high}', priority: 9}}\n"
    )
    sample_site.poll()
    assert b"High things" in sample_site.published("category/general.atom")
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    planet.lose()
    planet.restore()
    query = select(source.c.key, entry.c.origin).join(entry, entry.c.source_id == source.c.id)
    told = {row.key: origin_of(row.origin) for row in rows(sample_site.folder, query)}
    assert told["low"] == Origin(id="", title="Low")
    assert told["high"] is not None
    assert [tag.term for tag in told["high"].tags] == ["High things"]


def test_a_post_that_was_in_the_archive_is_not_there_twice(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(dated(395, guid="old"), dated(399, guid="new")))
    sample_site.writes(SITE + f"publish: {{jekyll: {{to: posts, hot: 3d, archive_to: old}}}}\nsources: ['{url}']\n")
    sample_site.poll()
    root = sample_site.folder
    [(old, data), *_] = [(path, path.read_bytes()) for path in (root / "old").iterdir()]
    old.rename(root / "posts" / f"renamed-{old.name}")
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    planet.lose()
    planet.restore()
    assert [(path.name, path.read_bytes()) for path in (root / "old").iterdir()] == [(f"renamed-{old.name}", data)]
    assert len(list((root / "posts").iterdir())) == 1


CORRECTIONS = (["merge", "x", "y"], ["unmerge", "x"], ["retract", "x"], ["retract", "x", "--undo"], ["accept", "a"])


@pytest.mark.parametrize("command", CORRECTIONS, ids=" ".join)
def test_nothing_is_corrected_where_the_state_is_lost_and_no_store_is_made(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    feeds, var = str(sample_site.folder / "feeds.yaml"), sample_site.folder / "var"
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/feed', rss(item(1)))}'}}]\n")
    assert main(["-c", feeds, *command], {}) == 3
    assert "there is no store" in capsys.readouterr().err
    assert not var.exists()
    sample_site.poll()
    shutil.rmtree(var)
    assert main(["-c", feeds, *command], {}) == 3
    assert f"aggregator -c {feeds} restore --from-site" in capsys.readouterr().err
    assert not var.exists()
    with sample_site.opened():
        pass
    assert main(["-c", feeds, *command], {}) == 3
    assert f"aggregator -c {feeds} restore --from-site" in capsys.readouterr().err


def test_a_category_that_feeds_yaml_does_not_have_is_named_with_what_to_write(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds, url = sample_site.folder / "feeds.yaml", publisher.serve("/feed", rss(item(1), item(2)))
    sample_site.writes(f"sources: [{{url: '{url}', category: news}}]\n")
    sample_site.poll()
    ids = [one["id"] for one in sample_site.items("category/news.json")]
    arguments = ["-c", str(feeds), "restore", "--from-site", str(sample_site.folder / "public")]

    def restored(yaml: str) -> str:
        shutil.rmtree(sample_site.folder / "var")
        sample_site.writes(yaml)
        assert main(arguments, {}) == 0
        said = capsys.readouterr()
        assert said.out.startswith("restored 2 stories in 1 category, 2 entries\n")
        return said.err

    renamed = f"sources: [{{url: '{url}', category: press}}]\n"
    assert f"{feeds} has no category news (2 stories)" in (said := restored(renamed))
    assert "`was: news`" in said
    empty = sample_site.folder / "public/category/press.atom"
    assert empty.exists()
    said = restored(f"categories: {{press: {{was: news}}}}\n{renamed}")
    assert "has no category" not in said
    assert "press goes on at category/news.atom; the files category/press.* are removed" in said
    assert sorted(path.name for path in empty.parent.iterdir() if path.name.startswith("press")) == []
    sample_site.poll()
    assert [one["id"] for one in sample_site.items("category/news.json")] == ids


def test_two_categories_with_stories_are_not_restored_as_one(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds, url = sample_site.folder / "feeds.yaml", publisher.serve("/feed", rss(item(1)))
    sample_site.writes(f"sources: [{{url: '{url}', category: [news, press]}}]\n")
    sample_site.poll()
    shutil.rmtree(sample_site.folder / "var")
    sample_site.writes(f"categories: {{press: {{was: news}}}}\nsources: [{{url: '{url}', category: press}}]\n")
    assert main(["-c", str(feeds), "restore", "--from-site", str(sample_site.folder / "public")], {}) == 3
    said = capsys.readouterr().err
    assert "category/press.atom" in said
    assert "Take that `was` out" in said
    assert not (sample_site.folder / "var").exists()


def test_a_category_folder_of_somebody_else_stands_in_nobodys_way(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    (sample_site.folder / "public/category").mkdir(parents=True)
    (sample_site.folder / "public/category/theirs.atom").write_bytes(b"<feed/>")
    sample_site.writes(f"sources: ['{publisher.serve('/feed', rss(item(1)))}']\n")
    assert main(["-c", str(sample_site.folder / "feeds.yaml"), "poll"], {}) == 0


def test_r63_what_had_lost_its_text_comes_back_without_it_and_is_no_news(planet: Planet) -> None:
    """It is known by its digest, as before the loss."""
    site = planet.site
    text = (site.folder / "feeds.yaml").read_text(encoding="utf-8").partition("\n")[2]
    site.writes(f"{text}defaults: {{keep: 30d}}\n")
    planet.publisher.serve("/a", rss(*planet.items[-3:], title="Feed A"))
    planet.publisher.serve("/b", rss(item("u0", guid="", link="https://b.example/0"), title="Feed B"))
    planet.poll()
    site.clock.move(days=40)
    planet.poll()
    before = planet.documents()
    thin = "public/category/web/archive/1.json"
    assert b"content_html" not in before[thin]
    planet.lose()
    planet.restore()
    assert planet.documents() == before
    planet.items.pop()  # it was withdrawn, and its tombstone has ended: nothing there tells that it ever was
    planet.serve()
    report = planet.poll()
    assert (report["new"], report["revised"]) == (0, 0)
    assert planet.documents()[thin] == before[thin]


def test_k2_texts_that_come_back_are_kept_from_then_on_however_old_they_are(planet: Planet) -> None:
    """No document says when a story entered, and its own date may be a year before that."""
    site, page = planet.site, "category/web/archive/1.json"
    text = (site.folder / "feeds.yaml").read_text(encoding="utf-8").partition("\n")[2]
    site.writes(f"{text}defaults: {{keep: 30d}}\n")
    planet.publisher.serve("/a", rss(*planet.items[-3:], title="Feed A"))
    planet.publisher.serve("/b", rss(item("u0", guid="", link="https://b.example/0"), title="Feed B"))
    before = site.published(page)
    planet.lose()
    planet.restore()
    for days in (2, 27):
        planet.poll()
        assert site.published(page) == before
        site.clock.move(days=days)
    assert b"content_html" in before
    site.clock.move(days=2)
    planet.poll()
    assert b"content_html" not in site.published(page)


def test_news_of_any_source_is_stored_after_a_restore_however_the_sources_interleave(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    long, short = [dated(n) for n in (0, 1, 3, 4)], [dated(2)]
    addresses = [publisher.serve("/long", rss(*long)), publisher.serve("/short", rss(*short))]
    sample_site.writes(SITE + "defaults: {dedupe: off}\n" + f"sources: {addresses}\n")
    sample_site.poll()
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    planet.lose()
    planet.restore()
    publisher.serve("/long", rss(*long, dated(5)))
    publisher.serve("/short", rss(*short, dated(6)))
    sample_site.clock.move(hours=3)
    report = sample_site.poll()
    assert (report["new"], report["failed"]) == (2, 0)
    assert set(sample_site.titles()[:2]) == {"Title 6", "Title 5"}


@pytest.mark.parametrize("edit", ["", ", timezone: Europe/Berlin"], ids=["as-before", "read-otherwise"])
def test_what_a_source_never_had_is_no_loss_after_a_restore(
    sample_site: SampleSite, publisher: FeedServer, edit: str
) -> None:
    def served(count: int) -> str:
        notes = [item(f"n{n}", title="", guid=f"urn:example:n{n}") for n in reversed(range(count))]
        return publisher.serve("/notes", rss(*notes))

    sample_site.writes(SITE + f"sources: ['{served(8)}']\n")
    sample_site.poll()
    planet = Planet.__new__(Planet)
    planet.site = sample_site
    planet.lose()
    planet.restore()
    sample_site.writes(SITE + f"sources: [{{url: '{publisher.url('/notes')}'{edit}}}]\n")
    for count in (10, 12):  # entries came back as they were published, with titles and dates of ours
        served(count)
        sample_site.clock.move(hours=3)
        assert sample_site.poll()["new"] == 2
        assert len(sample_site.entries("category/general.atom")) == count
    with sample_site.opened("status") as app:
        status = app.store.status(app.in_force.roster, sample_site.clock())
    assert "fields_lost" not in {alarm.code.value for alarm in status.alarms}
