"""Which picture stands for a story, and where pages show it."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.model.entry import Enclosure
from aggregator.model.settings import SourceKey
from aggregator.model.story import StoryPage
from aggregator.model.supplement import Image, ImageRole, Supplement
from aggregator.render.html_pages import render_category, render_story
from aggregator.render.redaction import AddressRedactor
from aggregator.render.teaser import Picture, picture_of
from aggregator.render.theme import plain_style
from aggregator.urls import Url
from tests.render.checks import Page
from tests.render.records import SITE, a_document, a_publication

A, B = "https://heron.example/a.jpg", "https://heron.example/b.jpg"


def img(address: str, more: str = "") -> str:
    return f'<p><img src="{address}"{more}></p>'


def named(*images: Image) -> dict[str, Any]:
    return {"supplement": Supplement(images=images)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        (named(Image(url=Url(A), width=640, height=360)), Picture(A, 640, 360)),
        ({"enclosures": (Enclosure(url=Url(A), title="A heron"),)}, Picture(A, alt="A heron")),
        ({"enclosures": (Enclosure(url=Url("https://heron.example/1.mp3")),)}, None),
        ({"content": img(A, ' alt="A &amp; B" width="400" height="300"')}, Picture(A, 400, 300, "A & B")),
        ({"content": "", "summary": img(A)}, Picture(A)),
        ({"content": img("https://heron.example/a?b=1&amp;c=2")}, Picture("https://heron.example/a?b=1&c=2")),
        # the first that may stand for a story
        ({"content": img(A, ' width="48" height="48"') + img(B)}, Picture(B)),
        ({"content": img(A, ' width="728" height="90"') + img(B)}, Picture(B)),
        ({"content": img("https://s.w.org/images/core/emoji/2/72x72/1f600.png") + img(B)}, Picture(B)),
        ({"content": img("https://secure.gravatar.com/avatar/0a1b?s=400") + img(B)}, Picture(B)),
        ({"content": img("https://heron.example/icons/rss.png") + img(B)}, Picture(B)),
        ({"content": img("https://img.shields.io/pypi/v/heron") + img(B)}, Picture(B)),
        ({"content": img("https://heron.example/plan.svg") + img(B)}, Picture(B)),
        ({"content": img("ftp://heron.example/a.jpg")}, None),
        ({"content": img("https://heron.example/***/a.jpg")}, None),
        # a small one only if there is no other
        (named(Image(url=Url(A), width=75, height=75)), Picture(A, 75, 75)),
        ({**named(Image(url=Url(A), width=75, height=75)), "content": img(B)}, Picture(B)),
        (named(Image(url=Url(A), width=32, height=32)), None),
        (named(Image(url=Url(B), role=ImageRole.COVER)), Picture(B, is_cover=True)),
        ({"content": img(A), "has_picture": False}, None),
        # limits
        ({"content": img(A, ' width="99" height="100"')}, None),
        ({"content": img(A, ' width="100" height="100"')}, Picture(A, 100, 100)),
        ({"content": img(A, ' height="99"')}, None),
        (named(Image(url=Url(A), width=60, height=59)), None),
        (named(Image(url=Url(A), width=60, height=60)), Picture(A, 60, 60)),
        ({"content": img(A, ' width="149"') + img(B, ' width="149"')}, Picture(A, 149)),
        ({"content": img(A, ' width="149"') + img(B, ' width="150"')}, Picture(B, 150)),
        ({"content": img(A, ' width="400" height="100"')}, Picture(A, 400, 100)),
        ({"content": img(A, ' width="401" height="100"')}, None),
        ({"content": img(A, ' width="100" height="401"')}, None),
        ({"content": img("https://heron.example/a.svg") * 19 + img(A)}, Picture(A)),
        ({"content": img("https://heron.example/a.svg") * 20 + img(A)}, None),
    ],
)
def test_the_picture_of_a_story(changes: dict[str, Any], expected: Picture | None) -> None:
    assert picture_of(a_publication(**changes)) == expected


def test_no_picture_tells_the_address_of_a_private_source() -> None:
    redactor = AddressRedactor(["https://heron.example/feed?token=s3cr3t-heron-0815"])
    content = img("https://heron.example/a.jpg?token=s3cr3t-heron-0815")
    images = (Image(url=Url("https://heron.example/b.jpg?token=s3cr3t-heron-0815")),)
    told = a_publication(content=content, supplement=Supplement(images=images))
    assert picture_of(told) is not None
    assert picture_of(redactor.publication(told, name=SourceKey("private-1"), minted="urn:x")) is None


PICTURED = a_publication(1, **named(Image(url=Url(A), width=640, height=360)))


def pictures_on(page: bytes) -> list[str | None]:
    return [image.get("src") for image in Page(page).all("img")]


def test_a_text_without_a_picture_has_it_above() -> None:
    unsized = a_publication(2, **named(Image(url=Url(B))))
    page = Page(render_category(a_document(PICTURED, unsized), SITE, frozenset({"atom"})))
    assert page.faults == []
    assert [(i.get("src"), i.get("width"), i.get("height"), i.get("class")) for i in page.all("img")] == [
        (A, "640", "360", None),
        (B, "640", "360", "unsized"),
    ]
    assert {(i.get("loading"), i.get("referrerpolicy")) for i in page.all("img")} == {("lazy", "no-referrer")}


def test_a_text_with_pictures_has_no_other() -> None:
    told = replace(PICTURED, content=img(B))
    assert pictures_on(render_category(a_document(told), SITE, frozenset({"atom"}))) == [B]


def test_pages_without_images() -> None:
    style = replace(plain_style(), images=False)
    told = replace(PICTURED, content=img(B), story=2)
    assert pictures_on(render_category(a_document(PICTURED, told), SITE, frozenset({"atom"}), style)) == [B]


def test_where_only_titles_are_shown_there_is_no_picture() -> None:
    apart = replace(PICTURED, noindex=True)
    assert pictures_on(render_category(a_document(apart), SITE, frozenset({"atom"}))) == []
    page = StoryPage(path="entry/00/0000000000000001.html", publication=apart, places=())
    assert pictures_on(render_story(page, SITE, frozenset({"atom"}))) == [A]


def test_a_picture_that_is_shown_is_not_attached_as_well() -> None:
    more = Enclosure(url=Url(B), type="image/jpeg", length=9000)
    both = (Enclosure(url=Url(A), length=30_000), more)
    for content in ("<p>Text.</p>", img(A)):
        document = a_document(a_publication(content=content, enclosures=both))
        seen = Page(render_category(document, SITE, frozenset({"atom"})))
        assert [one["src"] for one in seen.all("img")] == [A]
        assert [one["href"] for one in seen.all("a") if one.get("href") in (A, B)] == [B]
    document = a_document(a_publication(content="", enclosures=(more,)))
    off = replace(plain_style(), images=False)
    assert Page(render_category(document, SITE, frozenset({"atom"}), off)).all("a", href=B)
