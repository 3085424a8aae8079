"""Which ids are published as they are (A4)."""

import pytest

from aggregator.identifiers import is_identifier, is_iri


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
    assert is_iri(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://a.example/é", id="an-iri-to-rfc-3986"),
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
    ],
)
def test_a4_what_breaks_the_rules_of_its_scheme_cannot(text: str) -> None:
    assert not is_identifier(text)
