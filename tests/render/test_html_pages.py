"""Pages for people."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model.entry import Enclosure, Origin, Person
from aggregator.model.hosts import Rest
from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.story import CategoryLine, Credit, River, RiverTab, SourceLine, SourcePage, StoryPage, StoryPlace
from aggregator.render import html_pages, theme_check
from aggregator.render.html_pages import render_archive, render_category, render_story
from aggregator.render.river import render_river
from aggregator.render.source_pages import render_source, render_sources
from aggregator.render.status_page import render_status_page
from aggregator.render.template_context import is_right_to_left
from aggregator.render.theme import plain_style
from aggregator.urls import Url
from tests.examples import examples
from tests.render.checks import Page
from tests.render.records import LINKLESS, RICH, SAMPLE, SITE, a_document, a_publication, a_start_page, an_archive

FORMATS = frozenset({"atom", "rss", "json", "html"})
BERLIN = replace(SITE, timezone="Europe/Berlin")
CHINESE_SITE = replace(SITE, title="星球", language="zh-CN", timezone="Asia/Shanghai")
LINES = (
    CategoryLine(
        key=CategoryKey("python"),
        title="Python",
        description="News about Python",
        path="category/python",
        newest=SAMPLE.publications,
    ),
    CategoryLine(key=CategoryKey("none"), title="None", description=None, path="category/none", newest=()),
)


def a_source(state: State, code: str | None = None, **changes: object) -> SourceLine:
    plain = SourceLine(
        key=SourceKey("heron"),
        title="Heron Notes",
        link=Url("https://heron.example/"),
        url="https://heron.example/feed.atom",
        state=state,
        code=code,
        categories=("Python", "Web"),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # by table


SOURCES = (
    a_source(State.OK),
    a_source(State.FAILING, "dns", key=SourceKey("egret"), title="Egret Daily", url="https://egret.example/rss?…"),
    a_source(State.GONE, "gone", key=SourceKey("stork"), title="Stork", link=None, url=None, categories=()),
    a_source(State.NEVER, key=SourceKey("new"), title=""),
    a_source(State.SUSPECT, key=SourceKey("odd"), title="Odd"),
    a_source(State.PAUSED, key=SourceKey("rest"), title="Rest"),
)


def page_of(line: SourceLine) -> SourcePage:
    return SourcePage(
        path=f"source/{line.key}.html",
        line=line,
        places=(StoryPlace(title="Python", path="category/python"),) if line.categories else (),
        publications=SAMPLE.publications if line.state is State.OK else (),
    )


RIVER = River(
    publications=SAMPLE.publications,
    places={SAMPLE.publications[0].category: StoryPlace(title="Python", path="category/python")},
    older=2,
    tabs=(
        RiverTab(title="Python", path="category/python", count=207),
        RiverTab(title="None", path="category/none", count=1),
    ),
    others=3,
)


def every_page() -> dict[str, bytes]:
    """Render one of each."""
    in_chinese = replace(SAMPLE, language="zh-CN", path="category/zh", prev_archive=None)
    in_arabic = replace(SAMPLE, language="ar", path="category/ar", prev_archive=None)
    return {
        "category/python.html": render_category(SAMPLE, SITE, FORMATS),
        "category/empty.html": render_category(a_document(path="category/empty"), SITE, FORMATS),
        "category/python/archive/2.html": render_archive(an_archive(2, RICH, LINKLESS), SITE, FORMATS),
        "category/zh.html": render_category(in_chinese, CHINESE_SITE, frozenset({"atom"})),
        "category/ar.html": render_category(in_arabic, replace(SITE, language="ar"), FORMATS),
        "index.html": a_start_page(LINES, SITE, FORMATS, also=frozenset({"opml.xml", "sources.opml", "status.html"})),
        "sources.html": render_sources(SOURCES, SITE, FORMATS),
        **{f"source/{line.key}.html": render_source(page_of(line), SITE, FORMATS) for line in SOURCES},
        "latest.html": render_river(RIVER, SITE, FORMATS),
        "latest-2.html": render_river(replace(RIVER, number=2, older=1, tabs=()), SITE, FORMATS),
    }


PAGES = every_page()
EACH_PAGE = pytest.mark.parametrize(("path", "data"), PAGES.items(), ids=PAGES)


@pytest.mark.usefixtures("html_as_it_is")
@pytest.mark.parametrize("path", PAGES)
def test_a30_pages(path: str, golden: Callable[[str, bytes], None]) -> None:
    golden(path.replace("/", "-"), every_page()[path])


@EACH_PAGE
def test_a60_pages_are_sound_html_without_script(path: str, data: bytes) -> None:
    seen = Page(data)
    assert seen.faults == []
    assert data.startswith(b"<!DOCTYPE html>\n")
    assert data.endswith(b"</html>\n")
    names = {tag for tag, _ in seen.tags}
    assert not names & {"script", "style", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on") or name == "style"]


@EACH_PAGE
def test_a60_pages_lead_to_the_feeds_and_say_their_own_address(path: str, data: bytes) -> None:
    seen = Page(data)
    feeds = seen.all("link", rel="alternate")
    assert feeds
    assert all(feed["title"] and feed["type"] and str(feed["href"]).startswith("https://") for feed in feeds)
    canonical = seen.all("link", rel="canonical")[0]["href"]
    assert canonical == (
        "https://planet.example.org/" if path == "index.html" else f"https://planet.example.org/{path}"
    )


def test_a60_feeds_are_those_that_are_published() -> None:
    seen = Page(render_category(SAMPLE, SITE, frozenset({"atom", "html"})))
    assert [feed["type"] for feed in seen.all("link", rel="alternate")] == ["application/atom+xml"]


def test_a60_an_archive_page_offers_the_feed_of_its_category() -> None:
    seen = Page(PAGES["category/python/archive/2.html"])
    assert seen.all("link", rel="alternate")[0]["href"] == "https://planet.example.org/category/python.atom"


@EACH_PAGE
def test_the_address_to_subscribe_to_can_be_seen(path: str, data: bytes) -> None:
    seen = Page(data)
    atom = seen.all("link", rel="alternate")[0]["href"]
    if path != "sources.html":
        assert [field["value"] for field in seen.all("input") if "readonly" in field] == [atom]
        assert len(seen.all("a", href=str(atom))) == 2, "as a format, and below the field"


@EACH_PAGE
def test_links_between_pages_lead_to_pages(path: str, data: bytes) -> None:
    known = {
        *PAGES, "style.css", "icon.svg", "favicon.ico", "apple-touch-icon.png", "opml.xml", "sources.opml",
        "status.html", "category/python/archive/1.html", "category/none.html", "latest-1.html",
    }  # fmt: skip
    seen = Page(data)
    for tag, attributes in seen.tags:
        href = attributes.get("href")
        if tag in ("a", "link") and href and ":" not in href:
            target, _, fragment = urljoin(f"http://x/{path}", href).removeprefix("http://x/").partition("#")
            assert target in known, href
            if fragment and target == path:
                assert fragment in seen.ids, href
            elif fragment:
                assert fragment in Page(PAGES[target]).ids, href


@EACH_PAGE
def test_a61_headings_come_in_order(path: str, data: bytes) -> None:
    levels = Page(data).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 2 for before, after in pairwise(levels))


def test_a61_headings_of_content_stand_below_those_of_stories() -> None:
    seen = Page(PAGES["category/python.html"])
    assert seen.headings == [1, 2, 2, 3, 4, 2, 2, 2, 2]


@EACH_PAGE
def test_a62_pages_can_be_used_by_all(path: str, data: bytes) -> None:
    seen = Page(data)
    assert seen.all("html")[0]["lang"]
    assert seen.all("a")[0]["href"] == "#stories"
    assert seen.all("main", id="stories")
    assert all("alt" in image for image in seen.all("img"))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(time["datetime"])) for time in seen.all("time"))


def test_a62_language_stands_on_what_differs_from_the_page() -> None:
    seen = Page(PAGES["category/python.html"])
    assert [article.get("lang") for article in seen.all("article")] == ["en-GB", "zh-CN", "ar", None, None]
    assert [a.get("lang") for a in Page(PAGES["category/ar.html"]).all("article")] == [
        "en-GB",
        "zh-CN",
        None,
        "und-Latn",
        "und-Latn",
    ]


def test_a62_script_tells_a_language_that_nobody_names() -> None:
    told = a_publication(title="東京の新しい条例", content="<p>今日は&amp;良い天気です</p>")
    assert Page(render_category(a_document(told), SITE, FORMATS)).all("article")[0]["lang"] == "ja"
    assert (
        Page(render_category(a_document(replace(told, language="ko")), SITE, FORMATS)).all("article")[0]["lang"] == "ko"
    )


def test_a63_direction() -> None:
    assert Page(PAGES["category/ar.html"]).all("html")[0]["dir"] == "rtl"
    persian = render_category(SAMPLE, replace(SITE, language="fa"), FORMATS)
    assert "dir" not in Page(persian).all("html")[0]  # no Persian catalogue: labels are English
    assert is_right_to_left("ar-EG")
    assert not is_right_to_left("zh")
    seen = Page(PAGES["category/python.html"])
    assert [h.get("dir") for h in seen.all("h2")] == [None, "auto", "auto", "rtl", "auto", "auto"]
    assert {prose.get("dir") for prose in seen.all("div") if prose.get("class") == "prose"} == {"auto", "rtl"}


def test_a63_marks_that_turn_what_follows_are_taken_out_of_titles() -> None:
    turned = a_publication(title="a\u202eb\u2066c", origin=Origin(id="urn:example:1", title="\u202ename"))
    text = render_category(a_document(turned), SITE, FORMATS).decode()
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)
    assert ">abc</a>" in text


def test_a64_dates_are_in_the_zone_and_the_zone_is_named() -> None:
    text = render_category(a_document(RICH), BERLIN, FORMATS).decode()
    assert '<time datetime="2025-03-01T11:00:00Z">1 March 2025, 12:00</time>' in text
    assert "Times are those of Europe/Berlin." in text


def test_a64_an_undated_story_claims_no_date_of_its_own() -> None:
    text = render_category(a_document(LINKLESS), SITE, FORMATS).decode()
    assert '<time datetime="2025-03-01T08:05:00Z">1 March 2025 or earlier</time>' in text


def test_a_source_of_many_categories_names_the_first_twelve() -> None:
    page = page_of(SOURCES[0])
    places = tuple(StoryPlace(title=f"报纸{number}", path=f"category/{number}") for number in range(13))
    seen = Page(render_source(replace(page, places=places), CHINESE_SITE, FORMATS))
    assert "../category/11.html" in {a["href"] for a in seen.all("a")}
    assert "报纸10、报纸11 全部分类" in seen.text, "the rest stand on the start page"
    line = replace(page.line, categories=tuple(place.title for place in places))
    assert "报纸10、报纸11、…" in Page(render_sources([line], CHINESE_SITE, FORMATS)).text


def test_a67_a_chinese_site_has_chinese_pages() -> None:
    seen = Page(PAGES["category/zh.html"])
    assert seen.all("html")[0]["lang"] == "zh-CN"
    assert "2025年3月1日 19:00" in seen.text
    assert "订阅" in seen.text
    for word in ("Subscribe", "Home", "Sources", "Older", "Times"):
        assert word not in seen.text


def test_a68_images_load_late_and_tell_nobody() -> None:
    [image] = Page(render_category(a_document(RICH), SITE, FORMATS)).all("img")
    assert (image["loading"], image["referrerpolicy"], image["alt"]) == ("lazy", "no-referrer", "")


def test_a69_fifty_stories_in_full_the_rest_as_headlines() -> None:
    many = [a_publication(number) for number in range(1, 121)]
    seen = Page(render_category(a_document(*many), SITE, FORMATS))
    assert seen.faults == []
    assert len(seen.all("article")) == 50
    assert {publication.page_id for publication in many} <= set(seen.ids)
    assert "Story 120" in seen.text
    assert "Text of story 120" not in seen.text


def test_a69_headlines_are_bounded_too() -> None:
    many = [a_publication(number, title="long " * 200) for number in range(1, 1200)]
    data = render_category(a_document(*many), SITE, FORMATS)
    assert len(data) < 1024 * 1024
    assert len(Page(data).all("article")) == 50


def test_a69_a_page_stays_below_a_megabyte_and_loses_no_story() -> None:
    large = [a_publication(number, content="<p>" + "長い文 " * 30_000 + "</p>") for number in range(1, 21)]
    data = render_category(a_document(*large), SITE, FORMATS)
    seen = Page(data)
    assert len(data) < 1024 * 1024
    assert len(seen.all("article")) == 20
    assert "Read on at Heron Notes" in seen.text
    assert "…" in seen.text


@EACH_PAGE
def test_a80_policy_stands_in_every_page(path: str, data: bytes) -> None:
    [policy] = Page(data).all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert str(policy["content"]).startswith("default-src 'none'; ")
    for part in ("img-src https: http:", "style-src 'self'", "base-uri 'none'", "form-action 'none'"):
        assert part in str(policy["content"])


@EACH_PAGE
def test_a1_every_page_bears_the_mark(path: str, data: bytes) -> None:
    assert b'<meta name="generator" content="aggregator">' in data


def test_s39_markup_is_let_through_in_one_place() -> None:
    templates = Path(html_pages.__file__).parent / "templates"
    text = "".join(file.read_text() for file in sorted(templates.glob("*.html")))
    assert len(re.findall(r"\|\s*safe\b", text)) == 1
    assert "autoescape" not in text


EVIL = "\"><script>x</script>'&<b>"


def test_s39_foreign_text_is_escaped_everywhere() -> None:
    evil = a_publication(
        title=EVIL,
        authors=(Person(name=EVIL),),
        origin=Origin(id="urn:example:1", title=EVIL, link=Url(f"https://x.example/{EVIL}")),
        credits=(Credit(source=SourceKey("x"), title=EVIL, link=Url(f"https://x.example/{EVIL}")),),
        enclosures=(Enclosure(url=Url(f"https://x.example/{EVIL}"), title=EVIL, type="audio/mpeg"),),
        language="en",
        link=Url(f"https://x.example/{EVIL}"),
    )
    document = a_document(evil, title=EVIL, description=EVIL)
    line = CategoryLine(key=CategoryKey("x"), title=EVIL, description=EVIL, path="category/python", newest=(evil,))
    source = a_source(State.OK, title=EVIL, categories=(EVIL,), url=f"https://x.example/{EVIL}")
    site = replace(SITE, title=EVIL)
    for data in (
        render_category(document, site, FORMATS),
        render_archive(an_archive(1, evil, title=EVIL), site, FORMATS),
        a_start_page([line], site, FORMATS),
        render_sources([source], site, FORMATS),
    ):
        seen = Page(data)
        assert seen.faults == []
        assert not seen.all("script")
        assert not seen.all("b")


def test_s33_only_web_links_become_links() -> None:
    odd = Url("javascript:alert(1)")
    publication = a_publication(
        link=odd,
        origin=Origin(id="urn:example:1", title="x", link=odd),
        credits=(Credit(source=SourceKey("y"), title="y", link=odd),),
        enclosures=(Enclosure(url=odd),),
    )
    assert b"javascript" not in render_category(a_document(publication), SITE, FORMATS)
    assert b"javascript" not in render_sources([a_source(State.OK, link=odd)], SITE, FORMATS)


def test_the_other_copies_are_named() -> None:
    seen = Page(render_category(a_document(RICH), SITE, FORMATS))
    assert re.search(r"Also told by\s+Egret Daily, stork", seen.text)
    assert seen.all("a", href="https://egret.example/same")


def test_audio_can_be_heard_without_script() -> None:
    [audio] = Page(render_category(a_document(RICH), SITE, FORMATS)).all("audio")
    assert audio["preload"] == "none"
    assert audio["src"] == "https://heron.example/1.mp3"


def test_many_files_are_folded_up() -> None:
    files = tuple(Enclosure(url=Url(f"https://heron.example/{n}.mp3"), type="audio/mpeg") for n in range(7))
    few, many = (
        Page(render_category(a_document(a_publication(enclosures=some)), SITE, FORMATS)) for some in (files[:6], files)
    )
    assert (len(few.all("audio")), len(few.all("details", **{"class": "attached"}))) == (6, 0)
    assert (len(many.all("audio")), len(many.all("details", **{"class": "attached"}))) == (7, 1)
    assert "Attached (7)" in many.text


def test_a_story_without_content_is_a_headline_with_its_source() -> None:
    seen = Page(render_category(a_document(a_publication(content="")), SITE, FORMATS))
    assert seen.faults == []
    assert "Heron Notes" in seen.text


@pytest.mark.parametrize(("title", "is_long"), [("t" * 90, False), ("t" * 91, True)])
def test_a_title_over_ninety_characters_is_set_smaller(title: str, is_long: bool) -> None:
    told = a_publication(title=title)
    pages = (
        render_category(a_document(told), SITE, FORMATS),
        render_story(StoryPage(path="entry/00/0000000000000001.html", publication=told, places=()), SITE, FORMATS),
        render_river(replace(RIVER, publications=(told,)), SITE, FORMATS),
    )
    assert [b'class="long"' in page for page in pages] == [is_long] * 3


# --- the start page


def test_index_names_each_category_and_its_newest() -> None:
    seen = Page(PAGES["index.html"])
    assert seen.all("a", href="category/python.html")
    assert "Story 5" in seen.text
    assert seen.all("a", href="category/python.html#subscribe")
    assert seen.all("a", href="opml.xml")


def test_index_has_a_list_of_its_categories_where_they_are_many() -> None:
    lines = [replace(LINES[0], path=f"category/c{number}") for number in range(9)]
    assert not Page(a_start_page(lines[:8], SITE, FORMATS)).all("nav", **{"class": "contents wide"})
    many = Page(a_start_page(lines, SITE, FORMATS))
    assert many.all("nav", **{"class": "contents wide"})[0]["aria-label"] == "Categories"
    assert len(many.all("a", href="category/c8.html")) == 3  # there, above its stories, and below them


def test_a69_the_start_page_lists_all_categories_and_shows_as_many_as_fit() -> None:
    many = [replace(LINES[0], path=f"category/c{number}", title=f"Wind & Weather {number}") for number in range(900)]
    data = a_start_page(many, SITE, FORMATS)
    seen = Page(data)
    assert seen.faults == []
    assert 2**19 < len(data) < 2**20
    assert len(seen.all("a", href="category/c0.html")) == 3
    assert len(seen.all("a", href="category/c899.html")) == 1


def test_index_leads_a_linkless_story_to_its_place_on_the_page() -> None:
    assert Page(PAGES["index.html"]).all("a", href=f"category/python.html#{LINKLESS.page_id}")


def test_an_empty_index_leads_to_the_sources() -> None:
    seen = Page(a_start_page([LINES[1]], SITE, FORMATS))
    assert "No stories yet." in seen.text
    assert "See how the sources are doing" in seen.text
    assert Page(a_start_page([], SITE, FORMATS)).faults == []


# --- the sources


def test_sources_say_in_words_what_is_wrong() -> None:
    seen = Page(PAGES["sources.html"])
    assert "3 of 6 sources can't be read at the moment." in seen.text
    assert re.search(r"Egret Daily\s+could not be reached: no address found for its name", seen.text)
    assert "fine" in seen.text
    assert "not asked yet" in seen.text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_state_and_code_has_its_words(language: str) -> None:
    codes = (
        "dns connect tls timeout reset redirect refused auth forbidden challenge not_found gone rate_limited http "
        "too_large empty short not_a_feed unreadable network_down internal"
    ).split()
    lines = [a_source(state) for state in State] + [a_source(State.FAILING, code) for code in codes]
    rows = [
        a for a in Page(render_sources(lines, replace(SITE, language=language), FORMATS)).all("p", **{"class": "state"})
    ]
    assert len(rows) == len(lines)


def test_a_code_nobody_knows_has_words_too() -> None:
    assert "could not be read" in Page(render_sources([a_source(State.FAILING, "odd")], SITE, FORMATS)).text


def test_sources_stand_by_title() -> None:
    lines = [a_source(State.OK, key=SourceKey(f"{n}.example"), title=title) for n, title in enumerate("bCaé")]
    shown = Page(render_sources(lines, SITE, FORMATS)).text
    assert re.findall(r"(?m)^\s*([abCé])$", shown) == ["a", "b", "C", "é"]


def test_s44_a_redacted_address_is_shown_and_is_no_link() -> None:
    seen = Page(PAGES["sources.html"])
    assert "https://egret.example/rss?…" in seen.text
    assert not [a for a in seen.all("a") if "egret.example/rss" in str(a.get("href"))]


def test_sources_have_no_times_so_the_page_changes_with_a_state_only() -> None:
    assert b"<time" not in PAGES["sources.html"]


def test_the_status_says_when_a_source_is_asked_whose_host_rests() -> None:
    due = theme_check.STATUS.sources[0]
    rest = Rest(host="a.example", until=due.next_due + timedelta(days=400), source=None, status=429)
    seen = Page(
        render_status_page(replace(theme_check.STATUS, sources=(replace(due, state=State.OK, rest=rest),)), SITE)
    )
    assert str(rest.until.year) in seen.text


def test_a69_the_status_of_many_sources_says_what_it_has_no_room_for() -> None:
    few = theme_check.STATUS
    many = replace(few, sources=few.sources * 20_000)
    data = render_status_page(many, SITE)
    seen = Page(data)
    assert seen.faults == []
    assert 2**19 < len(data) < 2**20
    assert f"And {len(many.sources) - len(seen.all('th', scope='row'))} more" in seen.text
    assert seen.all("a", href="status.json")
    assert not Page(render_status_page(few, SITE)).all("a", href="status.json")


def test_a69_a_page_of_many_sources_shows_those_in_trouble_and_as_many_as_fit() -> None:
    title = "Heron & Egret " * 10
    lines = [a_source(State.OK, key=SourceKey(f"ok{number}"), title=title) for number in range(5000)]
    lines.append(a_source(State.FAILING, "dns", key=SourceKey("egret"), title="Egret Daily"))
    data = render_sources(lines, SITE, FORMATS)
    seen = Page(data)
    assert seen.faults == []
    assert 2**19 < len(data) < 2**20
    rows = len(seen.all("h2")) - 1
    assert f"And {5001 - rows} more" in seen.text
    assert seen.all("li", id="source-egret", **{"class": "failing"})
    assert seen.all("a", href="#source-egret")
    assert "more" not in Page(render_sources(lines[:1000], SITE, FORMATS)).text


def test_no_source_no_trouble() -> None:
    seen = Page(render_sources([], SITE, FORMATS))
    assert seen.faults == []
    assert "There is no source yet." in seen.text


@pytest.mark.parametrize(
    ("logo", "shown"), [("logo.png", "../logo.png"), ("https://a.example/l.png", "https://a.example/l.png")]
)
def test_a_logo_of_the_folder_is_found_from_a_page_below(logo: str, shown: str) -> None:
    seen = Page(render_category(SAMPLE, replace(SITE, logo=logo), FORMATS))
    assert seen.all("img", src=shown)


# --- the stylesheet


def colours(scheme: str) -> dict[str, str]:
    sheet = plain_style().theme.stylesheet.decode()
    light, dark = sheet.split("prefers-color-scheme: dark")
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", {"light": light, "dark": dark}[scheme]))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "soft", "accent"])
@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_a62_contrast(scheme: str, text: str, ground: str) -> None:
    found = colours(scheme)
    lighter, darker = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a68_stylesheet_respects_what_readers_prefer_and_fetches_nothing() -> None:
    sheet = plain_style().theme.stylesheet.decode()
    assert "prefers-color-scheme: dark" in sheet
    assert "prefers-reduced-motion" in sheet
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert sheet.startswith("/* generator: aggregator */\n")


def test_m7_nothing_on_an_archive_page_comes_from_newer_pages() -> None:
    assert b"archive/3" not in PAGES["category/python/archive/2.html"]
    assert b"archive/1.html" not in PAGES["category/python.html"]


@settings(deadline=None, max_examples=examples(50))
@given(text=st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_gives_a_sound_page(text: str) -> None:
    publication = a_publication(title=text, content=text, summary=text, authors=(Person(name=text),))
    data = render_category(a_document(publication, title=text, description=text), SITE, FORMATS)
    assert Page(data).faults == []


def test_the_start_page_of_a_large_planet_weighs_little() -> None:
    """Forty categories of five stories, with the stylesheet: below 60 kB compressed, and nothing else is waited for."""
    lines = [
        CategoryLine(
            key=CategoryKey(f"c{n}"),
            title=f"Category {n}",
            description="What it is about, in a sentence of the usual length",
            path=f"category/c{n}",
            newest=tuple(
                a_publication(100 * n + each, title=f"{sha256(f'{n} {each}'.encode()).hexdigest()} a title")
                for each in range(1, 6)
            ),
        )
        for n in range(40)
    ]
    page = a_start_page(lines, SITE, FORMATS)
    assert len(gzip.compress(page)) + len(gzip.compress(plain_style().theme.stylesheet)) < 60_000
    seen = Page(page)
    assert len(seen.all("link", rel="stylesheet")) == 1
    assert not seen.all("script")
