"""Where pages of categories and archives lead: to the categories beside, to newer and older pages (decision 0184)."""

import pytest

from aggregator.publish.looks import NEAR
from tests.fake_source import FakeSource, said
from tests.publish.test_start_page import shown
from tests.sample_site import SampleSite

ARCHIVES = """
site: {title: T}
publish: {formats: [atom, html], entry_pages: false, gzip: false, entries: 10, archive_page: 10}
defaults: {dedupe: exact, initial: 200}
sources: [{key: a, url: 'https://a.example/', category: a}]
"""
BESIDE = "//nav[contains(@class, 'beside')]//a"
OWN = BESIDE + "[@aria-current]"
ONWARD = "//nav[@class='onward']/a"
LISTED = "//details[@id='archives']//li"


def with_categories(site: SampleSite, *keys: str, more: str = "") -> None:
    lines = [f"  - {{key: s-{key}, url: 'https://{key}.example/', category: {key}}}\n" for key in keys]
    head = f"site: {{title: T}}\npublish: {{formats: [atom, html], gzip: false}}\n{more}"
    site.writes(f"{head}sources:\n{''.join(lines)}")
    with site.opened() as app:
        app.publisher.publish()
        assert app.publisher.publish(everything=True).changed == ()


def tell(site: SampleSite, start: int, end: int) -> tuple[str, ...]:
    """Publish stories, and return the paths that changed."""
    site.clock.move(days=2)
    with site.opened() as app:
        FakeSource(app).says("a", *(said(str(number)) for number in range(start, end)))
        site.clock.move(days=2)
        return app.publisher.publish().changed


def test_a_category_leads_to_those_beside_it_but_for_unlisted_ones(sample_site: SampleSite) -> None:
    with_categories(sample_site, "x", "y", "z", more="categories: {x: {title: Ex}, z: {unlisted: true}, y: {}}\n")
    assert shown(sample_site, "category/x.html", BESIDE) == ["Ex", "y"]
    assert shown(sample_site, "category/x.html", OWN) == ["Ex"]
    assert shown(sample_site, "category/y.html", OWN) == ["y"]
    assert shown(sample_site, "category/z.html", BESIDE) == []


def test_the_only_category_leads_to_none(sample_site: SampleSite) -> None:
    with_categories(sample_site, "x")
    assert shown(sample_site, "category/x.html", BESIDE) == []


def test_a_new_category_changes_the_pages_of_its_neighbours_and_no_feed(sample_site: SampleSite) -> None:
    keys = [f"c{number:02}" for number in range(3 * NEAR)]
    with_categories(sample_site, *keys)
    assert shown(sample_site, "category/c20.html", BESIDE) == [*keys[14:26], "All categories"]
    assert len(shown(sample_site, "category/c00.html", BESIDE)) == NEAR + 1
    before = sample_site.files()
    with_categories(sample_site, *keys, "later")
    after = sample_site.files()
    changed = {path for path in before if path.startswith("category/") and after[path] != before[path]}
    assert changed == {f"category/{key}.html" for key in keys[1 - NEAR // 2 :]}
    assert shown(sample_site, "category/c35.html", BESIDE)[-2:] == ["later", "All categories"]


def test_archive_pages_lead_to_newer_and_older_ones_and_are_listed(sample_site: SampleSite) -> None:
    sample_site.writes(ARCHIVES)
    tell(sample_site, 0, 30)
    assert shown(sample_site, "category/a.html", ONWARD) == ["Older stories"]
    listed = [line[:15] for line in shown(sample_site, "category/a.html", LISTED)]
    assert listed == ["Archive, page 2", "Archive, page 1"]
    assert shown(sample_site, "category/a/archive/1.html", ONWARD) == ["Newer stories"]
    assert shown(sample_site, "category/a/archive/2.html", ONWARD) == ["Newer stories", "Older stories"]
    assert shown(sample_site, "category/a/archive/2.html", f"{ONWARD}[@href='../../a.html']") == ["Newer stories"]
    assert shown(sample_site, "category/a/archive/2.html", LISTED) == []


def test_the_page_before_a_new_one_leads_to_it_and_its_feed_stays(sample_site: SampleSite) -> None:
    sample_site.writes(ARCHIVES)
    tell(sample_site, 0, 30)
    before = sample_site.files()
    for start in range(30, 50, 2):
        tell(sample_site, start, start + 2)
        if "category/a/archive/3.html" in sample_site.files():
            break
    after = sample_site.files()
    assert shown(sample_site, "category/a/archive/2.html", f"{ONWARD}[@href='3.html']") == ["Newer stories"]
    changed = {path for path in before if "/archive/" in path and after[path] != before[path]}
    assert changed == {"category/a/archive/2.html"}
    assert len(shown(sample_site, "category/a.html", LISTED)) == 3
    with sample_site.opened() as app:
        assert not any("category" in path for path in app.publisher.publish(everything=True).changed)


def test_a_page_that_a_crash_left_leads_to_the_newer_one_later(
    sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_site.writes(ARCHIVES)
    tell(sample_site, 0, 30)
    for start in range(30, 38, 2):
        tell(sample_site, start, start + 2)
    sample_site.clock.move(days=2)
    with sample_site.opened() as app:
        FakeSource(app).says("a", *(said(str(number)) for number in range(38, 42)))
        sample_site.clock.move(days=2)
        with monkeypatch.context() as broken:
            broken.setattr("aggregator.publish.output_list.OutputList.put", _crash)
            with pytest.raises(KeyboardInterrupt):
                app.publisher.publish()
    assert "category/a/archive/3.html" not in sample_site.files()
    with sample_site.opened() as app:
        app.publisher.publish()
        assert shown(sample_site, "category/a/archive/2.html", f"{ONWARD}[@href='3.html']") == ["Newer stories"]
        assert not any("category" in path for path in app.publisher.publish(everything=True).changed)


def _crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
