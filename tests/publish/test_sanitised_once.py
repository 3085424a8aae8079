"""HTML that this version of the sanitiser wrote is published as it is; any other is sanitised again (S30)."""

import pytest
from sqlalchemy import update

from aggregator.clean.sanitiser import is_sanitised
from aggregator.render import fields
from aggregator.store.schema import entry
from tests.feed_server import FeedServer, Reply
from tests.rows import change, rows
from tests.sample_site import SampleSite, rss
from tests.test_full_text import FIRST, REST, page

YAML = """
publish: {{entry_pages: true}}
sources:
  - {{key: plain, url: '{0}/plain', allow_classes: [note]}}
  - key: rewritten
    url: '{0}/rewritten'
    rewrite: [{{content: {{replace: One, with: Two}}}}, {{summary: {{replace: Short, with: Long}}}}]
  - {{key: articles, url: '{0}/articles', full_text: true, dedupe: off}}
"""
DIRTY = '<p class="note x" onclick="y">One &amp; <a href="/a">link</a><script>evil()</script></p>'


@pytest.fixture
def site(publisher: FeedServer, sample_site: SampleSite) -> SampleSite:
    """A site whose stored texts came in every way: from feeds, `rewrite` and articles."""
    item = {"guid": "1", "title": "One", "content": DIRTY, "description": f"<i>Short</i> {DIRTY}"}
    publisher.says("/robots.txt", Reply(404))
    for path in ("/plain", "/rewritten"):
        publisher.serve(path, rss(item | {"guid": path}))
    publisher.serve(
        "/articles", rss({"guid": "3", "link": publisher.url("/article"), "description": f"<p>{FIRST[:70]}…</p>"})
    )
    publisher.says("/article", page(f"{FIRST}<script>evil()</script>", REST))
    sample_site.writes(YAML.format(publisher.url("")))
    sample_site.poll()
    fields.forget()
    return sample_site


def publish(site: SampleSite) -> dict[str, bytes]:
    with site.opened() as app:
        app.publisher.publish(everything=True)
    fields.forget()
    return {path: data for path, (data, *_) in site.files().items()}


def test_whatever_cleaned_it_last_is_on_record(site: SampleSite) -> None:
    columns = "source.key, summary, content, cleaned"
    found = rows(site.folder, f"SELECT {columns} FROM entry JOIN source ON source.id = source_id ORDER BY source.id")
    assert [row.key for row in found] == ["plain", "rewritten", "articles"]
    assert [bool(row.summary) for row in found] == [True, True, True]
    for row in found:
        classes = frozenset({"note"}) if row.key == "plain" else frozenset[str]()
        assert is_sanitised(row.content, row.cleaned.split(), classes)
        assert is_sanitised(row.summary, row.cleaned.split(), classes)
    assert "Two" in found[1].content
    assert REST in found[2].content


def test_it_is_published_as_it_is(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(html: str, *_: object) -> str:
        raise AssertionError(html)

    before = publish(site)
    monkeypatch.setattr(fields, "sanitise", refuse)
    assert publish(site) == before
    assert b"evil" not in b"".join(before.values())


def test_without_a_checksum_it_is_sanitised_again_to_the_same_bytes(site: SampleSite) -> None:
    before = publish(site)
    change(site.folder, update(entry).values(cleaned=None))
    assert publish(site) == before


def test_a_store_edited_by_hand_publishes_no_script(site: SampleSite) -> None:
    before = publish(site)
    change(site.folder, "UPDATE entry SET content = content || '<script>evil()</script>'")
    assert publish(site) == before


def test_class_names_that_are_no_longer_allowed_are_not_published(site: SampleSite) -> None:
    assert b"note" in publish(site)["category/general.atom"]
    yaml = site.folder / "feeds.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8").replace("[note]", "[other]"), encoding="utf-8")
    assert b"note" not in publish(site)["category/general.atom"]
