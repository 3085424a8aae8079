"""Records of `sources:` (R52, S44, S54, P85)."""

from datetime import timedelta

import pytest

from aggregator.model.settings import Dedupe, Kind, Rule, Source, fetch_settings_of
from tests.config.reading import FOLDER, SOURCES, problems, said, settings, source, warnings


def key_of(url: str) -> str:
    return settings(f"sources: ['{url}']").sources[0].key


@pytest.mark.parametrize(
    ("url", "key"),
    [
        pytest.param("https://blog.python.org/feeds/posts/default", "blog.python.org-f4efd4ff", id="design-example"),
        pytest.param("HTTPS://Blog.Python.org:443/feeds/posts/default#x", "blog.python.org-f4efd4ff", id="normalised"),
        pytest.param(
            "https://u:p@blog.python.org/feeds/posts/default", "blog.python.org-f4efd4ff", id="no-credentials"
        ),
    ],
)
def test_r52_a_key_comes_from_the_url(url: str, key: str) -> None:
    assert key_of(url) == key


def test_r52_a_derived_key_leaves_www_and_what_no_key_may_hold() -> None:
    assert key_of("https://www.example.org/").startswith("example.org-")
    assert key_of("http://[::1]:8000/").startswith("1-")
    assert key_of("https://例え.jp/").startswith("xn--r8jz45g.jp-")
    assert len(key_of(f"https://{'a' * 60}.{'b' * 60}.org/")) == 80


def test_a_file_lies_beside_the_config_and_its_key_moves_with_the_folder() -> None:
    [made] = settings("sources: [{kind: file, url: samples/news.xml}]").sources
    assert (made.path, made.url) == (FOLDER / "samples/news.xml", (FOLDER / "samples/news.xml").as_uri())
    assert (made.key, made.reading.kind, made.paused) == ("news-155a4fad", Kind.FILE, False)


def test_a_path_keeps_its_blanks() -> None:
    [made] = settings("sources: [{kind: file, url: 'old  news.xml'}]").sources
    assert made.path == FOLDER / "old  news.xml"


def test_every_key_of_a_source_is_taken() -> None:
    made = source(
        "key: example, title: Example, category: [python, web, python], every: 1h, was: [old, 'https://E.org/old'],"
        " priority: 10, include: [{title: python}, {tag: a, author: b}], exclude: [{link: x}], show: summary,"
        " private: true, timezone: Europe/Berlin, limit: 20, encoding: gb18030, paused: true, initial: 0,"
        " allow_classes: [em_media], headers: {X-A: b, accept: text/xml}, timeout: 0.5s, min_interval: 1h,"
        " max_interval: 2d, dedupe: exact, frequent: agreed"
    )
    assert made == Source(
        key=made.key,
        url=made.url,
        safe_url=made.url,
        line=2,
        title="Example",
        categories=made.categories,
        reading=made.reading,
        every=timedelta(hours=1),
        frequent="agreed",
        min_interval=timedelta(hours=1),
        max_interval=timedelta(days=2),
        timeout=timedelta(milliseconds=500),
        initial=0,
        dedupe=Dedupe.EXACT,
        own_dedupe=True,
        was=("old", "https://e.org/old"),
        priority=10,
        include=(Rule(patterns=(("title", "python"),)), Rule(patterns=(("author", "b"), ("tag", "a")))),
        exclude=(Rule(patterns=(("link", "x"),)),),
        show=made.show,
        private=True,
        headers=made.headers,
        paused=True,
        accept="text/xml",
    )
    assert (made.key, made.url, made.categories) == ("example", "https://example.org/feed.xml", ("python", "web"))
    assert made.headers == (("X-A", "b"),)
    reading = made.reading
    assert (reading.encoding, reading.timezone, reading.limit) == ("gb18030", "Europe/Berlin", 20)
    assert reading.allow_classes == {"em_media"}


def test_a_source_overrides_the_defaults() -> None:
    before = "defaults: {every: 2h, initial: 5, timeout: 10s, dedupe: {near: 0.9, window: 3d}}\n"
    plain = source("title: x", before=before)
    assert (plain.every, plain.initial, plain.near, plain.window) == (timedelta(hours=2), 5, 0.9, timedelta(days=3))
    own = source("every: auto, initial: 7, dedupe: {near: 0.7}", before=before)
    assert (own.every, own.initial, own.near, own.window) == (None, 7, 0.7, timedelta(days=3))
    assert own.timeout == timedelta(seconds=10)


