"""Pages for errors: written for static hosts, in the frame of all pages, and never over a file of the operator."""

from pathlib import Path

import pytest

from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

ERRORS = ("404.html", "410.html", "500.html")
YAML = 'site: {title: T, base_url: "https://planet.example/news/"}\nsources: [{key: a, url: "https://a.example/"}]\n'


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    return site


def publishes(site: SampleSite, *numbers: int) -> tuple[str, ...]:
    with site.opened() as app:
        if numbers:
            FakeSource(app).says("a", *map(said, numbers))
        return app.publisher.publish().changed


def test_an_error_names_the_newest_stories_by_links_from_the_root(site: SampleSite) -> None:
    assert set(ERRORS) <= set(publishes(site, *range(9)))
    page = site.published("404.html").decode()
    assert "<h1>There is no page at this address</h1>" in page
    assert page.count('class="title" href="/news/entry/') == 5
    assert '<link rel="stylesheet" href="/news/style.css">' in page
    assert '<meta name="robots" content="noindex">' in page
    assert "/news/entry/" in site.published("410.html").decode()
    assert "/news/entry/" not in site.published("500.html").decode()


def test_they_change_with_the_newest_stories_alone(site: SampleSite) -> None:
    publishes(site, *range(3))
    assert not set(ERRORS) & set(publishes(site))
    assert set(publishes(site, *range(4))) & set(ERRORS) == {"404.html", "410.html"}


def test_a_file_of_the_operator_is_not_written_over(site: SampleSite) -> None:
    static = site.folder / "static"
    static.mkdir()
    (static / "404.html").write_bytes(b"mine")
    (site.folder / "public").mkdir()
    (site.folder / "public" / "410.html").write_bytes(b"mine, by hand")
    site.writes(f"{YAML}publish: {{static: static/, aliases: {{500.html: all.atom}}}}\n")
    publishes(site, 1)
    assert site.published("404.html") == b"mine"
    assert site.published("410.html") == b"mine, by hand"
    assert site.published("500.html") == site.published("all.atom")
    assert not set(ERRORS) & set(publishes(site))
