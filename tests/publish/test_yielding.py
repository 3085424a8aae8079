"""Pages that came later give way to files of the operator with the same names: no site breaks on an upgrade."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lxml import html

from aggregator.model.entry import Entry
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

NAMES = ("404.html", "all.html", "latest.html", "latest-2.html", "robots.txt")
SOURCES = "defaults: {initial: 500}\nsources: [{key: a, url: 'https://a.example/', category: x}]\n"
HEAD = "site: {base_url: 'https://planet.example/', front: latest}\n"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
OPTIONS = "formats: [html, atom], entries: 10, archive_page: 10"


def told(number: int) -> list[Entry]:
    """Return so many entries, an hour between them."""
    return [said(n, published=NOON - timedelta(hours=100 - n)) for n in range(number)]


def publish(site: SampleSite, options: str, *, to: int = 40, front: str = HEAD) -> tuple[str, ...]:
    """Publish a site of some entries with more options of `publish`; return what changed."""
    site.writes(f"{front}publish: {{{OPTIONS}{options}}}\n{SOURCES}")
    with site.opened() as app:
        FakeSource(app).says("a", *told(to))
        return tuple(app.publisher.publish().changed)


def leading(site: SampleSite) -> dict[str, set[str]]:
    """Return the pages that have links to each of the names."""
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    public = site.folder / "public"
    for page in public.rglob("*.html"):
        path = page.relative_to(public).as_posix()
        if path in NAMES and b"generator" not in page.read_bytes():
            continue
        for element in html.fromstring(page.read_bytes()).iter("a", "link"):
            name = str(element.get("href")).rpartition("/")[2]
            if name in found and name != path:
                found[name].add(path)
    return found


def is_ours(site: SampleSite, name: str) -> bool:
    return b"generator" in site.published(name)


def check_yielded(site: SampleSite) -> None:
    links = leading(site)
    assert not any(links.values()), links
    index = site.published("index.html").decode()
    assert "Title 39" in index, "the start page shows the river"
    assert 'rel="prev" href="latest-' in index
    assert 'rel="prev" href="latest-1.html"' in site.published("latest-3.html").decode(), "past the page that yields"


def put_static(site: SampleSite) -> str:
    folder = site.folder / "static"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text("mine")
    return ", static: static/"


def put_aliases(site: SampleSite) -> str:
    return f", aliases: {{{', '.join(f'{name}: status.json' for name in NAMES)}}}"


def put_files(site: SampleSite) -> str:
    (site.folder / "public").mkdir(exist_ok=True)
    for name in NAMES:
        (site.folder / "public" / name).write_text("mine")
    return ""


@pytest.mark.parametrize("put", [put_static, put_aliases, put_files])
def test_a_file_of_the_operator_stays_and_no_link_leads_to_it(
    sample_site: SampleSite, put: Callable[[SampleSite], str]
) -> None:
    publish(sample_site, put(sample_site))
    assert not any(is_ours(sample_site, name) for name in NAMES if put is not put_aliases)
    if put is put_aliases:
        publish(sample_site, put(sample_site), to=40)  # status.json stands now
        assert {sample_site.published(name) for name in NAMES} == {sample_site.published("status.json")}
    check_yielded(sample_site)


@pytest.mark.parametrize("put", [put_static, put_aliases])
def test_ours_come_and_go_with_the_operators(sample_site: SampleSite, put: Callable[[SampleSite], str]) -> None:
    publish(sample_site, "")
    before = sample_site.outputs()
    assert all(is_ours(sample_site, name) for name in NAMES)
    options = put(sample_site)
    for _ in range(2):  # in the second, an alias has its target
        publish(sample_site, options)
    check_yielded(sample_site)
    publish(sample_site, "", to=41)
    assert sample_site.outputs().keys() - before.keys() <= {f"latest-{n}.html" for n in range(9)} | {
        path for path in sample_site.outputs() if path.startswith(("entry/", "category/x/archive/"))
    }
    assert all(is_ours(sample_site, name) for name in NAMES)
    assert publish(sample_site, "", to=41) == (), "nothing is left to do"


def test_a_file_put_over_ours_later_stays(sample_site: SampleSite) -> None:
    publish(sample_site, "")
    put_files(sample_site)
    publish(sample_site, "", to=41)
    assert all(sample_site.published(name) == b"mine" for name in NAMES)
    links = leading(sample_site)
    del links["latest-2.html"]  # pages behind it are closed, and not looked at again
    assert not any(links.values()), links
    for name in NAMES:
        (sample_site.folder / "public" / name).unlink()
    publish(sample_site, "", to=42)
    assert all(is_ours(sample_site, name) for name in NAMES)
    assert "index.html" in leading(sample_site)["latest.html"]


def test_one_put_over_ours_while_a_service_runs(sample_site: SampleSite) -> None:
    publish(sample_site, "")
    with sample_site.opened() as app:
        put_files(sample_site)
        for n in (41, 42):  # the first publication finds the file, the second renders the pages that led there
            FakeSource(app).says("a", *told(n))
            app.publisher.publish()
        assert not app.publisher.style.river
    assert not leading(sample_site)["latest.html"]
    assert sample_site.published("latest.html") == b"mine"


def test_a_sitemap_names_the_pages_of_the_river_that_are_ours(sample_site: SampleSite) -> None:
    def named() -> list[str]:
        return re.findall(r"/(latest[^<]*)</loc>", sample_site.published("sitemap.xml").decode())

    publish(sample_site, "")
    pages = named()
    assert (pages[0], pages[-1]) == ("latest.html", "latest-1.html")
    assert sorted(pages) == sorted(path.name for path in (sample_site.folder / "public").glob("latest*.html"))
    publish(sample_site, put_static(sample_site))
    assert named() == [name for name in pages if name not in NAMES]
