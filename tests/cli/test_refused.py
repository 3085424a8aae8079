"""A command that refuses its arguments creates no store and puts no edited feeds.yaml in force."""

import pytest

from aggregator.cli import main
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
