"""Chromium opens every kind of page, as people with any screen, eye and hand would (A60 to A69, A80; WCAG 2.2 AA).

axe-core is put into them from outside; they have no script of their own. The Nu checker reads their markup.
"""

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pytest

from tests.feed_server import FeedServer
from tests.programs.browser import Browser, Tab, problems_of
from tests.programs.conftest import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
VNU = Path(__file__).parent / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WIDTHS = (360, 1280)
FIRST_SIGHT = 20_000  # bytes that the first screen of a page needs, compressed, without pictures
# What the keyboard can reach, and what it has reached: the place of each in the document.
REACHABLE = (
    "[...document.querySelectorAll('a[href], input, select, button, summary, audio, [tabindex]')]"
    ".filter(e => e.checkVisibility() && e.type !== 'hidden')"
)
REACHED = f"{REACHABLE}.indexOf(document.activeElement)"
OUTLINE = (
    "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
)

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which(CHROMIUM), reason="Chromium is not installed: apt-get install chromium"),
    pytest.mark.skipif(
        not AXE.exists(), reason="axe-core is not installed: npm ci --ignore-scripts --prefix tests/programs"
    ),
]

# Texts twice as large, in a browser where the width of the screen stays what it is (WCAG 1.4.4, 1.4.10).
LARGE = "document.documentElement.style.fontSize = '200%'"

# Everything up to the last element that begins on the first screen, as markup.
FIRST_SCREEN = """(() => {
    const seen = [...document.body.querySelectorAll('*')].filter(e => e.checkVisibility() &&
        e.getBoundingClientRect().top < innerHeight);
    const range = document.createRange(), box = document.createElement('div');
    range.setStart(document.body, 0);
    range.setEndAfter(seen[seen.length - 1]);
    box.append(range.cloneContents());
    return document.head.outerHTML + box.innerHTML;
})()"""
# What was seen and has moved while the page was loaded. What moves inside of a player, which is of Chromium itself, has
# no node.
MOVED = """new Promise(done => {
    const moved = [];
    new PerformanceObserver(list => list.getEntries().flatMap(e => e.sources).filter(s => s.node)
        .forEach(s => moved.push((s.node.outerHTML || s.node.data).slice(0, 200))))
        .observe({type: 'layout-shift', buffered: true});
    Promise.all([...document.images]
        .filter(e => e.getBoundingClientRect().top < innerHeight).map(e => e.decode().catch(() => 0)))
        .then(() => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(moved)))));
})"""

LOREM = "The surveyor walked the harbour wall at low tide, with a hammer and a notebook, and found the stones sound. "
RICH = f"""<h1>What was found</h1><p>{LOREM * 3}<a href="https://e.example/">A report</a>, <code>code</code></p>
<pre><code>{"a_line_of_code_that_is_wider_than_any_screen(" * 9}</code></pre><blockquote><p>{LOREM}</p></blockquote>
<table><tr>{"<th>A heading of a column</th>" * 9}</tr><tr>{"<td>1,012</td>" * 9}</tr></table>
<p><img src="HUGE" width="4000" height="3000"> {"unbreakable" * 30}</p>
<ul><li>One</li><li>Two<ol><li>nested</li></ol></li></ul><details><summary>More</summary><p>{LOREM}</p></details>
{"<blockquote><p>deep</p>" * 25}{"</blockquote>" * 25}{"<ul><li>deep" * 25}{"</li></ul>" * 25}
<ol start="99998"><li>Far</ol>
<h6>Odd</h6><h3>order</h3><p><a href="https://e.example/"><img src="HUGE"></a><a href="https://e.example/"></a></p>"""
HUGE = b'<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="3000"><circle r="3000"/></svg>'
STORIES = (
    ("The harbour wall will stand", RICH, "en"),
    ("大众日报：港口防波堤将再使用一百年", "<p>委员会周二开会，<em>没有人</em>能确定。</p>", "zh-CN"),
    ("الميناء القديم سيبقى", "<p>اجتمعت اللجنة يوم الثلاثاء.</p><blockquote><p>الحجارة سليمة.</p></blockquote>", "ar"),
    ("חומת הנמל תעמוד", "<p>הוועדה נפגשה ביום שלישי.</p>", "he"),
    ("港の防波堤はあと百年もつ", "<p><ruby>防波堤<rt>ぼうはてい</rt></ruby>の石は健全だ。</p>", "ja"),
    ("Donaudampfschifffahrts" * 8, "", "de"),
    ("", "<p>A note without a title.</p>", "en"),
    ("\u200b\u0301", "<p>Its title shows nothing.</p>", "fr"),
    ("a" + "\u0301" * 300, "<p>Marks upon marks.</p>", "vi"),
)


