"""Chromium opens every kind of page, as people with any screen, eye and hand would (A60 to A69, A80; WCAG 2.2 AA).

axe-core is put into them from outside; they have no script of their own.
"""

import json
import re
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from tests.feed_server import FeedServer
from tests.programs.browser import Browser, Tab, problems_of
from tests.programs.conftest import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WIDTHS = (360, 1280)
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
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci --prefix tests/programs"),
]

# Texts twice as large, in a browser where the width of the screen stays what it is (WCAG 1.4.4, 1.4.10).
LARGE = "document.documentElement.style.fontSize = '200%'"

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
    """Return a feed in a language."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{language}-{number}</guid><title>{escape(title)}</title>"
        f"<link>https://{language}.example/{number}</link><description>{escape(text)}</description>"
        "<enclosure url='https://e.example/1.mp3' type='audio/mpeg' length='2345678'/></item>"
        for number, (title, text) in enumerate(stories)
    )
    channel = f"<title>Paper ({language})</title><link>https://{language}.example/</link><description/>"
    return f'<rss version="2.0"><channel><language>{language}</language>{channel}{items}</channel></rss>'.encode()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(CHROMIUM, tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_page_pleases(service: Service, publisher: FeedServer, browser: Browser, language: str) -> None:
    paths = begin(service, publisher, language)
    assert len(paths) >= 6
    with browser.tab() as tab:
        for path in paths:
            tab.looks(width=WIDTHS[0])
            tab.opens(f"http://127.0.0.1:{service.port}{path}")
            tab.evaluates(AXE.read_text(encoding="utf-8"))
            for width in WIDTHS:
                for dark in (False, True):
                    where = f"{path}, {width} px, {'dark' if dark else 'light'}"
                    tab.looks(width=width, dark=dark)
                    assert tab.evaluates("document.documentElement.scrollWidth") <= width, where
                    assert problems_of(tab, tags=RULES) == [], where
            assert tab.complaints() == [], path
            assert tab.evaluates("document.documentElement.lang") == language
            text = tab.evaluates("document.body.innerText")
            tab.looks(width=1280, scripts=False)
            tab.opens(f"http://127.0.0.1:{service.port}{path}")
            assert tab.evaluates("document.body.innerText") == text, "it needs no script"
            assert tab.evaluates("document.styleSheets.length") == 1, "nothing else holds up the first sight"
        found = {path: announced(tab, service, path) for path in paths}
    assert all(feeds for path, feeds in found.items() if path not in ("/status.html", "/search?q=wall"))
    for feed in {feed for feeds in found.values() for feed in feeds}:
        assert service.read(feed)


def test_nothing_is_lost_to_the_side_on_small_screens_and_with_large_letters(
    service: Service, publisher: FeedServer, browser: Browser
) -> None:
    paths = begin(service, publisher, "en")
    with browser.tab() as tab:
        for path in paths:
            for width in (320, 1280):
                tab.looks(width=width)
                tab.opens(f"http://127.0.0.1:{service.port}{path}")
                assert tab.evaluates("document.documentElement.scrollWidth") <= width, f"{path}, {width} px"
                tab.evaluates(LARGE)
                assert tab.evaluates("document.documentElement.scrollWidth") <= width, f"{path}, {width} px, large"


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (900, 2), (1280, 3), (1920, 3)])
def test_the_start_page_has_columns_where_there_is_room(
    service: Service, publisher: FeedServer, browser: Browser, width: int, columns: int
) -> None:
    begin(service, publisher, "en")
    with browser.tab() as tab:
        tab.looks(width=width)
        tab.opens(f"http://127.0.0.1:{service.port}/")
        lefts = "[...document.querySelectorAll('.sections > section')].map(e => e.getBoundingClientRect().left)"
        assert tab.evaluates(f"new Set({lefts}).size") == columns


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    service: Service, publisher: FeedServer, browser: Browser
) -> None:
    paths = begin(service, publisher, "en")
    with browser.tab() as tab:
        for path in paths:
            tab.looks(width=1280, scripts=False)
            tab.opens(f"http://127.0.0.1:{service.port}{path}")
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
        tab.opens(f"http://127.0.0.1:{service.port}/category/paper.html")
        tab.evaluates("document.querySelector('.subscribe summary').focus()")
        tab.presses("Enter")
        assert tab.evaluates("document.querySelector('.subscribe details').open")
        tab.evaluates("document.querySelector('.subscribe input').focus()")
        tab.presses("Tab")
        tab.opens(f"http://127.0.0.1:{service.port}/category/paper.html")
        tab.presses("Tab", "Enter", "Tab")
        assert tab.evaluates("document.querySelector('main').contains(document.activeElement)"), "the way past the head"


def begin(service: Service, publisher: FeedServer, language: str) -> list[str]:
    """Start a site with a bit of everything; give one path of each kind of page."""
    sources = ""
    huge = publisher.serve("/huge.svg", HUGE, {"Content-Type": "image/svg+xml"})
    for title, plain, tongue in STORIES:
        text = plain.replace("HUGE", huge)
        many = [(f"{title} {n}".strip() if title else "", text) for n in range(9 if tongue in ("en", "zh-CN") else 1)]
        sources += (
            f"  - {{url: '{publisher.serve(f'/{tongue}{bool(title)}', feed_of(tongue, many))}', category: paper}}\n"
        )
    sources += f"  - {{url: '{publisher.url('/none')}', category: empty}}\n"
    more = "".join(f"  more{number}: {{title: {'Very ' * 20}long {number}}}\n" for number in range(8))
    service.writes(
        f"site: {{title: A Planet, language: {language}, timezone: Asia/Shanghai}}\n"
        "defaults: {dedupe: off}\n"
        "categories:\n  paper: {title: Papers, description: What they say}\n  empty: {}\n"
        f"{more}sources:\n{sources}",
        publish="formats: [atom, rss, json, html], entries: 10, archive_page: 10",
    )
    service.start()
    service.wait_for_entries("/category/paper.atom", 10)
    paths = ["/", "/category/paper.html", "/category/empty.html", "/category/paper/archive/1.html"]
    page = service.read("/category/paper.html").decode()
    paths += [f"/entry/{found}" for found in re.findall(r'href="\.\./entry/([0-9a-f/]+\.html)"', page)[::4]][:2]
    paths += ["/sources.html", "/status.html", "/search?q=wall"]
    return paths


def announced(tab: Tab, service: Service, path: str) -> list[str]:
    """Return the paths of the feeds that a page announces."""
    tab.opens(f"http://127.0.0.1:{service.port}{path}")
    script = "JSON.stringify([...document.querySelectorAll('link[rel=alternate]')].map(e => e.href))"
    return [str(url).removeprefix(f"http://127.0.0.1:{service.port}") for url in json.loads(tab.evaluates(script))]