def test_a_schedule_takes_the_place_of_every() -> None:
    made = source("schedule: '0 6 * * 1-5'", before="defaults: {every: 1h}\n")
    assert (made.every, made.schedule) == (None, "0 6 * * mon,tue,wed,thu,fri")


def test_p85_credentials_leave_the_url() -> None:
    [made] = settings("sources: ['https://me:${P}@example.org/feed']", {"P": "a/b@c"}).sources
    assert (made.url, made.auth) == ("https://example.org/feed", ("me", "a/b@c"))
    assert "a/b@c" not in repr(made)


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        pytest.param("127.0.0.0/8: {allow_private: true}", "http://127.0.0.1:8000/", True, id="in-the-network"),
        pytest.param("127.0.0.0/8: {allow_private: true}", "http://localhost:8000/", True, id="localhost"),
        pytest.param("127.0.0.0/8: {allow_private: true}", "http://10.0.0.1/", False, id="elsewhere"),
        pytest.param("lan.example: {allow_private: true}", "http://a.lan.example/", True, id="below-the-name"),
        pytest.param(
            "{lan.example: {allow_private: true}, a.lan.example: {}}",
            "http://a.lan.example/",
            False,
            id="most-specific",
        ),
    ],
)
def test_s6_allow_private(hosts: str, url: str, allowed: bool) -> None:
    text = hosts if hosts.startswith("{") else f"{{{hosts}}}"
    assert settings(f"hosts: {text}\nsources: ['{url}']").sources[0].allow_private is allowed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sources: [{url: 'https://e.org/', every: 1m, frequent: agreed}]", id="with-a-reason"),
        pytest.param("defaults: {every: 5m}\nsources: [{url: 'https://e.org/', frequent: agreed}]", id="inherited"),
        pytest.param(
            "hosts: {127.0.0.1: {allow_private: true}}\nsources: [{url: 'http://127.0.0.1/', every: 1s}]",
            id="own-machine",
        ),
        pytest.param("sources: [{url: news.xml, kind: file, every: 1s}]", id="own-file"),
        pytest.param("defaults: {every: 5m}\nsources: [{url: 'https://e.org/', every: 15m}]", id="own-interval"),
        pytest.param("sources: [{url: 'https://e.org/', schedule: '*/15 * * * *'}]", id="schedule"),
        pytest.param("sources: [{url: 'https://e.org/', schedule: '* * * * *', frequent: agreed}]", id="fine-schedule"),
        pytest.param("defaults: {every: 5m}\nsources: [{url: 'https://e.org/', schedule: '0 * * * *'}]", id="instead"),
    ],
)
def test_p51_short_intervals_with_a_reason(text: str) -> None:
    assert problems(text) == []


def test_s54_a_literal_secret_is_a_warning() -> None:
    text = (
        "proxy: http://u:p@proxy:3128\nsources:\n"
        "  - https://u:p@a.org/\n"
        "  - {url: 'https://b.org/?token=0123456789', headers: {Authorization: x, X-Api-Key: '${K}', User-Agent: y}}\n"
    )
    advice = "write ${NAME}, and set NAME in the environment"
    assert warnings(text, {"K": "k"}) == [
        f"1:8: a password is written out in this URL; {advice}",
        f"3:5: a password or token is written out in this URL; {advice} (and in one more)",
        f"4:71: the value of Authorization is written out; {advice}",
    ]


def test_the_same_url_with_another_body_is_another_source() -> None:
    text = "sources:\n" + "".join(
        f" - {{kind: json, url: 'https://e.org/', key: k{n}, entry: {{id: a}}, method: POST, body: {{page: {n}}}}}\n"
        for n in (1, 2)
    )
    assert problems(text) == []


def test_an_earlier_url_or_key_of_its_own_is_no_fault() -> None:
    assert source("key: example, was: 'https://example.org/feed.xml'").was == ("https://example.org/feed.xml",)


def test_sources_share_equal_parts() -> None:
    one, two = settings(
        "sources:\n - {url: 'https://a.org/', category: [x, y]}\n - {url: 'https://b.org/', category: [x, y]}"
    ).sources
    assert one.reading is two.reading
    assert one.categories is two.categories


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("title: x, category: y, key: z, every: 1h, priority: 3, limit: 5", True),
        ("encoding: gb18030", False),
        ("timezone: Asia/Shanghai", False),
        ("headers: {X-A: b}", False),
        ("headers: {Accept: text/xml}", False),
        ("kind: sitemap", False),
        ("pages: 3", True),
        ("robots: agreed", True),
        ("rewrite: [{strip: {css: .ad}}]", False),
        ("rewrite: [{title: {replace: a}}]", True),
    ],
)
def test_p9_p65_fetch_settings(change: str, same: bool) -> None:
    assert (fetch_settings_of(source("show: full")) == fetch_settings_of(source(change))) is same


