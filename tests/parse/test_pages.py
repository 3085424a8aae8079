"""Pages without a feed: `kind: html` (S64)."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.config.loader import read_config
from aggregator.errors import ConfigError, NotAFeed, ParseError
from aggregator.model.entry import Digest, Entry
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Reading
from aggregator.parse import elements
from aggregator.reader.reading import read
from aggregator.urls import Url

PAGES = Path(__file__).parent / "pages"
URL = Url("https://site.example/list/")


def reading(entry: dict[str, str] | None = None, **said: object) -> Reading:
    """Return the `Reading` of a source with these settings."""
    entry_said = {"entry": entry} if entry else {}
    source = {"kind": "html", "url": URL, **entry_said, **said}
    return read_config(json.dumps({"sources": [source]}).encode(), Path("feeds.yaml"), {}).sources[0].reading


def entries(page: bytes, how: Reading) -> tuple[Entry, ...]:
    asked_at = datetime(2026, 3, 4, tzinfo=UTC)
    fetched = Fetched(asked_at=asked_at, url=URL, body=page, body_digest=Digest(""), content_type="text/html")
    return read(fetched, how).entries


def told(name: str, how: Reading) -> list[tuple[str, str, str]]:
    """Return title, address and day of the entries of a page."""
    found = entries((PAGES / name).read_bytes(), how)
    return [(e.title, str(e.link), f"{e.published:%Y-%m-%d}" if e.published else "") for e in found]


def test_a_blog() -> None:
    how = reading(
        {
            "title": "h2",
            "link": "h2 a@href",
            "published": ".meta",
            "author": ".by",
            "content": ".body",
            "tag": ".tags li",
        },
        items="article.post",
    )
    assert told("blog.html", how) == [
        ("The winter timetable & what it means", "https://site.example/blog/2026/winter-timetable.html", "2026-03-03"),
        ("A new pier", "https://site.example/blog/2026/new-pier.html", "2026-02-27"),
    ]
    first = entries((PAGES / "blog.html").read_bytes(), how)[0]
    assert [person.name for person in first.authors] == ["Ada Quay"]
    assert [tag.term for tag in first.tags] == ["ferry", "winter"]
    assert "<p>Two boats fewer on <em>weekdays</em>.</p>" in first.content
    assert 'src="https://site.example/blog/boat.jpg"' in first.content


def test_a_press_room_in_a_table() -> None:
    how = reading({"title": "a", "published": "td.date", "summary": "small"}, items="#releases tbody tr")
    assert told("press.html", how) == [
        ("Hafen AG bestellt drei Fähren", "https://site.example/presse/2026-014.html", "2026-03-03"),
        ("Bilanz 2025", "https://site.example/presse/2026-009.html", "2026-02-12"),
    ]


def test_a_changelog_whose_headings_stand_for_sections() -> None:
    how = reading({"title": "h2", "link": "#{h2@id}", "published": "h2", "content": "h3, ul, p"}, items="h2")
    assert told("changelog.html", how) == [
        ("2.1.0 - 2026-03-04", "https://site.example/list/#v2.1.0", "2026-03-04"),
        ("2.0.1 - 2026-01-15", "https://site.example/list/#v2.0.1", "2026-01-15"),
        ("2.0.0 - 2025-12-24", "https://site.example/list/#v2.0.0", "2025-12-24"),
    ]
    first, second, _ = entries((PAGES / "changelog.html").read_bytes(), how)
    assert "Night mode" in first.content
    assert "Security" not in first.content
    assert second.text == "Security fixes only."


def test_a_forum_list_by_xpath_and_by_css() -> None:
    expected = [
        ("Bending larch", "https://site.example/list/showthread.php?t=812&s=abc", "2026-03-04"),
        ("Caulking, again", "https://site.example/list/showthread.php?t=811", "2026-03-03"),
    ]
    css = {"title": "a.t", "link": "a.t@href", "published": "[data-time]@data-time", "author": ".u"}
    xpath = {"title": "//a[@class='t']", "link": "//a/@href", "published": "//td/@data-time", "author": ".u"}
    items = "//tr[@class='thread']"
    assert told("forum.html", reading(css, items="tr.thread:not(.sticky)")) == expected
    assert told("forum.html", reading(xpath, items=items)) == expected
    assert told("forum.html", reading(css, items=items)) == expected, "both in one source"


def test_what_is_usual_needs_no_entry() -> None:
    page = b"<li class=n><time datetime=2026-03-01>1 March</time> <h3><a href=/x>Title</a></h3></li>"
    (entry,) = entries(page, reading(items="li.n"))
    assert (entry.title, entry.link) == ("Title", "https://site.example/x")
    assert entry.published == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("page", "why"),
    [
        pytest.param("<p>Nothing here</p>", "items: .gone finds nothing", id="layout-changed"),
        pytest.param("<i class=gone></i>", "1 elements, and in none of them", id="empty-items"),
        pytest.param("<title>Log in</title><input type=password>", "a login page", id="login"),
        pytest.param("<title>Down for maintenance</title>", "a maintenance page", id="maintenance"),
        pytest.param("", "items: .gone finds nothing", id="empty"),
    ],
)
def test_a_page_that_has_lost_its_items_is_a_failure_that_says_so(page: str, why: str) -> None:
    with pytest.raises(NotAFeed, match=why):
        entries(page.encode() or b" ", reading(items=".gone"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "items is missing"),
        ({"items": "li["}, "is not a CSS selector"),
        ({"items": "//li["}, "is not an XPath"),
        ({"items": "li a@href"}, "selects an attribute"),
        ({"items": "li", "entry": {"link": "{h2[ @href}"}}, "is not a CSS selector"),
        ({"items": "li", "entry": {"title": "h2:nope"}}, "is not a CSS selector"),
    ],
)
def test_what_is_wrong_with_selectors_is_told(said: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        reading(**said)  # type: ignore[arg-type]


def test_s30_a_page_is_cleaned_as_a_feed_is() -> None:
    page = b"<div class=i><a href='javascript:x'>T</a><div class=c><script>x</script><b onclick=x>B</b></div></div>"
    (entry,) = entries(page, reading({"content": ".c"}, items=".i"))
    assert entry.content == "<div><b>B</b></div>"
    assert entry.link is None


def test_s64_items_within_each_other_are_read_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "SECONDS", 0.5)  # seconds; a fast machine takes seven without the limit
    page = b"<div>" * 150 + b"<a href=/x>t</a>" * 40_000
    began = monotonic()
    with pytest.raises(ParseError, match="took over"):
        entries(page, reading({"title": ".never"}, items="div"))
    assert monotonic() - began < 60, "a hang becomes a failure"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="<>/a divtrh2='\"&;#", max_size=300).map(str.encode))
def test_any_bytes_give_entries_or_an_error_of_theirs(page: bytes) -> None:
    with suppress(ParseError):
        entries(page, Reading(kind=Kind.HTML, items="div, tr, h2", fields=(("link", "//a/@href"),)))