def feed_of(language: str, stories: list[tuple[str, str]]) -> bytes:
    """Return a feed in a language; English stories with a title are the newest."""
    date = f"<pubDate>Sat, 01 Mar {2025 if language == 'en' and stories[0][0] else 2024} 12:00:00 GMT</pubDate>"
    items = "".join(
        f"<item><guid isPermaLink='false'>{language}-{number}</guid><title>{escape(title)}</title>{date}"
        f"<link>https://{language}.example/{number}</link><description>{escape(text)}</description>"
        "<enclosure url='https://e.example/1.mp3' type='audio/mpeg' length='2345678'/></item>"
        for number, (title, text) in enumerate(stories)
    )
    channel = f"<title>Paper ({language})</title><link>https://{language}.example/</link><description/>"
    return f'<rss version="2.0"><channel><language>{language}</language>{channel}{items}</channel></rss>'.encode()


@dataclass(frozen=True)
class Planet:
    """A site that is served, and the path of one page of each kind."""

    service: Service
    paths: list[str]

    @property
    def gone(self) -> str:
        """The path of the story that was withdrawn."""
        return self.paths[-1]

    def url(self, path: str) -> str:
        """Return the address of a page."""
        return f"http://127.0.0.1:{self.service.port}{path}"


# Each site is another: its language, its theme, how much of a story lists show, and how many more categories it has:
# without a story, and with one.
SITES = {
    "default": ("en", "", "", 8, 2),
    "newsroom": ("zh-CN", "", "", 0, 30),
    "cards": ("he", "cards", "summary", 0, 2),
    "dense": ("en", "dense", "titles", 0, 2),
    "magazine": ("en", "magazine", "full", 0, 2),
}
EACH_SITE = pytest.mark.parametrize("name", SITES)


