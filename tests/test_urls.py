"""URLs: the normal form, the form for comparing, the form for logs, and whose host it is."""

from pathlib import Path
from urllib.parse import quote, urlsplit

import publicsuffixlist
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.urls import (
    MAX_URL,
    PLATFORMS,
    BadUrl,
    Url,
    file_url,
    host_key_of,
    host_of,
    is_address,
    is_start_page,
    match_url,
    normalise,
    normalise_link,
    redact,
    split_credentials,
)

PIECES = st.sampled_from(
    [
        *"http https : / // /// ? # & = @ . .. %2e %7E %2F %00 [ ] [::1] 127.1 0x7f.1 localhost example.org".split(),
        *"EXAMPLE.ORG www. 食狮.公司.cn faß.de xn-- ü 。 :80 :443 :8080 :99999 user:pw@ a b c ~ utm_source=x".split(),
        *"; , ! $ ' ( ) * + | ^ ` { } < >".split(),
        *(" ", "\t", "\n", "\\", "\x00", "\x80", "\xa0", "\u2028", "\ud800", "\ufeff"),
    ]
)
SPELLINGS = st.lists(PIECES, max_size=12).map("".join)
TEXTS = st.one_of(SPELLINGS, SPELLINGS.map("http://".__add__), SPELLINGS.map("https://example.org/".__add__), st.text())
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


def url_or_none(text: str) -> Url | None:
    try:
        return normalise(text)
    except BadUrl:
        return None


# --- normal form


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param("HTTP://Example.ORG", "http://example.org/", id="case-and-slash"),
        pytest.param("  https://example.org/a \n", "https://example.org/a", id="surrounding-blanks"),
        pytest.param("http://example.org:80/a", "http://example.org/a", id="default-port"),
        pytest.param("https://example.org:443/a", "https://example.org/a", id="default-port-tls"),
        pytest.param("https://example.org:80/a", "https://example.org:80/a", id="the-other-scheme's-port"),
        pytest.param("http://example.org/a/./b/../c", "http://example.org/a/c", id="dot-segments"),
        pytest.param("http://example.org/%2e%2e/c", "http://example.org/c", id="encoded-dot-segments"),
        pytest.param("http://example.org/a/", "http://example.org/a/", id="slash-stays"),
        pytest.param("http://example.org/A%7eb?B=%7e&", "http://example.org/A%7eb?B=%7e&", id="path-and-query-stay"),
        pytest.param("http://example.org/a?", "http://example.org/a?", id="empty-query-stays"),
        pytest.param("http://example.org/a#b", "http://example.org/a", id="no-fragment"),
        pytest.param("http://example.org/ü?é=1", "http://example.org/%C3%BC?%C3%A9=1", id="non-ascii"),
        pytest.param("http://食狮.公司.cn/", "http://xn--85x722f.xn--55qx5d.cn/", id="idn"),
        pytest.param("http://example。org/", "http://example.org/", id="idn-dot"),
        pytest.param("http://%65xample.org/", "http://example.org/", id="encoded-host"),
        pytest.param("http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080/", id="ipv6"),
        pytest.param("http://user:p%40w@example.org/", "http://user:p%40w@example.org/", id="userinfo"),
    ],
)
def test_r52_normal_form(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "017700000001", "2130706433", "127.0.0.1.", "１２７.0.0.1"])
def test_s8_spellings_of_an_address_become_the_address(host: str) -> None:
    assert host_of(normalise(f"http://{host}/")) == "127.0.0.1"


