"""Tests which texts reveal a private source's address, and which do not (S44)."""

import pytest

from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.settings import SourceKey
from aggregator.render.redaction import AddressRedactor, public_name
from aggregator.urls import Url
from tests.render.records import NOON, a_publication

PATH = AddressRedactor(["https://pub.example/feed/9f8e7d6c5b4a/articles.rss"])
QUERY = AddressRedactor(["https://pub.example/feed?user=anna&auth=sekrettoken"])
PLAIN = AddressRedactor(["https://pub.example/blog"])
HOST = AddressRedactor(["https://pub.example/"])
CODED = AddressRedactor(["https://pub.example/f%C3%BCr%20mich%20allein/x"])


@pytest.mark.parametrize(
    ("veil", "text"),
    [
        pytest.param(PATH, "https://cdn.example/9f8e7d6c5b4a/1.mp3", id="segment"),
        pytest.param(PATH, "https://cdn.example/articles.rss/1", id="segment-that-may-be-a-word"),
        pytest.param(QUERY, "tag:pub.example,2026:sekrettoken/1", id="value"),
        pytest.param(QUERY, "http://pub.example/feed", id="address-without-its-query"),
        pytest.param(CODED, "https://pub.example/für mich allein/1", id="decoded"),
        pytest.param(CODED, "https://pub.example/f%c3%bcr%20mich%20allein/1", id="coded-otherwise"),
        pytest.param(HOST, "https://pub.example", id="nothing-but-a-host"),
    ],
)
def test_s44_an_id_that_holds_a_part_of_the_address_names_it(veil: AddressRedactor, text: str) -> None:
    assert veil.names(text)


@pytest.mark.parametrize(
    ("veil", "text"),
    [
        pytest.param(PATH, "https://pub.example/feed/1", id="a-short-segment"),
        pytest.param(QUERY, "https://pub.example/feed/anna", id="a-short-value"),
        pytest.param(PLAIN, "https://pub.example/blog/2026/1", id="below-it"),
        pytest.param(PLAIN, "https://pub.example/blog.html", id="beside-it"),
        pytest.param(HOST, "https://pub.example/1", id="on-its-host"),
        pytest.param(AddressRedactor([]), "anything", id="no-address"),
    ],
)
def test_s44_other_ids_are_left_alone(veil: AddressRedactor, text: str) -> None:
    assert not veil.names(text)


@pytest.mark.parametrize(
    ("veil", "link", "told"),
    [
        pytest.param(PATH, "https://pub.example/9f8e7d6c5b4a/post", True, id="token"),
        pytest.param(PATH, "https://pub.example/articles.rss/post", False, id="word"),
        pytest.param(QUERY, "https://pub.example/post?auth=sekrettoken", True, id="value"),
        pytest.param(QUERY, "https://pub.example/post?user=anna", True, id="pair"),
        pytest.param(QUERY, "https://pub.example/post", False, id="post"),
        pytest.param(PLAIN, "http://pub.example/blog/", True, id="itself"),
        pytest.param(PLAIN, "https://proxy.example/?u=https%3A%2F%2Fpub.example%2Fblog", True, id="itself-inside"),
        pytest.param(PLAIN, "https://pub.example/blog-post", False, id="a-longer-name"),
        pytest.param(PLAIN, None, False, id="none"),
    ],
)
def test_s44_a_link_goes_if_it_is_the_address_or_holds_its_token(
    veil: AddressRedactor, link: str | None, told: bool
) -> None:
    assert veil.tells(link) is told


MET = AddressRedactor(
    ["https://pub.example/start"],
    [
        "https://bücher.example/x".replace("bücher", "xn--bcher-kva"),
        "https://pub.example/index.php?feed=podcast-rss",
        "https://cdn.example/news2026/articles/9f8e7d6c5b4a.xml?auth=sekrettoken",
        "https://pub.example/",
    ],
)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        pytest.param("https://bücher.example/x/", True, id="in-the-letters-of-its-language"),
        pytest.param("//XN--BCHER-KVA.example/x", True, id="without-scheme"),
        pytest.param("https://cdn.example/9F8E7D6C5B4A/1", True, id="token-in-capitals"),
        pytest.param("https://cdn.example/%39f8e7d6c5b4%61/1", True, id="token-with-escapes"),
        pytest.param("https://x.example/?u=https%253A%252F%252Fcdn.example%252F9f8e7d6c5b4%2561", True, id="nested"),
        pytest.param("https://pub.example/?q=sekrettoken", True, id="value"),
        pytest.param("https://pub.example/index.php?feed=podcast-rss", True, id="a-plain-address-itself"),
        pytest.param("https://cdn.example/news2026/articles/1", False, id="words-of-a-path"),
        pytest.param("https://pub.example/index.php?p=1", False, id="the-same-page-otherwise-asked"),
        pytest.param("https://pub.example/?feed=podcast", False, id="a-word-of-a-query"),
        pytest.param("https://pub.example/", False, id="start-page"),
    ],
)
def test_s44_of_an_address_that_was_met_only_itself_and_its_secrets_count(link: str, told: bool) -> None:
    assert MET.tells(link) is told


