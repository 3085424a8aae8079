"""The river: newest stories of all categories, and closed pages that stay as they are."""

from datetime import UTC, datetime, timedelta

from lxml import html

from aggregator.model.entry import Entry
from aggregator.publish.river import closing
from aggregator.store.river import RiverPage
from tests.fake_source import FakeSource, said
from tests.render.checks import Page
from tests.sample_site import SampleSite

YAML = """publish: {formats: [html, atom], entries: 10, archive_page: 10}
defaults: {initial: 500, dedupe: exact}
categories: {quiet: {unlisted: true}}
sources:
  - {key: a, url: "https://a.example/", category: birds}
  - {key: b, url: "https://b.example/", category: trees}
  - {key: c, url: "https://c.example/", category: quiet}
"""
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def river(site: SampleSite) -> dict[str, bytes]:
    """Return the pages of the river by name."""
    return {path.name: path.read_bytes() for path in (site.folder / "public").glob("latest*.html")}


def titles(data: bytes) -> list[str]:
    return [str(h3.xpath("string()")) for h3 in html.fromstring(data).iter("h3")]


def told(number: int, title: str | None = None) -> Entry:
    """Return an entry; the higher its number, the later its date."""
    return said(number, title=title, published=NOON - timedelta(hours=100 - number))


def test_closed_pages_hold_each_story_once_and_never_change(sample_site: SampleSite) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        source = FakeSource(app)
        source.says("a", *(told(n) for n in range(40)))
        source.says("c", told(900))
        app.publisher.publish()
        first = river(sample_site)
        assert len(first) > 3
        shown = [title for data in first.values() for title in titles(data)]
        assert sorted(shown) == sorted(f"Title {n}" for n in range(40)), "each once, none of an unlisted category"
        for n in range(40, 60):
            sample_site.clock.move(hours=1)
            source.says("b", told(n))
            app.publisher.publish()
        second = river(sample_site)
        assert {name: second[name] for name in first if name != "latest.html"} == {
            name: data for name, data in first.items() if name != "latest.html"
        }
        shown = [title for data in second.values() for title in titles(data)]
        assert sorted(shown) == sorted(f"Title {n}" for n in range(60))
        assert titles(second["latest.html"])[0] == "Title 59"
        newest = f"latest-{len(second) - 1}.html"
        assert Page(second["latest.html"]).all("a", rel="prev", href=newest)
        assert app.publisher.publish(everything=True).changed == ()


def test_a_story_that_changes_changes_its_closed_page_alone(sample_site: SampleSite) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        source = FakeSource(app)
        source.says("a", *(told(n) for n in range(40)))
        app.publisher.publish()
        before = river(sample_site)
        (place,) = (name for name, data in before.items() if "Title 33" in titles(data))
        source.says("a", told(33, title="Another title"), *(told(n) for n in range(40) if n != 33))
        app.publisher.publish()
        after = river(sample_site)
    assert {name for name in after if after[name] != before.get(name)} == {place}
    assert "Another title" in titles(after[place])


def test_tabs_count_the_stories_of_each_category(sample_site: SampleSite) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        source = FakeSource(app)
        source.says("a", *(told(n) for n in range(3)))
        source.says("b", told(7))
        source.says("c", told(8), told(9))
        app.publisher.publish()
    labels = [a["aria-label"] for a in Page(river(sample_site)["latest.html"]).all("a") if "aria-label" in a]
    assert labels == ["birds: 3 stories", "trees: 1 story"]
    assert b"latest.html" in (sample_site.folder / "public" / "all.html").read_bytes()


def test_closing_keeps_what_has_one_time_together() -> None:
    times = [NOON + timedelta(hours=n) for n in (9, 8, 7, 7, 7, 6, 5, 4, 3, 2)]
    pages = closing(times, None, size=3, kept=2, now=NOON)
    assert [(page.number, page.since.hour, page.until.hour) for page in pages] == [(1, 14, 17), (2, 17, 20)]
    last = RiverPage(number=7, since=NOON, until=NOON + timedelta(hours=1), closed_at=NOON)
    assert closing(times[:5], last, size=3, kept=3, now=NOON) == []
    (page,) = closing(times, last, size=5, kept=5, now=NOON)
    assert (page.number, page.since, page.until) == (8, last.until, NOON + timedelta(hours=7))
