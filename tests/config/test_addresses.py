"""Addresses of sources, files, hosts, store and server (S2, S54, P85, R52)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.addresses import (
    base_url,
    bind,
    bind_parts,
    file_address,
    has_literal_secret,
    host_name,
    proxy,
    store,
    store_path,
    web_address,
)
from aggregator.config.findings import Unfit


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("HTTPS://Example.ORG:443/a/../b?q#f", "https://example.org/b?q", id="r52-normalised"),
        pytest.param("feed://example.org/x", "http://example.org/x", id="s2-feed-scheme"),
        pytest.param("feed:https://example.org/x", "https://example.org/x", id="s2-feed-before-https"),
        pytest.param("feed://https://example.org/x", "https://example.org/x", id="s2-feed-slashes-before-https"),
        pytest.param("http://例え.jp/", "http://xn--r8jz45g.jp/", id="idna"),
    ],
)
def test_web_address(text: str, url: str) -> None:
    assert web_address(text, text).url == url


def test_p85_userinfo_is_taken_out_of_the_url() -> None:
    address = web_address("https://me:p%40ss@example.org/feed", "")
    assert address.url == "https://example.org/feed"
    assert address.auth == ("me", "p@ss")
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param(
            "example.org/feed",
            "does not begin with http:// or https://; write https://example.org/feed",
            id="no-scheme",
        ),
        pytest.param(
            "example.org:8080/feed",
            "does not begin with http:// or https://; write https://example.org:8080/feed",
            id="host-and-port",
        ),
        pytest.param(
            "samples/news.xml",
            "does not begin with http:// or https://; write https://host/path, or kind: file beside the path of a file",
            id="path",
        ),
        pytest.param(
            "blogroll.opml",
            "does not begin with http:// or https://; write {kind: opml, url: blogroll.opml} for a file beside "
            "feeds.yaml, or https://host/blogroll.opml",
            id="opml-file",
        ),
        pytest.param(
            "my.feed.xml",
            "does not begin with http:// or https://; write {kind: file, url: my.feed.xml} for a file beside "
            "feeds.yaml, or https://host/my.feed.xml",
            id="feed-file",
        ),
        pytest.param(
            "file:///etc/passwd",
            "is not the address of a source: it does not begin with http:// or https:// and a host; "
            "write kind: file beside it, and a path",
            id="s2-file",
        ),
        pytest.param(
            "https://exa mple.org/",
            "is not the address of a source: it has a blank, a control character or a backslash; write https://host/path",
            id="s8-blank",
        ),
    ],
)
def test_what_is_no_web_address(text: str, what: str) -> None:
    with pytest.raises(Unfit) as caught:
        web_address(text, text)
    assert str(caught.value) == what


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_unfit(text: str) -> None:
    advice = "; write "
    try:
        assert web_address(text, text).url.startswith("http")
    except Unfit as unfit:
        advice = str(unfit)
    assert "; write " in advice


def test_s2_a_file_lies_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    address = file_address("samples/news.xml", tmp_path / "conf")
    assert address.path == tmp_path / "conf" / "samples" / "news.xml"
    assert address.url == f"file://{address.path}"
    assert file_address(f"file://{address.path}", tmp_path / "conf") == address


@pytest.mark.parametrize(
    "text", ["../news.xml", "/etc/passwd", ".", "link/news.xml", "a/../../x", "file:///etc/passwd"]
)
def test_s2_a_file_elsewhere_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "link").symlink_to(tmp_path)
    with pytest.raises(Unfit, match=r"is outside the folder of feeds\.yaml; copy the file into that folder"):
        file_address(text, tmp_path / "conf")


@pytest.mark.parametrize(
    ("raw", "literal"),
    [
        pytest.param("https://example.org/feed?page=1", False, id="harmless"),
        pytest.param("https://medium.com/@user/feed", False, id="at-in-the-path"),
        pytest.param("https://user:secret@example.org/", True, id="password"),
        pytest.param("https://user:${PASS}@example.org/", False, id="password-from-the-environment"),
        pytest.param("https://user@example.org/", False, id="user-alone"),
        pytest.param("https://ghp_0123456789abcdef@example.org/", True, id="token-as-user"),
        pytest.param("https://example.org/?access_token=0123456789", True, id="token"),
        pytest.param("https://example.org/?a=b&api_key=0123456789", True, id="key"),
        pytest.param("https://example.org/?token=${TOKEN}", False, id="token-from-the-environment"),
        pytest.param("https://example.org/?monkey=0123456789", False, id="another-word"),
        pytest.param("https://example.org/?key=short", False, id="short"),
    ],
)
def test_s54_has_literal_secret(raw: str, literal: bool) -> None:
    assert has_literal_secret(raw) is literal


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://planet.example.org", "https://planet.example.org/"),
        ("https://example.org/planet", "https://example.org/planet/"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
    ],
)
def test_base_url_ends_with_a_slash(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize("text", ["planet.example.org", "https://e.org/?a", "https://e.org/#a", "https://u:p@e.org/"])
def test_what_is_no_base_url(text: str) -> None:
    with pytest.raises(Unfit, match="; write https://host/ or https://host/path/"):
        base_url(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_bind(text: str, parts: tuple[str, int]) -> None:
    assert bind_parts(bind(text)) == parts


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (":8080", "host:port, such as 127.0.0.1:8080"),
        ("8080", "host:port, such as 127.0.0.1:8080"),
        ("127.0.0.1", "host:port, such as 127.0.0.1:8080"),
        ("127.0.0.1:65536", "host:port, such as 127.0.0.1:8080"),
        ("::1:80", "[::1]:80"),
        ("a b:80", "host:port, such as 127.0.0.1:8080"),
        ("999.1.1.1:80", "host:port, such as 127.0.0.1:8080"),
        ("xn--:80", "host:port, such as 127.0.0.1:8080"),
    ],
)
def test_what_is_no_bind(text: str, advice: str) -> None:
    with pytest.raises(Unfit) as caught:
        bind(text)
    assert str(caught.value) == f"is not an address to listen on; write {advice}"


@pytest.mark.parametrize("text", ["sqlite:///var/aggregator.db", "sqlite:////var/lib/aggregator.db"])
def test_store(text: str) -> None:
    assert store(text) == text


@pytest.mark.parametrize(
    "text", ["var/aggregator.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?b", "mysql://h/d"]
)
def test_what_is_no_store(text: str) -> None:
    with pytest.raises(Unfit, match="is not a store; write sqlite:///"):
        store(text)


@pytest.mark.parametrize(
    "text", ["postgresql://u@h/d", "postgresql://h:5433/d?sslmode=require", "postgresql:///d?host=/run/postgresql"]
)
def test_a_store_on_postgresql(text: str) -> None:
    assert (store(text), store_path(text)) == (text, None)


@pytest.mark.parametrize(
    "text",
    ["postgres://h/d", "postgresql+psycopg://h/d", "postgresql://u@h", "postgresql://u@h/", "postgresql://h/d/e",
     "postgresql://h/d#e"],
)  # fmt: skip
def test_what_names_no_database_on_postgresql(text: str) -> None:
    with pytest.raises(Unfit, match="names no database on PostgreSQL; write postgresql://user@host/database"):
        store(text)


def test_proxy() -> None:
    assert proxy("http://u:p@Proxy.example.org:3128/") == "http://u:p@proxy.example.org:3128"
    for text in ("proxy:3128", "socks5://proxy:1080", "http://proxy/path"):
        with pytest.raises(Unfit, match="; write http://host:3128"):
            proxy(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Example.ORG", "example.org", id="lower-case"),
        pytest.param("例え.jp", "xn--r8jz45g.jp", id="idna"),
        pytest.param("localhost", "localhost", id="one-label"),
        pytest.param("127.0.0.0/8", "127.0.0.0/8", id="network"),
        pytest.param("10.0.0.7", "10.0.0.7/32", id="address"),
        pytest.param("::1", "::1/128", id="ipv6"),
        pytest.param("[::1]", "::1/128", id="ipv6-in-brackets"),
        pytest.param("fd00::/8", "fd00::/8", id="ipv6-network"),
    ],
)
def test_host_name(text: str, name: str) -> None:
    assert host_name(text).name == name


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("127.0.0.1/8", "has bits beyond its prefix; write 127.0.0.0/8"),
        ("*.example.org", "needs no star: a name includes its subdomains; write example.org"),
        (
            "https://example.org/",
            "is more than a host name; write the name alone, without scheme, port or path",
        ),
        ("example.org:8080", "is more than a host name; write the name alone, without scheme, port or path"),
        ("127.0.0/8", "is not a host name; write one such as example.org, or a network such as 10.0.0.0/8"),
        ("exa mple", "is not a host name; write one such as example.org, or a network such as 10.0.0.0/8"),
    ],
)
def test_what_is_no_host(text: str, what: str) -> None:
    with pytest.raises(Unfit) as caught:
        host_name(text)
    assert str(caught.value) == what


@given(st.text(max_size=30))
def test_any_text_is_a_host_or_unfit(text: str) -> None:
    advice = "; write "
    try:
        assert host_name(text).name
    except Unfit as unfit:
        advice = str(unfit)
    assert "; write " in advice
