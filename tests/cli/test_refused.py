"""A command that refuses its arguments creates no store and puts no edited feeds.yaml in force."""

import pytest

from aggregator.cli import main
from aggregator.store.titles import keys_without, may_have_entry, may_have_name
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer
from tests.rows import rows
from tests.sample_site import SampleSite, item, rss

ARGUMENTS = [
    ["poll", "nosuch"],
    ["retract", "nosuch"],
    ["merge", "nosuch", "other"],
    ["unmerge", "nosuch"],
    ["accept", "nosuch"],
    ["poll", "--for", "soon"],
]


def config_in_force(site: SampleSite) -> tuple[str, set[str]]:
    """Return the text of the feeds.yaml in force, and the active sources."""
    [(text,)] = rows(site.folder, "SELECT config FROM store")
    return text, {key for (key,) in rows(site.folder, "SELECT key FROM source WHERE active")}


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_refused_arguments_put_no_edit_in_force(
    sample_site: SampleSite, publisher: FeedServer, arguments: list[str]
) -> None:
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/feed', rss(item(1)))}'}}]\n")
    sample_site.poll()
    before = config_in_force(sample_site)
    sample_site.writes("sources: [{key: b, url: 'https://b.example/'}]\n")
    assert main(["-q", "-c", str(sample_site.folder / "feeds.yaml"), *arguments], {}) == 2
    assert config_in_force(sample_site) == before


@pytest.mark.parametrize("arguments", [["poll", "nosuch"], ["poll", "--for", "soon"]], ids=" ".join)
def test_refused_arguments_make_no_store(sample_site: SampleSite, arguments: list[str]) -> None:
    sample_site.writes("sources: [{key: b, url: 'https://b.example/'}]\n")
    assert main(["-q", "-c", str(sample_site.folder / "feeds.yaml"), *arguments], {}) == 2
    assert {path.name for path in sample_site.folder.iterdir()} == {"feeds.yaml"}


def test_a_source_that_a_list_names_can_be_polled_by_its_key(sample_site: SampleSite, publisher: FeedServer) -> None:
    feed = publisher.serve("/feed", rss(item(1)))
    opml = f'<opml version="2.0"><body><outline text="f" type="rss" xmlUrl="{feed}"/></body></opml>'
    listed = publisher.serve("/list.opml", opml.encode())
    sample_site.writes(f"sources: [{{kind: opml, key: roll, url: '{listed}'}}]\n")
    sample_site.poll()
    assert main(["-q", "-c", str(sample_site.folder / "feeds.yaml"), "poll", feed], {}) == 0
    assert main(["-q", "-c", str(sample_site.folder / "feeds.yaml"), "poll", f"{feed}2"], {}) == 2


def test_a_backup_is_not_restored_with_a_theme_that_can_not_be_used(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/feed', rss(item(1)))}'}}]\n")
    sample_site.poll()
    command = ["-q", "-c", str(sample_site.folder / "feeds.yaml")]
    assert main([*command, "backup", str(sample_site.folder / "copy.db")], {}) == 0
    (sample_site.folder / "theme").mkdir()
    (sample_site.folder / "theme" / "base.html").write_text("{% if %}")
    sample_site.writes("publish: {theme: theme}\nsources: [{key: b, url: 'https://b.example/'}]\n")
    (sample_site.folder / "var" / "aggregator.db").unlink()
    assert main([*command, "restore", str(sample_site.folder / "copy.db")], {}) == 2
    assert not (sample_site.folder / "var" / "aggregator.db").exists()


def test_a_backup_replaces_nothing_but_backups(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sample_site.folder
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/feed', rss(item(1)))}'}}]\n")
    sample_site.poll()
    (folder / "notes.txt").write_text("Call the printer.")
    (folder / "other.db").touch()
    (folder / "link.db").symlink_to(folder / "var" / "aggregator.db")
    store, config = folder / "var" / "aggregator.db", folder / "feeds.yaml"
    before = {path: path.read_bytes() for path in (store, config, folder / "notes.txt")}
    command = ["-q", "-c", str(config), "backup"]
    refused = (
        "feeds.yaml",
        "notes.txt",
        "var",
        "link.db",
        *(f"var/aggregator.db{end}" for end in ("", "-wal", "-shm")),
    )
    for name in refused:
        assert main([*command, str(folder / name)], {}) == 3, name
        assert "write another path" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
    for _ in range(2):
        assert main([*command, str(folder / "other.db")], {}) == 0


