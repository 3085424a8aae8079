"""Which parts of an address are probably secret, and the encoded forms in which they are found (S44)."""

from string import ascii_letters, digits
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.redactor import Redactor
from aggregator.model.tokens import PrivateRedactor, holds, is_random, secrets_of, strike_coded

TOKEN = "9f8e7d6c5b4a"
PART = st.text(alphabet=ascii_letters + digits, min_size=6, max_size=20)


@pytest.mark.parametrize(
    "part",
    [
        "9f8e7d6c",
        "s3cr3tt0ken",
        "TOKEN-9f8e7d6c",
        "token123456",
        "AbCdEfGhIjKlMnOp",
        "eyJhbGciOiJIUzI1NiJ9",
        "550e8400-e29b-41d4-a716-446655440000",
        "qwertzuiopasdfghjklyx",
        "123456789012",
    ],
)
def test_s44_a_part_that_looks_drawn_at_random_is_secret(part: str) -> None:
    assert is_random(part)


@pytest.mark.parametrize(
    "part",
    [
        "articles",
        "blog2024",
        "2026-01-15",
        "20260115",
        "rss2.0.xml",
        "podcast2",
        "article-12345",
        "the-big-story-of-the-day",
        "science-and-technology-news",
        "PoliticsAndSociety",
        "a1b2",
    ],
)
def test_s44_words_years_and_numbers_are_no_secret(part: str) -> None:
    assert not is_random(part)


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        pytest.param(f"https://pub.example/in/{TOKEN}/rss", TOKEN, id="segment"),
        pytest.param(f"https://pub.example/in/{TOKEN}.xml", TOKEN, id="segment-with-a-suffix"),
        pytest.param(f"https://pub.example/feed;auth={TOKEN}/rss", TOKEN, id="parameter-in-the-path"),
        pytest.param("https://pub.example/feed?auth=sekretword", "sekretword", id="a-word-that-its-name-gives-away"),
        pytest.param("https://pub.example/feed?X-Amz-Signature=abcdef", "abcdef", id="signature"),
        pytest.param(f"https://anna:{TOKEN}@pub.example/", TOKEN, id="password"),
        pytest.param(f"https://pub.example/feed#t={TOKEN}", TOKEN, id="fragment"),
        pytest.param(f"https://pub.example/go?u=https%3A%2F%2Fpub.example%2F{TOKEN}%2Frss", TOKEN, id="address-inside"),
        pytest.param("https://pub.example/%39%66%38%65%37%64%36%63%35%62%34%61/", TOKEN, id="escaped"),
        pytest.param(f"pub.example/{TOKEN}/", TOKEN, id="no-scheme"),
    ],
)
def test_s44_secret_parts_of_an_address(address: str, secret: str) -> None:
    assert secret in secrets_of(address).all


@pytest.mark.parametrize("address", ["https://pub.example/politics?feed=podcast-rss&page=2", "http://[", "", "x"])
def test_s44_a_plain_address_has_no_secret(address: str) -> None:
    assert secrets_of(address).all == frozenset()


SPELLINGS = [
    pytest.param("9%668e7d6c5b4a", id="percent"),
    pytest.param("9%25668e7d6c5b4a", id="percent-twice"),
    pytest.param("9%2525668e7d6c5b4%2561", id="percent-three-times"),
    pytest.param("9&#102;8e7d6c5b4a", id="html"),
    pytest.param("9&#x66;8e7d6c5b4&#97;", id="html-hex"),
    pytest.param("9&amp;#102;8e7d6c5b4a", id="html-twice"),
    pytest.param("9\\u00668e7d6c5b4a", id="json"),
    pytest.param("9\\u0025\\u003668e7d6c5b4a", id="percent-in-json"),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_s44_a_secret_is_found_in_any_spelling(spelling: str) -> None:
    text = f'<a href="https://pub.example/{spelling}/1">See</a> 100%25 of it'
    assert strike_coded(text, lambda form: TOKEN in form) == '<a href="***">See</a> 100%25 of it'
    assert Redactor([TOKEN]).text(text) == '<a href="***">See</a> 100%25 of it'
    assert Redactor([TOKEN]).body(text.encode()) == b'<a href="***">See</a> 100%25 of it'
    assert "***" in PrivateRedactor([f"https://pub.example/{TOKEN}/"]).text(text)


def test_s44_a_struck_stretch_leaves_json_whole() -> None:
    said = Redactor([TOKEN]).body(b'{"a": "say \\"x/9%668e7d6c5b4a\\" and go on"}')
    assert said == b'{"a": "say \\"***\\" and go on"}'


def test_s44_letters_around_an_escaped_secret_stay() -> None:
    text = "报道https://pub.example/%39f8e7d6c5b4a见此"
    assert strike_coded(text, lambda form: TOKEN in form) == "报道***见此"


@given(before=PART, secret=PART, rounds=st.integers(1, 3))
def test_s44_percent_signs_hide_nothing(before: str, secret: str, rounds: int) -> None:
    coded = secret
    for _ in range(rounds):
        coded = "".join(f"%{ord(char):02x}" for char in coded) if coded == secret else quote(coded, safe="")
    assert holds(f"{before}{coded}", lambda form: secret in form)
    assert secret not in Redactor([secret]).text(f"/{coded}/")


@given(st.text())
def test_a_text_without_escapes_stays(text: str) -> None:
    plain = text.replace("%", "").replace("&", "").replace("\\", "")
    assert strike_coded(plain, lambda _: True) == plain


def test_s44_operators_read_hosts_and_what_they_wrote() -> None:
    redactor = PrivateRedactor(
        ["https://pub.example/feed"], [f"https://pub.example/hop/{TOKEN}", "https://cdn.example/members/only"]
    )
    assert redactor.text("https://pub.example/feed: HTTP 404") == "https://pub.example/feed: HTTP 404"
    assert redactor.text("https://cdn.example/members/only: HTTP 404") == "https://cdn.example/***: HTTP 404"
    assert redactor.record({TOKEN: [f"x {TOKEN}", 1, None]}) == {TOKEN: ["x ***", 1, None]}