@pytest.mark.parametrize(
    "text",
    [
        "http://ex\\ample.org/",
        "http:\\\\example.org/",
        "http://example.org/a b",
        "http://example.org/a\tb",
        "http://example.org/a\nb",
        "http://example.org/\x00",
        "http://example.org/\x7f",
        "http://example.org/\x85a",
        "http://example.org/\ud800",
    ],
)
def test_s8_blanks_controls_and_backslashes_are_refused(text: str) -> None:
    with pytest.raises(BadUrl, match="blank, a control character or a backslash"):
        normalise(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "example.org", "/a", "//example.org/", "ftp://example.org/", "javascript:alert(1)", "data:,x"),
        *("file:///etc/passwd", "mailto:a@example.org", "http:", "http://", "http:example.org", "http:///example.org/"),
        *("http://:80/", "http://./", "http://user@/", "http://[::1/", "http://[fe80::1%25eth0]/", "http://a%2fb/"),
        *("http://example.org:99999/", "http://example.org:x/", "http://xn--/", "http://1.2.3.4.5/", "http://a b/"),
        *("\ufeffhttp://example.org/", 'http://a"b/', "http://{{host}}/", "http://a`b/"),
    ],
)
def test_s8_what_is_no_http_url_is_refused(text: str) -> None:
    with pytest.raises(BadUrl):
        normalise(text)


def test_s22_over_4096_characters_are_refused_before_and_after_encoding() -> None:
    start = "http://example.org/"
    assert len(normalise(start + "a" * (MAX_URL - len(start)))) == MAX_URL
    for tail in ("a" * MAX_URL, "ü" * (MAX_URL // 3)):
        with pytest.raises(BadUrl, match="over 4096 characters"):
            normalise(start + tail)


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("b", "http://example.org/a/b"),
        ("../b", "http://example.org/b"),
        ("/b?c", "http://example.org/b?c"),
        ("?c", "http://example.org/a/?c"),
        ("//example.net/b", "http://example.net/b"),
        ("https://example.net", "https://example.net/"),
        ("#c", "http://example.org/a/"),
    ],
)
def test_r52_relative_references_need_a_base(reference: str, whole: str) -> None:
    assert normalise(reference, normalise("http://example.org/a/")) == whole


@pytest.mark.parametrize("reference", ["javascript:alert(1)", "file:///etc/passwd", "//[", "mailto:a@b", "a b"])
def test_s8_a_base_opens_no_other_scheme(reference: str) -> None:
    with pytest.raises(BadUrl):
        normalise(reference, normalise("http://example.org/a/"))


def test_a_link_keeps_its_fragment() -> None:
    assert normalise_link("HTTP://example.org/a#b") == "http://example.org/a#b"


@given(TEXTS)
@example("http://example.org/\ud800")
@example("http://a..b/")
def test_r52_normalise_raises_nothing_but_bad_url_and_twice_is_once(text: str) -> None:
    url = url_or_none(text)
    if url is not None:
        assert normalise(url) == url
        assert url.isascii()
        assert len(url) <= MAX_URL
        assert "#" not in url
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        assert host_of(url)
        assert host_key_of(url)


@given(TEXTS, SPELLINGS)
def test_r52_a_base_changes_nothing_about_that(base: str, text: str) -> None:
    start = url_or_none(base)
    if start is None:
        return
    try:
        url = normalise_link(text, start)
    except BadUrl:
        return
    assert normalise_link(url) == url
    assert host_of(url)


# --- credentials


@pytest.mark.parametrize(
    ("url", "bare", "credentials"),
    [
        ("http://example.org/a@b", "http://example.org/a@b", None),
        ("http://user:p%40w%3A@example.org/a?", "http://example.org/a?", ("user", "p@w:")),
        ("http://user@example.org:81/", "http://example.org:81/", ("user", "")),
        ("http://:pw@[::1]/", "http://[::1]/", ("", "pw")),
    ],
)
def test_p85_credentials_are_taken_out(url: str, bare: str, credentials: tuple[str, str] | None) -> None:
    assert split_credentials(normalise(url)) == (bare, credentials)


@given(st.text(min_size=1, max_size=20), st.text(max_size=20), HOSTS)
def test_p85_credentials_come_out_as_they_went_in(user: str, password: str, host: str) -> None:
    try:
        written = f"http://{quote(user, safe='')}:{quote(password, safe='')}@{host}/a?b"
    except UnicodeEncodeError:  # half a surrogate pair
        return
    url = url_or_none(written)
    if url is not None:
        bare, credentials = split_credentials(url)
        assert bare == normalise(f"http://{host}/a?b")
        assert credentials == (user, password)


