"""The start page, and how much pages of categories show: `site.front`, `site.headlines`, `pages.show`."""

from datetime import UTC, datetime, timedelta

from lxml import etree, html

from aggregator.model.entry import Entry
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LONG = "<p>" + "Some words of a text that goes on and on, and says little. " * 40 + "</p>"


def told(number: int, text: str | None = None) -> Entry:
    """Return an entry; the higher its number, the later its date."""
    return said(number, text=text, published=NOON - timedelta(hours=100 - number))


def written(site: SampleSite, categories: int, more: str = "", text: str | None = None) -> None:
    """Publish a site of categories with two stories each, the last category without any."""
    lines = [f"  - {{key: s{n}, url: 'https://s{n}.example/', category: c{n}}}\n" for n in range(categories)]
    site.writes(f"{more}publish: {{formats: [html, atom]}}\ndefaults: {{dedupe: exact}}\nsources:\n{''.join(lines)}")
    with site.opened() as app:
        source = FakeSource(app)
        for number in range(max(categories - 1, 1)):
            source.says(f"s{number}", told(2 * number, text), told(2 * number + 1, text))
        app.publisher.publish()
        assert app.publisher.publish(everything=True).changed == ()


def shown(site: SampleSite, path: str, query: str) -> list[str]:
    """Return the texts of what an XPath finds on a page."""
    page = html.fromstring((site.folder / "public" / path).read_bytes())
    found = page.xpath(query)
    assert isinstance(found, list)
    return [" ".join("".join(map(str, one.itertext())).split()) for one in found if isinstance(one, etree._Element)]


SECTIONS = "//*[@class='sections wide']/section/h2"
DAYS = "//*[@class='day']//h3"
NAMES = "//details[@id='categories']//a"


def test_each_category_shows_its_newest_story_and_empty_ones_are_last(sample_site: SampleSite) -> None:
    written(sample_site, 3, "site: {headlines: 1, description: About nothing}\ncategories: {c2: {}, c0: {}}\n")
    assert shown(sample_site, "index.html", SECTIONS) == ["c0", "c1", "c2"]
    assert shown(sample_site, "index.html", "//article[@class='first']/h3") == ["Title 1", "Title 3"]
    assert "This is what item 1 says" in shown(sample_site, "index.html", "//article[@class='first']/p")[0]
    assert shown(sample_site, "index.html", "//ol[@class='headlines']") == []
    assert shown(sample_site, "index.html", "//section/p[@class='onward']/a[1]") == ["2 stories", "2 stories"]
    assert shown(sample_site, "index.html", "//p[@class='lead about wide']") == ["About nothing"]
    assert '<meta name="description" content="About nothing">' in sample_site.published("index.html").decode()


def test_one_category_is_the_river(sample_site: SampleSite) -> None:
    written(sample_site, 1)
    assert shown(sample_site, "index.html", DAYS) == ["Title 1", "Title 0"]
    assert shown(sample_site, "index.html", SECTIONS) == []


def test_many_categories_begin_with_the_river_and_end_with_their_names(sample_site: SampleSite) -> None:
    written(sample_site, 25)
    assert len(shown(sample_site, "index.html", DAYS)) == 12
    assert len(shown(sample_site, "index.html", SECTIONS)) == 12
    assert shown(sample_site, "index.html", NAMES) == sorted(f"c{n}" for n in range(25))


def test_front_chooses_whatever_the_number(sample_site: SampleSite) -> None:
    written(sample_site, 25, "site: {front: categories}\n")
    assert len(shown(sample_site, "index.html", SECTIONS)) == 25
    assert shown(sample_site, "index.html", DAYS) == []
    written(sample_site, 25, "site: {front: latest}\n")
    assert len(shown(sample_site, "index.html", DAYS)) == 48
    assert shown(sample_site, "index.html", SECTIONS) == []


def test_pages_show(sample_site: SampleSite) -> None:
    prose, dense, more = "//div[@class='prose']", "//ol[@class='headlines dense']/li", "//p[@class='continued']"
    written(sample_site, 2, text=LONG)
    assert shown(sample_site, "category/c0.html", prose) == []
    assert shown(sample_site, "category/c0.html", more) == ["Read on", "Read on"]
    feed = (sample_site.folder / "public" / "category" / "c0.atom").read_bytes()
    written(sample_site, 2, "pages: {show: full}\ncategories: {c0: {page_show: titles}, c1: {}}\n", text=LONG)
    assert len(shown(sample_site, "category/c0.html", dense)) == 2
    written(sample_site, 2, "pages: {show: full}\n", text=LONG)
    assert len(shown(sample_site, "category/c0.html", prose)) == 2
    assert (sample_site.folder / "public" / "category" / "c0.atom").read_bytes() == feed


def test_the_name_of_the_site_has_its_picture(sample_site: SampleSite) -> None:
    written(sample_site, 1, "site: {logo: pictures/logo.svg}\n")
    index = html.fromstring((sample_site.folder / "public" / "index.html").read_bytes())
    category = html.fromstring((sample_site.folder / "public" / "category" / "c0.html").read_bytes())
    assert index.xpath("//header//img/@src") == ["pictures/logo.svg"]
    assert category.xpath("//header//img/@src") == ["../pictures/logo.svg"]