@pytest.mark.parametrize(
    ("address", "link", "told"),
    [
        pytest.param("https://pub.example/", "https://pub.example", True, id="a-host"),
        pytest.param("https://pub.example/", "https://cdn.example/?u=pub.example", True, id="a-host-inside"),
        pytest.param("https://pub.example/", "https://pub.example/1", False, id="a-page-of-the-host"),
        pytest.param("https://pub.example/", "https://www.pub.example/", False, id="a-longer-host"),
        pytest.param("https://pub.example/?feed=podcast", "https://pub.example/", False, id="a-host-with-a-query"),
        pytest.param("https://pub.example/f%C3%BCr", "https://pub.example/für/", True, id="a-path-decoded"),
        pytest.param("https://pub.example/blog/", "https://pub.example/blog?page=2", True, id="a-path-and-a-query"),
        pytest.param("https://pub.example/FOX/", "https://pub.example/FOX", True, id="a-path-in-capitals"),
        pytest.param("https://pub.example/blog/", "https://pub.example/blog.html", False, id="a-longer-path"),
    ],
)
def test_s44_an_address_without_a_secret_is_told_by_host_and_path(address: str, link: str, told: bool) -> None:
    assert AddressRedactor([address]).tells(link) is told


def test_s44_where_more_addresses_came_than_are_kept_whatever_looks_random_goes() -> None:
    veil = AddressRedactor(["https://pub.example/start"], ["https://pub.example/in?auth=sekrettoken"], rotates=True)
    assert veil.tells("https://pub.example/0123456789abcdef01234567/1")
    assert veil.names("https://pub.example/a.mp3?auth=anotherword")
    assert veil.struck("See 0123456789abcdef01234567, or in?auth=other now") == "See ***, or in?*** now"
    assert not veil.tells("https://pub.example/2026/the-big-story-of-the-day")


def test_s44_texts_lose_the_address_and_nothing_else() -> None:
    html = (
        '<p>Your feed: https://pub.example/feed/9f8e7d6c5b4a/articles.rss. <img src="https://i.example/9f8e7d6c5b4a">'
    )
    assert PATH.struck(html) == '<p>Your feed: https://***. <img src="https://i.example/***">'
    assert QUERY.struck("sekrettoken is a word, auth=sekrettoken is not") == "sekrettoken is a word, *** is not"


def test_s44_a_publication_keeps_what_tells_nothing() -> None:
    token = "9f8e7d6c5b4a"
    shown = PATH.publication(
        a_publication(
            title=f"About {token}",
            link=Url("https://pub.example/1"),
            entry_key="item-1",
            enclosures=(
                Enclosure(url=Url(f"https://cdn.example/{token}/1.mp3")),
                Enclosure(url=Url("https://cdn.example/2.mp3")),
            ),
            authors=(Person(name="Ada", uri=f"https://pub.example/{token}/ada"),),
            tags=(
                Tag(term="a", scheme=f"https://pub.example/{token}/"),
                Tag(term="b", scheme="https://pub.example/t/"),
            ),
            origin=Origin(
                id=f"https://pub.example/{token}",
                title="Pub",
                updated=NOON,
                self_link=Url("https://pub.example/feed/9f8e7d6c5b4a/articles.rss"),
                link=Url("https://pub.example/"),
                icon=Url(f"https://pub.example/{token}/icon.png"),
            ),
        ),
        name=SourceKey("private-00000000"),
        minted="urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
    )
    assert (shown.title, shown.link, shown.entry_key, shown.source) == (
        "About ***",
        "https://pub.example/1",
        "item-1",
        "private-00000000",
    )
    assert [e.url for e in shown.enclosures] == ["https://cdn.example/2.mp3"]
    assert shown.authors == (Person(name="Ada"),)
    assert [tag.scheme for tag in shown.tags] == [None, "https://pub.example/t/"]
    assert shown.origin == Origin(
        id="urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", title="Pub", link=Url("https://pub.example/")
    )


def test_s44_a_public_name_is_the_same_next_time_and_tells_no_host() -> None:
    name = public_name(SourceKey("pub.example-f4efd4ff"))
    assert name == public_name(SourceKey("pub.example-f4efd4ff"))
    assert name.startswith("private-")
    assert "pub" not in name