# --- the form for comparing


@pytest.mark.parametrize(
    "other",
    [
        "http://www.example.org/a~b?id=1&x=2",
        "https://example.org/a~b/?id=1&x=2",
        "https://example.org./a%7Eb?id=1&x=2",
        "https://example.org/a%7eb?id=1&x=2#comments",
        "https://example.org/a~b?id=1&x=2#:~:text=b",
        "https://example.org/a~b?id=1&x=2#xtor=RSS-1481423633",
        "https://example.org/a~b?id=1&x=2#tk.rss_all",
        "https://example.org/a~b?id=1&x=2#comment-form",
        "https://example.org/a~b?utm_source=rss&id=1&utm_medium=feed&x=2&utm_id=7",
        "https://example.org/a~b?id=1&x=2&fbclid=abc&gclid=&mc_cid",
        "https://example.org/a~b?id=%31&x=2&",
        "https://example.org/a~b?id=1&x=2&xtor=RSS-3208",
        "https://example.org/a~b?id=1&x=2&source=rss-b4981c59ffa5------2",
        "https://example.org/a~b?id=1&partner=rss&emc=rss&x=2",
        "https://example.org/a~b?id=1&x=2&wt_mc=rss.developer.beitrag.atom",
    ],
)
def test_i36_the_same_page_matches(other: str) -> None:
    assert match_url(normalise_link(other)) == match_url(normalise("https://example.org/a~b?id=1&x=2"))


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/A~b?id=1&x=2",
        "https://example.org/a~b?x=2&id=1",
        "https://example.org/a~b?id=1",
        "https://example.org/a~b?id=1&x=2&y",
        "https://example.org/a~b?id=1&x=%32%26",
        "https://example.org/a%2Fb?id=1&x=2",
        "https://example.org:8443/a~b?id=1&x=2",
        "https://www.example.net/a~b?id=1&x=2",
        "https://de.example.org/a~b?id=1&x=2",
        "https://example.org/a~b?id=1&x=2#comment-9",
        "https://example.org/a~b?id=1&x=2#!/a",
        "https://example.org/a~b?id=1&x=2&source=rssowl",
        "https://example.org/a~b?id=1&x=2&source=archive",
        "https://example.org/a~b?id=1&x=2&ref=main",
        "https://example.org/a~b?id=1&x=2&rss",
        "https://example.org/a~b?id=1&x=2&my_utm_source=1",
    ],
)
def test_i36_another_page_does_not_match(other: str) -> None:
    assert match_url(normalise_link(other)) != match_url(normalise("https://example.org/a~b?id=1&x=2"))


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://example.org", "example.org"),
        ("https://www.example.org/?", "example.org"),
        ("https://www.de/a", "www.de/a"),
        ("http://[::1]:8080/a/", "[::1]:8080/a"),
        ("http://user:pw@example.org/a", "example.org/a"),
        ("http://example.org/a//", "example.org/a/"),
        ("http://example.org/%e4%b8%ad%2f", "example.org/%E4%B8%AD%2F"),
        ("https://m.example.org/a", "example.org/a"),
        ("https://amp.example.org/a?amp=1", "example.org/a"),
        ("https://m.de/a", "m.de/a"),
        ("https://am.example.org/a", "am.example.org/a"),
        ("https://example.org/a/amp/", "example.org/a"),
        ("https://example.org/a.amp.html", "example.org/a.html"),
        ("https://example.org/amp-circuits", "example.org/amp-circuits"),
        ("https://example.org/a?volume=amp", "example.org/a?volume=amp"),
        ("https://www.google.com/amp/s/example.org/a", "example.org/a"),
        ("https://example-org.cdn.ampproject.org/c/s/example.org/a", "example.org/a"),
        ("https://www.google.com/url?sa=t&url=https://example.org/a%3Fb%3D1&ct=ga&usg=x", "example.org/a?b=1"),
        ("https://www.google.com/url?sa=t&url=javascript:alert(1)", "google.com/url?sa=t&url=javascript:alert(1)"),
        ("https://example.org/url?url=https://example.net/a", "example.org/url?url=https://example.net/a"),
        ("https://example.org/a;jsessionid=7A9?b=1", "example.org/a?b=1"),
        ("https://example.org/a?from=timeline&isappinstalled=0", "example.org/a"),
        ("https://example.org/a?from=berlin", "example.org/a?from=berlin"),
    ],
)
def test_i36_the_form_for_comparing(url: str, form: str) -> None:
    assert match_url(normalise_link(url)) == form