@pytest.fixture(scope="module")
def planet_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Planet]]:
    """Yield a function that returns one of the sites, which is started when first asked for."""
    planets: dict[str, Planet] = {}
    with FeedServer() as publisher:

        def planet_of(name: str) -> Planet:
            if name not in planets:
                service = Service(tmp_path_factory.mktemp(name))
                planets[name] = Planet(service, [])
                planets[name].paths.extend(begin(service, publisher, *SITES[name]))
            return planets[name]

        yield planet_of
        for planet in planets.values():
            planet.service.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(CHROMIUM, tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@EACH_SITE
def test_every_page_pleases(planet_of: Callable[[str], Planet], browser: Browser, name: str) -> None:
    planet, language = planet_of(name), SITES[name][0]
    looks = [(width, dark) for width in WIDTHS for dark in (False, True)]
    if SITES[name][1]:
        looks = looks[1:3]  # a theme has other colours, and few templates
    with browser.tab() as tab:
        for path in planet.paths:
            tab.looks(width=WIDTHS[0])
            tab.opens(planet.url(path))
            tab.evaluates(AXE.read_text(encoding="utf-8"))
            for width, dark in looks:
                where = f"{path}, {width} px, {'dark' if dark else 'light'}"
                tab.looks(width=width, dark=dark)
                assert tab.evaluates("document.documentElement.scrollWidth") <= width, where
                assert problems_of(tab, tags=RULES) == [], where
            assert [said for said in tab.complaints() if path != planet.gone or "410" not in said] == [], path
            assert tab.evaluates("document.documentElement.lang") == language
            assert tab.evaluates("document.documentElement.dir") == ("rtl" if language == "he" else "")
            text = tab.evaluates("document.body.innerText")
            tab.looks(width=1280, scripts=False)
            tab.opens(planet.url(path))
            assert tab.evaluates("document.body.innerText") == text, "it needs no script"
            sheets = 2 if SITES[name][1] else 1
            assert tab.evaluates("document.styleSheets.length") == sheets, "nothing else holds up the first sight"
        found = {path: announced(tab, planet.service, path) for path in planet.paths}
    assert all(feeds for path, feeds in found.items() if not path.startswith(("/status", "/search", "/4", "/entry/")))
    for feed in {feed for feeds in found.values() for feed in feeds}:
        ours = feed.startswith("/")  # the page of a source announces that of the publisher
        assert planet.service.read(feed) if ours else feed.startswith("http://127.0.0.1:")


@EACH_SITE
def test_nothing_is_lost_to_the_side_on_small_screens_and_with_large_letters(
    planet_of: Callable[[str], Planet], browser: Browser, name: str
) -> None:
    planet = planet_of(name)
    with browser.tab() as tab:
        for path in planet.paths:
            for width in (320, 768, 1280):
                tab.looks(width=width)
                tab.opens(planet.url(path))
                assert tab.evaluates("document.documentElement.scrollWidth") <= width, f"{path}, {width} px"
                tab.evaluates(LARGE)
                assert tab.evaluates("document.documentElement.scrollWidth") <= width, f"{path}, {width} px, large"


@EACH_SITE
def test_the_first_screen_comes_soon_and_stays_where_it_is(
    planet_of: Callable[[str], Planet], browser: Browser, name: str
) -> None:
    planet = planet_of(name)
    with browser.tab() as tab:
        for path in planet.paths:
            for width in WIDTHS:
                tab.looks(width=width)
                tab.opens(planet.url(path))
                asked = [one for one in tab.asked() if one != "Image"]
                assert len(asked) <= 3, f"{path}: {asked}"
                assert tab.evaluates(MOVED) == [], f"{path}, {width} px: it moves"
                sheets = tab.evaluates("[...document.styleSheets].map(e => new URL(e.href).pathname)")
                first = tab.evaluates(FIRST_SCREEN).encode()
                size = sum(len(gzip.compress(one)) for one in (first, *map(planet.service.read, sheets)))
                assert size <= FIRST_SIGHT, f"{path}, {width} px: {size} bytes"


@EACH_SITE
def test_nothing_is_lost_on_paper_but_what_only_a_screen_needs(
    planet_of: Callable[[str], Planet], browser: Browser, name: str
) -> None:
    planet = planet_of(name)
    texts = "[...document.querySelectorAll('main :is(h1, article, .headlines, .rows, .sheet)')].map(e => e.innerText)"
    navigation = "nav, .seek, .subscribe, .skip, .onward, audio"
    with browser.tab() as tab:
        for path in planet.paths:
            tab.looks(width=720)
            tab.opens(planet.url(path))
            seen = tab.evaluates(texts)
            tab.prints(dark=True)
            assert tab.evaluates(texts) == seen, path
            assert tab.evaluates("document.documentElement.scrollWidth") <= 720, path
            shown = f"[...document.querySelectorAll('{navigation}')].filter(e => e.checkVisibility()).length"
            assert tab.evaluates(shown) == 0, path
            colours = tab.evaluates(
                "getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor"
            )
            ink, paper = (sum(map(int, one.split(",")[:3])) for one in re.findall(r"rgb\(([^)]*)", colours))
            assert ink < 200 < 650 < paper, f"{path}: no white letters on paper"


@pytest.mark.skipif(not (VNU.exists() and shutil.which("java")), reason="the Nu checker is not installed: .ci/services")
def test_a60_the_nu_checker_finds_no_error(planet_of: Callable[[str], Planet], tmp_path: Path) -> None:
    names = {}
    for name in SITES:
        planet = planet_of(name)
        for number, path in enumerate(planet.paths):
            file = tmp_path / f"{name}-{number}.html"
            file.write_bytes(planet.service.read(path, status=410 if path == planet.gone else 200))
            names[file.name] = f"{name}: {path}"
    command = ["java", "-Xmx1g", "-jar", str(VNU), "--errors-only", "--format", "json", *map(str, tmp_path.iterdir())]
    said = json.loads(subprocess.run(command, capture_output=True, check=False).stderr)["messages"]
    assert [
        f"{names[Path(one['url']).name]}, line {one['lastLine']}: {one['message']} {one.get('extract')}" for one in said
    ] == []
    assert len(names) > 50


def test_a_first_screen_shows_stories(planet_of: Callable[[str], Planet], browser: Browser) -> None:
    """Five of the river with a picture, ten titles of a dense category, and stories before anything of a newsroom."""
    whole = "[...document.querySelectorAll('%s')].filter(e => e.getBoundingClientRect().bottom <= innerHeight).length"
    with browser.tab() as tab:
        tab.looks(width=1280, height=900)
        tab.opens(planet_of("default").url("/latest.html"))
        assert tab.evaluates(whole % ".summary:has(.excerpt):has(img)") >= 5
        tab.opens(planet_of("dense").url("/category/paper.html"))
        assert tab.evaluates(whole % ".dense li") >= 10
        tab.opens(planet_of("newsroom").url("/"))
        assert tab.evaluates(whole % ".summary") >= 5
        assert (
            tab.evaluates("[...document.querySelectorAll('.index .summary, .sections section')][0].className")
            == "summary"
        )


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (900, 2), (1280, 3), (1920, 3)])
def test_the_start_page_has_columns_where_there_is_room(
    planet_of: Callable[[str], Planet], browser: Browser, width: int, columns: int
) -> None:
    with browser.tab() as tab:
        tab.looks(width=width)
        tab.opens(planet_of("default").url("/"))
        lefts = "[...document.querySelectorAll('.sections > section')].map(e => e.getBoundingClientRect().left)"
        assert tab.evaluates(f"new Set({lefts}).size") == columns


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    planet_of: Callable[[str], Planet], browser: Browser
) -> None:
    planet = planet_of("default")
    with browser.tab() as tab:
        for path in planet.paths:
            tab.looks(width=1280, scripts=False)
            tab.opens(planet.url(path))
            tab.presses("Tab")
            assert tab.evaluates("document.activeElement.className") == "skip", path
            assert tab.evaluates("document.activeElement.getBoundingClientRect().left") >= 0, "it is seen"
            reached = {0}
            count = tab.evaluates(f"{REACHABLE}.length")
            for _ in range(min(count + 40, 150)):  # players have buttons of their own
                tab.presses("Tab")
                now = tab.evaluates(REACHED)
                if now in (-1, 0) and len(reached) >= min(count, 100):
                    break
                reached |= {now} - {-1}
                if tab.evaluates("document.activeElement.tagName") != "AUDIO":  # its buttons have outlines, not itself
                    assert not tab.evaluates(OUTLINE).startswith("none"), f"{path}: {now}"
            assert len(reached) >= min(count, 100), path
        tab.opens(planet.url("/category/paper.html"))
        tab.evaluates("document.querySelector('.subscribe summary').focus()")
        tab.presses("Enter")
        assert tab.evaluates("document.querySelector('.subscribe details').open")
        tab.evaluates("document.querySelector('.subscribe input').focus()")
        tab.presses("Tab")
        tab.opens(planet.url("/category/paper.html"))
        tab.presses("Tab", "Enter", "Tab")
        assert tab.evaluates("document.querySelector('main').contains(document.activeElement)"), "the way past the head"


