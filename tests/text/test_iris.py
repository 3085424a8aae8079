"""Ids that are published unchanged (A4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.iris import is_identifier, is_iri, is_uri

# RFC 3987, section 2.2.
UCSCHAR = [(0xA0, 0xD7FF), (0xF900, 0xFDCF), (0xFDF0, 0xFFEF)]
UCSCHAR += [(plane * 0x10000, plane * 0x10000 + 0xFFFD) for plane in range(1, 14)] + [(0xE1000, 0xEFFFD)]
IPRIVATE = [(0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD)]
BIDI = {0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # section 4.1 and later ones


def is_among(code: int, ranges: list[tuple[int, int]]) -> bool:
    return code not in BIDI and any(first <= code <= last for first, last in ranges)


def edges(ranges: list[tuple[int, int]]) -> list[int]:
    return [code for first, last in ranges for code in (first - 1, first, last, last + 1) if code <= 0x10FFFF]


@pytest.mark.parametrize("code", [*edges(UCSCHAR), *edges(IPRIVATE), *sorted(BIDI)], ids=hex)
def test_a4_the_characters_of_an_iri_are_those_of_rfc_3987(code: int) -> None:
    character = chr(code)
    for place in ("http://e.example/{}", "http://e{}.example/", "http://e.example/?{}#", "tag:e.example,2020:{}"):
        allowed = is_among(code, UCSCHAR) or ("?" in place and is_among(code, IPRIVATE))
        assert is_identifier(place.format(character)) is allowed, place
    assert is_identifier(f"http://e.example/#{character}") is is_among(code, UCSCHAR), "a fragment has no private ones"


@given(st.text(st.characters(exclude_characters="%?#", exclude_categories=())))
def test_a4_an_iri_is_told_character_by_character(text: str) -> None:
    plain = (one.isascii() and (one.isalnum() or one in "-._~!$&'()*+,;=:@/") for one in text)
    allowed = all(is_plain or is_among(ord(one), UCSCHAR) for one, is_plain in zip(text, plain, strict=True))
    assert is_identifier(f"http://e.example/{text}") is allowed


@given(st.text())
def test_a4_whatever_can_be_an_id_is_published(text: str) -> None:
    """Rendering leaves out a story whose id is not an IRI: that test must not be stricter than this one."""
    assert is_identifier(text) <= is_iri(text)
    assert is_uri(text) <= is_identifier(text)


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("urn:isbn:0-395-36341-1", True),
        ("https://a.example/é", True),
        ("a b", False),
        ("http://a.example/{x}", False),
        ("/x", False),
        ("x%%y:z", False),
        ("tag:a.example,2020:\ufffe", False),
    ],
)
def test_a4_iris(text: str, iri: bool) -> None:
    assert is_iri(text) is iri


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/2020?b=c&d=(e)#f",
        "HTTP://A.example",
        "tag:a.example,2020:1",
        "tag:ann@a.example,2020-02:a%20b/c?d#e",
        "tag:blogger.com,1999:blog-1.post-2",
        "urn:isbn:0-395-36341-1",
        "URN:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
        "yt:video:abc_-1",
        "mailto:a@b.example",
    ],
)
def test_a4_what_keeps_the_rules_of_its_scheme_can_be_an_id(text: str) -> None:
    assert is_identifier(text)
    assert is_uri(text)
    assert is_iri(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://e.org/ä",
        "https://пример.example/новости?q=да#раздел",
        "https://a.example/大众日报/1",
        "https://a.example/a\u0308",  # not normalised: byte for byte
        "https://a.example/x\u00a0y\u3000z",  # RFC 3987 allows these blanks, A4 does not
        "tag:bücher.example,2020:ä",
        "urn:example:ä",
        "yt:видео:1",
    ],
)
def test_a4_an_iri_can_be_an_id_and_is_no_uri(text: str) -> None:
    assert is_identifier(text)
    assert not is_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://a.example/[x]", id="brackets-are-for-ipv6"),
        pytest.param("https://a.example/100%", id="percent-and-no-digits"),
        pytest.param("https://a.example/#a#b", id="two-fragments"),
        pytest.param("http:/a.example/1", id="no-host"),
        pytest.param("http:///1", id="empty-host"),
        pytest.param("tag:a.example", id="tag-without-a-date"),
        pytest.param("tag:a.example,2020-1-1:x", id="tag-with-short-months"),
        pytest.param("tag:a.example,2020-13:x", id="tag-of-the-thirteenth-month"),
        pytest.param("tag:A.example,2020:x", id="tag-of-upper-case"),
        pytest.param("urn:x:1", id="namespace-of-one-letter"),
        pytest.param("urn:isbn:", id="urn-of-nothing"),
        pytest.param("urn:isbn:1#2", id="urn-with-a-fragment"),
        pytest.param("urn:uuid:123", id="short-uuid"),
        pytest.param("item 1", id="no-uri"),
        pytest.param("tag:a.example,2020:x\n", id="newline"),
        pytest.param("", id="empty"),
        pytest.param("x:", id="scheme-alone"),
        pytest.param("x:#ä", id="fragment-alone"),
        pytest.param("/ä", id="relative"),
        pytest.param("ä:x", id="scheme-beyond-ascii"),
        pytest.param("http://e.org/ä b", id="blank"),
        pytest.param("http://e.org/ä\u200f", id="right-to-left-mark"),
        pytest.param("http://e.org/\ue000", id="private-outside-a-query"),
        pytest.param("http://e.org/ä%zz", id="percent-and-no-digits-in-an-iri"),
        pytest.param("urn:uuid:ä", id="uuid-of-letters"),
    ],
)
def test_a4_what_breaks_the_rules_of_its_scheme_cannot(text: str) -> None:
    assert not is_identifier(text)