@given(st.one_of(TEXTS, SPELLINGS.map("https://example.org:1/?".__add__)))
def test_i36_match_url_takes_any_text(text: str) -> None:
    assert isinstance(match_url(Url(text)), str)  # not even a normal form: whatever an old store may hold


@given(SPELLINGS, st.sampled_from(["utm_source=a", "utm_campaign", "fbclid=1", "GCLID=2", "xtor=RSS-1"]))
def test_i36_a_tracking_parameter_more_or_less_is_no_difference(tail: str, tracking: str) -> None:
    url = url_or_none(f"https://example.org/{tail}")
    if url is not None:
        assert match_url(normalise(f"{url}{'&' if '?' in url else '?'}{tracking}")) == match_url(url)


@given(st.lists(st.sampled_from(["a=1", "a=2", "b", "c=%26", "d=x%3Dy"]), max_size=5).map("&".join), LABELS, LABELS)
def test_i36_what_differs_otherwise_stays_different(query: str, one: str, other: str) -> None:
    first, second = (normalise(f"https://example.org/{path}?{query}") for path in (one, other))
    assert (match_url(first) == match_url(second)) is (one == other)
    assert match_url(first).endswith(query)


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("https://example.org", True),
        ("https://example.org/index.html", True),
        ("https://example.org/#top", True),
        ("https://example.org/?p=1", False),
        ("https://example.org/#!/a", False),
        ("https://example.org/a", False),
    ],
)
def test_a_start_page_is_no_page(url: str, start: bool) -> None:
    assert is_start_page(normalise_link(url)) is start


# --- the form for logs


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("https://user:secret@example.org:81/a", "https://example.org:81/a"),
        ("https://example.org/a?token=secret#secret", "https://example.org/a?…"),
        ("https://medium.com/@name", "https://medium.com/@name"),
        ("https://u:secret@medium.com/@name", "(unreadable URL)"),
        ("https://u:p@w/secret@example.org/", "(unreadable URL)"),
        ("https://u:@/secret@example.org/", "(unreadable URL)"),
        ("http://localhost:8080/@name", "http://localhost/…"),
        ("http://user:12/34@example.org/", "http://user/…"),
        ("http://us/er:secret@example.org/", "http://us/…"),
        ("http://user:12#secret@example.org/", "http://user/…"),
        ("http://user:se#cret@example.org/", "(unreadable URL)"),
        ("http://user:se?cret@example.org/", "(unreadable URL)"),
        ("user:secret@example.org/a", "(unreadable URL)"),
        ("http:user:secret@example.org/a", "(unreadable URL)"),
        ("http://[", "(unreadable URL)"),
        ("see https://user:secret@example.org/a", "seehttps://example.org/a"),
        ("example.org/a?secret", "example.org/a?…"),
        ("https://example.org/a\r\nSet-Cookie: b\x1b[31m\u2028\ud800", "https://example.org/aSet-Cookie:b[31m"),
        ("", ""),
    ],
)
def test_s44_what_is_logged_of_a_url(url: str, shown: str) -> None:
    assert redact(url) == shown