def begin(
    service: Service, publisher: FeedServer, language: str, theme: str, show: str, empty: int, filled: int
) -> list[str]:
    """Start a site with a bit of everything; give one path of each kind of page."""
    sources = ""
    huge = publisher.serve("/huge.jpg", HUGE, {"Content-Type": "image/svg+xml"})
    more = [f"more{number}" for number in range(filled)]
    for title, plain, tongue in STORIES:
        text = plain.replace("HUGE", huge)
        many = [(f"{title} {n}".strip() if title else "", text) for n in range(9 if tongue in ("en", "zh-CN") else 1)]
        url = publisher.serve(f"/{tongue}{bool(title)}", feed_of(tongue, many))
        places = ["paper", *more] if tongue == "de" else ["paper"]
        sources += f"  - {{url: '{url}', category: [{', '.join(places)}]}}\n"
    sources += f"  - {{url: '{publisher.url('/none')}', category: empty}}\n"
    titles = "".join(f"  {key}: {{title: Part {number}}}\n" for number, key in enumerate(more))
    titles += "".join(f"  empty{number}: {{title: {'Very ' * 20}long {number}}}\n" for number in range(empty))
    look = f", theme: {theme}" if theme else ""
    service.writes(
        f"site: {{title: A Planet, language: {language}, timezone: Asia/Shanghai}}\n"
        "defaults: {dedupe: off}\n"
        "categories:\n  paper: {title: Papers, description: What they say}\n  empty: {}\n"
        f"{titles}sources:\n{sources}" + (f"pages: {{show: {show}}}\n" if show else ""),
        publish=f"formats: [atom, rss, json, html], entries: 10, archive_page: 10{look}",
    )
    service.start()
    service.wait_for_entries("/category/paper.atom", 10)
    service.wait_for_status("/category/paper/archive/1.html", 200)
    service.wait_for_status("/latest-1.html", 200)
    paths = ["/", "/latest.html", "/latest-1.html", "/category/paper.html", "/category/empty.html"]
    paths += ["/category/paper/archive/1.html"]
    page = service.read("/category/paper.html").decode()
    paths += [f"/entry/{found}" for found in re.findall(r'href="\.\./entry/([0-9a-f/]+\.html)"', page)[::4]][:2]
    found = re.findall(r'href="(source/[^"]+)"', service.read("/sources.html").decode())
    paths += ["/sources.html", "/status.html", "/search?q=wall", "/404.html", f"/{found[0]}", f"/{found[-1]}"]
    archived = service.read("/category/paper/archive/1.html").decode()
    gone = re.findall(r'href="\.\./\.\./\.\./entry/([0-9a-f/]+\.html)"', archived)[-1]
    service.runs("retract", Path(gone).stem)
    service.wait_for_status(f"/entry/{gone}", 410)
    return [*paths, f"/entry/{gone}"]


def announced(tab: Tab, service: Service, path: str) -> list[str]:
    """Return the paths of the feeds that a page announces."""
    tab.opens(f"http://127.0.0.1:{service.port}{path}")
    script = "JSON.stringify([...document.querySelectorAll('link[rel=alternate]')].map(e => e.href))"
    return [str(url).removeprefix(f"http://127.0.0.1:{service.port}") for url in json.loads(tab.evaluates(script))]