def test_a_restore_touches_nothing_of_a_store_that_is_there_or_in_use(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sample_site.folder
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/feed', rss(item(1)))}'}}]\n")
    sample_site.poll()
    store, log = folder / "var" / "aggregator.db", folder / "var" / "aggregator.db-wal"
    command = ["-q", "-c", str(folder / "feeds.yaml")]
    assert main([*command, "backup", str(folder / "copy.db")], {}) == 0
    restore = [*command, "restore", str(folder / "copy.db")]
    with sample_site.opened():
        assert main(restore, {}) == 4
        assert "another process uses this store" in capsys.readouterr().err
    assert main(restore, {}) == 3
    assert f"there is a store at {store}" in capsys.readouterr().err
    store.rename(folder / "away.db")
    log.write_bytes(b"what was not yet in the file")
    assert main(restore, {}) == 3
    assert f"a lost store left {log}; move it away" in capsys.readouterr().err
    assert log.read_bytes() == b"what was not yet in the file"
    log.rename(folder / "away.db-wal")
    assert main(restore, {}) == 0
    assert [path.name for path in folder.glob("copy.db*")] == ["copy.db"]


def test_no_name_of_an_entry_is_refused_before_the_store_is_opened(sample_site: SampleSite) -> None:
    site, store = sample_site, sample_site.folder / "var" / "aggregator.db"
    site.writes("sources: [{key: a, url: 'https://a.example/feed', category: x}]\n")
    assert may_have_entry(store, "none"), "there is no store: another message tells"
    with site.opened() as app:
        assert may_have_entry(store, "none"), "it knows nothing yet: its state may be lost"
        FakeSource(app).says(
            "a",
            said(1, own_id="7"),
            said(2, own_id="HTTPS://A.example/2?utm_source=x", link="https://a.example/%C3%BC?b=1&a=2#c"),
            said(3, own_id="tag:a.example,2026:3", link=None),
        )
        app.publisher.publish()
    [(number, atom_id, page)] = rows(site.folder, "SELECT id, atom_id, page_id FROM story ORDER BY id LIMIT 1")
    known = [
        *("7", "1", "2", "http://A.example/2?utm_source=x", "https://A.example/2?utm_source=x", "tag:a.example,2026:3"),
        *("https://a.example/%C3%BC?b=1&a=2#c", "http://a.example/%C3%BC?b=1&a=2#c", "https://news.example/1"),
        *(str(number), atom_id, page, f"http://127.0.0.1:8080/entry/{page[:2]}/{page}.html", f"{page}.html"),
    ]
    unknown = ("none", "8", "https://a.example/1", "tag:a.example,2026:4", "0" * 16, "", "'", "http://a.example/\u00fc")
    with site.opened() as app, app.store.read() as tx:
        found = {
            name: tx.finding.story(name) is not None or bool(tx.finding.entries(name)) for name in (*known, *unknown)
        }
    assert found == dict.fromkeys(known, True) | dict.fromkeys(unknown, False)
    assert {name: may_have_entry(store, name) for name in found} == found
    sources = ("a", "a.example", "A.EXAMPLE", "https://a.example/feed", "x", "category/x.atom", "\u00fc.example")
    assert all(may_have_name(store, name) for name in (*known, *sources))
    assert not may_have_name(store, "none")
    assert (keys_without(store, "none"), keys_without(store, "a.example")) == (["a"], None)
    site.writes("sources: [{key: a, url: 'https://a.example/feed', private: true}]\n")
    with site.opened():
        pass
    assert may_have_entry(store, "none"), "what is said of it must be without private addresses"