@given(TEXTS)
def test_s44_redact_gives_one_line_of_any_text(text: str) -> None:
    shown = redact(text)
    assert shown.encode() or not shown
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= MAX_URL + len("?…")


@given(
    st.text(st.sampled_from("abc123:/?#@[]%!&= "), max_size=6),
    st.text(st.sampled_from("abc123:/?#@[]%!&= "), max_size=6),
    st.sampled_from(["example.org", "example.org:81", "[::1]:81"]),
    st.sampled_from(["", "/", "/@name", "/a?b=c@d#e"]),
)
def test_s44_a_password_is_not_logged(before: str, after: str, host: str, tail: str) -> None:
    assert "SECRET" not in redact(f"https://user:{before}SECRET{after}@{host}{tail}")


# --- whose host it is


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://blog.example.org/", "example.org"),
        ("https://example.org./", "example.org"),
        ("https://a.b.example.co.uk:8443/", "example.co.uk"),
        ("https://www.食狮.公司.cn/", "xn--85x722f.xn--55qx5d.cn"),
        ("https://a.github.io/", "a.github.io"),
        ("https://b.github.io/", "b.github.io"),
        ("https://github.io/", "github.io"),
        ("https://github.com/a", "github.com"),
        ("https://gist.github.com/b", "github.com"),
        ("https://a.blogspot.com/", "blogspot.com"),
        ("https://notblogspot.com/", "notblogspot.com"),
        ("https://a.wordpress.com/", "wordpress.com"),
        ("https://feeds.feedburner.com/a", "feedburner.com"),
        ("https://www.youtube.com/feeds/videos.xml?channel_id=a", "youtube.com"),
        ("http://localhost:8080/", "localhost"),
        ("http://intranet./", "intranet"),
        ("http://192.0.2.1:81/", "192.0.2.1"),
        ("http://0xC0.0.0x2.1/", "192.0.2.1"),
        ("http://[2001:DB8::1]:81/", "2001:db8::1"),
        ("http://printer.local/", "printer.local"),
        ("http://a..b/", "a..b"),
    ],
)
def test_p60_host_keys(url: str, key: str) -> None:
    assert host_key_of(normalise(url)) == key


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("[2001:db8::1]", True),
        ("::ffff:192.0.2.1", True),
        ("example.org", False),
        ("localhost", False),
        ("1.2.3", False),
        ("[192.0.2.1", False),
        ("", False),
    ],
)
def test_p60_addresses_are_no_names(host: str, address: bool) -> None:
    assert is_address(host) is address


@given(TEXTS)
def test_p60_a_host_key_of_any_text(text: str) -> None:
    assert isinstance(host_key_of(Url(text)), str)
    assert isinstance(is_start_page(Url(text)), bool)


# --- files


def test_file_urls_name_files_and_nothing_else(tmp_path: Path) -> None:
    url = file_url(tmp_path / "wö rk" / "fe?d#@1.xml")
    assert url.startswith("file:///")
    assert url.isascii()
    assert host_key_of(url) == "file"
    assert host_of(url) == ""
    assert match_url(url) == url
    assert not is_start_page(url)
    with pytest.raises(BadUrl):
        normalise(url)


def test_s44_of_a_file_only_the_name_is_logged(tmp_path: Path) -> None:
    assert redact(file_url(tmp_path / "wö@rk" / "fe?d#@1.xml")) == "fe?d#@1.xml"


def test_file_urls_are_of_absolute_paths() -> None:
    with pytest.raises(ValueError, match="relative path"):
        file_url(Path("feed.xml"))


def test_p60_suffixes_of_one_top_level_domain_are_those_of_the_whole_list() -> None:
    whole = publicsuffixlist.PublicSuffixList()
    rules = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8").splitlines()
    for rule in rules[::9]:
        if rule and not rule.startswith("//"):
            host = f"a.b.{rule.lstrip('!').replace('*', 'any')}".encode("idna").decode()
            key = host_key_of(Url(f"https://{host}/"))
            assert key in PLATFORMS or key == whole.privatesuffix(host)