def test_p9_fetch_settings_know_address_and_password() -> None:
    urls = ["https://e.org/", "https://e.org/?", "https://u:p@e.org/", "https://u:q@e.org/"]
    assert len({fetch_settings_of(settings(f"sources: ['{url}']").sources[0]) for url in urls}) == 4


def test_the_line_of_a_source_is_known() -> None:
    assert [made.line for made in settings("sources:\n - https://a.org/\n\n - url: https://b.org/\n").sources] == [2, 4]


def test_a_store_in_the_published_folder_is_a_warning() -> None:
    read = said("store: sqlite:///public/a.db")
    assert [warning.rpartition(": ")[2] for warning in read.warnings] == [
        "the store is inside publish.to and would be public; write another path"
    ]
    assert said("store: sqlite:///var/a.db").warnings == ()
    assert SOURCES


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("https://a.org/feed?format=rss", "https://a.org/feed?format=rss", id="no-secret"),
        pytest.param("https://a.org/feed?key=${KEY}", "https://a.org/feed", id="in-the-query"),
        pytest.param("https://a.org/${KEY}/feed", "https://a.org/", id="in-the-path"),
        pytest.param("https://me:${KEY}@a.org/feed", "https://a.org/feed", id="a-password"),
    ],
)
def test_s44_what_may_be_shown_of_a_url(url: str, shown: str) -> None:
    [made] = settings(f"sources: [{{url: '{url}'}}]", {"KEY": "open-sesame"}).sources
    assert made.safe_url == shown


RULED = """
defaults:
  exclude: [{title: sponsored}]
  include: [{tag: news}, {any: [{title: A}, {not: [{title: B}]}]}]
  rewrite: [{strip: {css: .ad}}, {title: {replace: x, with: y}}]
  route: [{when: {content: ferry}, to: harbour}]
sources:
  - {key: plain, url: 'https://a.example/'}
  - {key: own, url: 'https://b.example/', exclude: [{title: own}], include: [{title: C}], rewrite: [{strip: {css: .b}}]}
  - {key: free, url: 'https://c.example/', exclude: [{title: own}], default_rules: false}
"""


def test_rules_of_defaults_apply_to_each_source_that_does_not_refuse_them() -> None:
    made = settings(RULED)
    plain, own, free = made.sources
    assert [*map(str, plain.exclude)] == ["title: sponsored"]
    assert [*map(str, plain.include)] == ["tag: news", "any: [title: A; not: [title: B]]"]
    assert [*map(str, plain.rewrite)] == ["title: x"]
    assert plain.reading.strip == (".ad",)
    assert [*map(str, plain.routes)] == ["content: ferry → harbour"]
    assert [*map(str, own.exclude)] == ["title: sponsored", "title: own"]
    (both,) = own.include
    assert str(both) == "all: [any: [tag: news; any: [title: A; not: [title: B]]]; any: [title: C]]"
    assert own.reading.strip == (".ad", ".b")
    assert (*map(str, free.exclude), *free.include, *free.rewrite, *free.routes, *free.reading.strip) == ("title: own",)
    assert [category.key for category in made.categories] == ["harbour", "general"]
    assert made.default_rules == {
        "exclude title: sponsored",
        "include tag: news",
        "include any: [title: A; not: [title: B]]",
        "rewrite title: x",
        "route content: ferry → harbour",
    }


def test_a_source_has_its_own_proxy_or_none() -> None:
    assert source("").proxy is None
    assert source("proxy: 'http://me:${A}@proxy:3128'", {"A": "x"}).proxy == "http://me:x@proxy:3128"
    assert repr(source("proxy: 'http://proxy:3128'").proxy) == "***"
    assert source("proxy: off").proxy == source("proxy: false").proxy == ""
    assert fetch_settings_of(source("proxy: off")) != fetch_settings_of(source("")), "polled at once after an edit"
    own = "  - {url: 'https://e.org/', proxy: 'http://u:p@proxy:3128'}\n"
    told = warnings("sources:\n  - {kind: file, url: news.xml, proxy: off}\n" + own)
    assert "2:40: proxy has no effect on kind file; remove it" in told
    assert any("a password is written out in this URL" in each for each in told)
    assert (
        '1:42: "proxy" is not the address of a proxy' in problems("sources: [{url: 'https://e.org/', proxy: proxy}]")[0]
    )
