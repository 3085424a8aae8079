"""Documents as JSON Feed."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model.entry import Enclosure, Person, Tag
from aggregator.model.story import Document, Publication
from aggregator.model.supplement import Image, ImageRole, Supplement
from aggregator.render.jsonfeed import read_back_json, render_json
from aggregator.urls import Url
from tests.render.checks import SCHEMA
from tests.render.records import BARE, LINKLESS, NOON, ORIGIN, RICH, SAMPLE, SITE, STORE, a_document, a_publication


def feed_of(document: Document, *, html: bool = True) -> dict[str, Any]:
    """Render a document, prove it, and read it."""
    data = render_json(document, SITE, STORE, html=html)
    read_back_json(data, document)
    feed: dict[str, Any] = json.loads(data)
    return feed


def item_of(publication: Publication) -> dict[str, Any]:
    """Render one publication, and give its item."""
    item: dict[str, Any] = feed_of(a_document(publication))["items"][0]
    return item


@pytest.mark.usefixtures("html_as_it_is")
def test_a55_main_document(golden: Callable[[str, bytes], None]) -> None:
    golden("category.json", render_json(SAMPLE, SITE, STORE, html=True))


@pytest.mark.corpus
@pytest.mark.skipif(not SCHEMA.exists(), reason="no ../shared/schema")
@pytest.mark.parametrize("document", [SAMPLE, a_document(), a_document(path="all")], ids=["main", "empty", "all"])
def test_a54_documents_are_valid(document: Document) -> None:
    schema = json.loads((SCHEMA / "jsonfeed-1.1.schema.json").read_text())
    for html in (True, False):
        jsonschema.validate(feed_of(document, html=html), schema)


def test_a54_feed_says_where_it_is() -> None:
    feed = feed_of(SAMPLE)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "https://planet.example.org/category/python.json"
    assert feed["home_page_url"] == "https://planet.example.org/category/python.html"
    assert feed["language"] == "en"
    assert feed["authors"] == [{"name": "Example Planet", "url": "https://planet.example.org/"}]
    assert feed_of(SAMPLE, html=False)["home_page_url"] == "https://planet.example.org/"


def test_store_source_key_and_exact_sort_at_stand_there_for_restore() -> None:
    publication = a_publication(sort_at=NOON + timedelta(microseconds=1), entry_key="a key\x01, as it is")
    feed = feed_of(a_document(publication))
    assert feed["_aggregator"] == {"store": STORE, "feed": a_document(publication).id}
    assert feed["items"][0]["_aggregator"] == {
        "source": "heron",
        "key": "a key\x01, as it is",
        "sort_at": "2025-03-01T12:00:00.000001Z",
    }


def test_sort_at_has_its_microseconds_when_there_are_none() -> None:
    assert item_of(a_publication(sort_at=NOON))["_aggregator"]["sort_at"] == "2025-03-01T12:00:00.000000Z"


def test_a54_item_has_one_kind_of_content() -> None:
    assert item_of(RICH)["content_html"].startswith("<h1>")
    assert item_of(RICH)["summary"] == "What it is about."
    assert item_of(LINKLESS)["content_html"] == "A &amp; B"
    assert "summary" not in item_of(LINKLESS)
    assert item_of(BARE)["content_text"] == ""
    assert "content_html" not in item_of(BARE)


def test_a54_attachments_have_a_type_always() -> None:
    urls = ("https://x.example/a.MP3?x=1#y", "https://x.example/b", "https://x.example/c.pdf")
    typed = Enclosure(url=Url("https://x.example/d.pdf"), type="text/html", length=0, duration=60, title="D")
    found = item_of(a_publication(enclosures=(*(Enclosure(url=Url(url)) for url in urls), typed)))["attachments"]
    assert [a["mime_type"] for a in found] == ["audio/mpeg", "application/octet-stream", "application/pdf", "text/html"]
    assert found[3]["size_in_bytes"] == 0
    assert found[3]["duration_in_seconds"] == 60


def test_a11_item_has_authors_never_a_mail_address() -> None:
    assert item_of(RICH)["authors"] == [{"name": "Bea Crane", "url": "https://crane.example/"}]
    assert item_of(a_publication(authors=(Person(email="x@y.example"),)))["authors"] == [
        {"name": "Ada Heron", "url": "https://heron.example/about"}
    ]


@pytest.mark.parametrize(
    ("roles", "types", "expected"),
    [
        pytest.param(["picture", "banner"], [], ("picture", "banner"), id="both"),
        pytest.param(["banner", "cover"], [], ("cover", "banner"), id="cover"),
        pytest.param(["banner"], ["audio/mpeg", "image/png"], ("1", "banner"), id="file"),
        pytest.param([], [None], (None, None), id="none"),
    ],
)
def test_a54_images(roles: list[str], types: list[str | None], expected: tuple[str | None, str | None]) -> None:
    images = tuple(Image(url=Url(f"https://heron.example/{role}"), role=ImageRole(role)) for role in roles)
    files = tuple(Enclosure(url=Url(f"https://heron.example/{n}"), type=kind) for n, kind in enumerate(types))
    item = item_of(a_publication(supplement=Supplement(images=images), enclosures=files))
    found = (item.get("image"), item.get("banner_image"))
    assert found == tuple(name and f"https://heron.example/{name}" for name in expected)


def test_tags_are_labels_none_twice() -> None:
    tags = (Tag(term="py", label="Python"), Tag(term="Python"), Tag(term="web"))
    assert item_of(a_publication(tags=tags))["tags"] == ["Python", "web"]


def test_a55_text_can_stand_in_a_script() -> None:
    publication = a_publication(title="</script>&\u2028\u2029", content="<b>x\u2028y\u2029z</b>")
    data = render_json(a_document(publication), SITE, STORE, html=True)
    assert not any(sign in data.decode() for sign in "<>&\u2028\u2029")
    [item] = json.loads(data)["items"]
    assert (item["title"], item["content_html"]) == ("</script>&", "<b>x\u2028y\u2029z</b>")


def test_a55_keys_are_sorted_and_the_file_ends_with_a_newline() -> None:
    data = render_json(SAMPLE, SITE, STORE, html=True)

    def keys_in_order(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert keys == sorted(keys)
        return dict(pairs)

    json.loads(data, object_pairs_hook=keys_in_order)
    assert data.endswith(b"}\n")
    assert data.count(b"\n{") == len(SAMPLE.publications)


TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


@settings(deadline=None)
@given(title=TEXT, content=TEXT, key=TEXT)
def test_any_text_comes_back(title: str, content: str, key: str) -> None:
    publication = a_publication(title=title, content=content, summary=title, entry_key=key, origin=ORIGIN)
    item = item_of(publication)
    assert item["_aggregator"]["key"] == key.encode(errors="replace").decode()
