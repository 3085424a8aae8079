"""Tests what a closed archive page shows, and that disk and store agree about it (M7; R47; invariant 4)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.clean.text import plain_text
from aggregator.model.correction import Act
from aggregator.model.entry import Entry
from aggregator.poll.maintenance import Maintenance
from tests.fake_source import FakeSource, said
from tests.publish.test_forced import force, old
from tests.rows import rows
from tests.sample_site import START, SampleSite
from tests.twin import ask

YAML = """
publish: {entries: 10, archive_page: 10, formats: [atom, rss, json, html]}
defaults: {dedupe: exact, initial: 200}
sources:
  - {key: one, url: 'https://one.example/', category: x}
"""
PAGES = tuple(f"category/x/archive/{number}.{suffix}" for number in (1, 2) for suffix in ("atom", "json", "html"))


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes("site: {title: A planet, base_url: 'https://planet.example/'}" + YAML)
    return site


def reframed(articles: Sequence[Entry], frame: str) -> list[Entry]:
    """Return articles as their source sends them since it changed the frame of all of them (R47)."""
    contents = [f"{one.content}<p>{frame}</p>" for one in articles]
    return [
        replace(one, content=content, text=plain_text(content)) for one, content in zip(articles, contents, strict=True)
    ]


def tell(site: SampleSite, *entries: Entry, key: str = "one") -> None:
    """Store a document of a source an hour later, and publish."""
    site.clock.move(hours=1)
    with site.opened() as app:
        FakeSource(app).says(key, *entries)
        app.publisher.publish()


def pages(site: SampleSite) -> dict[str, bytes]:
    return {path: site.published(path) for path in PAGES}


def count(site: SampleSite) -> int:
    """Return how many earlier texts archive pages go on to show."""
    return int(rows(site.folder, "SELECT count(*) FROM page_wording")[0][0])


def test_m7_a_template_change_reaches_no_closed_page_whenever_that_is_rendered(site: SampleSite) -> None:
    tell(site, *old(30))
    before = pages(site)
    tell(site, *reframed(old(30), "Follow us"))
    assert pages(site) == before
    assert b"Follow us" in site.published("category/x.atom")
    assert force(site) == [], "what stands on the disk is what the store renders"
    tell(site, *reframed(old(30), "Subscribe"))
    assert pages(site) == before
    assert force(site) == []


def test_m7_other_settings_render_a_closed_page_with_what_it_showed(site: SampleSite) -> None:
    tell(site, *old(30))
    tell(site, *reframed(old(30), "Follow us"))
    site.writes("site: {title: Our planet, base_url: 'https://planet.example/'}" + YAML)
    with site.opened() as app:
        app.publisher.publish()
    page = site.published("category/x/archive/1.html")
    assert b"Our planet" in page
    assert b"Follow us" not in page


def test_m7_a_revision_shows_on_a_closed_page_and_that_of_no_other_entry(site: SampleSite) -> None:
    articles = old(30)
    tell(site, *articles)
    tell(site, *(framed := reframed(articles, "Follow us")))
    framed[25] = replace(framed[25], title="Corrected")
    tell(site, *framed)
    items = site.items("category/x/archive/1.json")
    assert {one["title"]: "Follow us" in one["content_html"] for one in items} == {
        **{f"Title {number}": False for number in range(1, 11) if number != 5},
        "Corrected": True,
    }
    assert force(site) == []
    again = reframed(framed, "Subscribe")
    tell(site, *again)
    assert b"Subscribe" not in site.published("category/x/archive/1.json")
    assert force(site) == []


def test_m7_a_change_that_is_taken_back_leaves_the_page_alone(site: SampleSite) -> None:
    tell(site, *old(30))
    before = pages(site)
    tell(site, *reframed(old(30), "Follow us"))
    tell(site, *old(30))
    assert pages(site) == before
    assert force(site) == []


def test_r47_pages_of_stories_and_what_shows_all_categories_show_the_text_of_today(site: SampleSite) -> None:
    tell(site, *old(30))
    tell(site, *reframed(old(30), "Follow us"))
    [page] = [path for path in site.files() if path.startswith("entry/") and b"item 1 says" in site.published(path)]
    assert b"Follow us" in site.published(page)
    with site.opened() as app, app.store.read() as tx:
        (row,) = tx.categories.rows()
        [first, *_] = tx.documents.newest([row.id], 50)[-1:]
        [on_page] = [one for one in tx.documents.publications(row.id, 1) if one.story == first.story]
        assert "Follow us" in first.content
        assert "Follow us" not in on_page.content
        assert first.digest != on_page.digest, "each the digest of what it shows"
        assert first.updated == on_page.updated, "R47 moves none"


def test_m7_a_credit_on_a_closed_page_stays_as_it_was(site: SampleSite) -> None:
    site.writes(
        "site: {title: A planet, base_url: 'https://planet.example/'}"
        + YAML
        + "  - {key: two, url: 'https://two.example/', category: y}\n"
    )
    told = [replace(one, id=f"two-{one.id}") for one in old(30)]
    with site.opened() as app:
        FakeSource(app).says("one", *old(30))
        FakeSource(app).says("two", *told)
        app.publisher.publish()
    tell(site, *old(30))
    before = pages(site)
    assert b'"also"' in before["category/x/archive/1.json"]
    moved = [replace(one, link=one.link and type(one.link)(f"{one.link}/moved")) for one in told]
    tell(site, *moved, key="two")
    assert pages(site) == before
    assert b"/moved" in site.published("category/x.json")
    assert force(site) == []
    moved[29] = replace(moved[29], title="Corrected")
    tell(site, *moved, key="two")
    assert site.published("category/x/archive/1.json").count(b"/moved") == 1
    assert force(site) == []


def test_m7_edited_rules_reach_no_closed_page(site: SampleSite) -> None:
    tell(site, *old(30))
    before = pages(site)
    rule = "rewrite: [{title: {replace: '^Title', with: 'Story'}}]"
    site.writes(
        "site: {title: A planet, base_url: 'https://planet.example/'}"
        + YAML.replace("category: x}", f"category: x, {rule}}}")
    )
    with site.opened() as app:
        ask(app, Act.RULES)
        app.publisher.publish()
    assert site.titles("category/x.atom")[0] == "Story 30"
    assert pages(site) == before
    assert force(site) == []


def test_m8_what_was_withdrawn_stands_on_its_page_again_as_it_reads_today(site: SampleSite) -> None:
    tell(site, *old(30))
    tell(site, *reframed(old(30), "Follow us"))
    with site.opened() as app:
        with app.store.read() as tx:
            (row,) = tx.categories.rows()
            oldest = tx.documents.publications(row.id, 1)[-1].story
        assert count(site) == 20
        ask(app, Act.RETRACT, story=oldest, undo=False)
        app.publisher.publish()
        assert count(site) == 19
        site.clock.move(hours=1)
        ask(app, Act.RETRACT, story=oldest, undo=True)
        app.publisher.publish()
    assert "Follow us" in site.items("category/x/archive/1.json")[-1]["content_html"]
    assert force(site) == []


def test_k3_a_page_that_loses_its_texts_keeps_none_of_them_elsewhere(site: SampleSite) -> None:
    site.writes(
        "site: {title: A planet, base_url: 'https://planet.example/'}"
        + YAML.replace("category: x}", "category: x, keep: 30d}")
    )
    tell(site, *old(30))
    tell(site, *reframed(old(30), "Follow us"))
    tell(site, said(31, published=START))
    site.clock.move(days=40)
    with site.opened() as app:
        assert count(site) == 20
        while Maintenance(app.store, app.clock).thin():
            pass
        app.publisher.publish()
        assert count(site) == 0
    item = json.loads(site.published("category/x/archive/1.json"))["items"][-1]
    assert item["content_text"] == ""
    assert force(site) == []


def test_i42_an_earlier_date_shows_on_a_closed_page(site: SampleSite) -> None:
    articles = old(30)
    tell(site, *articles)
    tell(site, *(framed := reframed(articles, "Follow us")))
    earlier = START - timedelta(days=400)
    framed[29] = replace(framed[29], published=earlier)
    tell(site, *framed)
    dates = [one["date_published"] for one in site.items("category/x/archive/1.json")]
    assert min(dates).startswith(earlier.date().isoformat())
    assert force(site) == []
