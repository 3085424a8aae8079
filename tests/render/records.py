"""Publications and documents to render: made up, complete where nothing else is asked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.settings import CategoryKey, Site, SourceKey
from aggregator.model.story import CategoryLine, Credit, Document, Publication, Tombstone
from aggregator.model.supplement import Contributor, Image, ImageRole, Point, Reference, Supplement
from aggregator.render.html_pages import render_index, section_of
from aggregator.urls import Url

NOON = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
SITE = Site(title="Example Planet", base_url=Url("https://planet.example.org/"))
STORE = "0b6d9a1e-55a5-4a8e-9f3e-0d7a9c6f1b22"

ORIGIN = Origin(
    id="tag:heron.example,2019:feed",
    title="Heron Notes",
    updated=NOON - timedelta(hours=2),
    self_link=Url("https://heron.example/feed.atom"),
    link=Url("https://heron.example/"),
    authors=(Person(name="Ada Heron", uri="https://heron.example/about"),),
    rights="CC BY 4.0",
    icon=Url("https://heron.example/icon.png"),
    logo=Url("https://heron.example/logo.png"),
    tags=(Tag(term="birds", scheme="https://heron.example/tags", label="Birds"), Tag(term="water")),
)


def a_publication(number: int = 1, **changes: Any) -> Publication:
    """Return a publication by its number; each is an hour older than the one before."""
    when = NOON - timedelta(hours=number)
    plain = Publication(
        story=number,
        atom_id=f"tag:heron.example,2025:{number}",
        page_id=f"{number:016x}",
        sort_at=when + timedelta(microseconds=7),
        page=None,
        published=when,
        updated=when + timedelta(minutes=5),
        source=SourceKey("heron"),
        entry_key=f"tag:heron.example,2025:{number}",
        title=f"Story {number}",
        link=Url(f"https://heron.example/{number}"),
        summary="",
        content=f"<p>Text of story {number}.</p>",
        authors=(),
        tags=(),
        enclosures=(),
        rights=None,
        language=None,
        origin=ORIGIN,
        credits=(),
        category=CategoryKey("python"),
    )
    return replace(plain, **changes)


def a_document(*publications: Publication, **changes: Any) -> Document:
    """Return the main document of the category python."""
    plain = Document(
        path="category/python",
        id="urn:uuid:5f0c2c4e-3f5e-5b1f-8f0e-2b9d5b1a9c11",
        title="Python",
        description="News about Python",
        language="en",
        updated=NOON,
        publications=publications,
    )
    return replace(plain, **changes)


def an_archive(number: int, *publications: Publication, **changes: Any) -> Document:
    """Return an archive page of the category python."""
    before = f"category/python/archive/{number - 1}" if number > 1 else None
    page = a_document(
        *publications, path=f"category/python/archive/{number}", archive=number, current="category/python"
    )
    return replace(page, prev_archive=before, **changes)


RICH = a_publication(
    1,
    title="Ampersands & <angles>: a “rich” entry",
    summary="<p>What it is <em>about</em>.</p>",
    content=(
        "<h1>Top</h1><p>One &amp; two &lt;three&gt; ]]&gt; four.</p><h3>Below</h3>"
        '<p><a href="https://heron.example/a?b=1&amp;c=2">a link</a> <img src="https://heron.example/i.png"></p>'
    ),
    authors=(Person(name="Bea Crane", uri="https://crane.example/"), Person(email="bea@crane.example")),
    tags=(Tag(term="py", scheme="https://heron.example/tags", label="Python"), Tag(term="wading")),
    enclosures=(
        Enclosure(
            url=Url("https://heron.example/1.mp3"), type="audio/mpeg", length=1234567, title="Read aloud", duration=61
        ),
        Enclosure(url=Url("https://heron.example/slides.pdf")),
        Enclosure(url=Url("https://heron.example/1.mp3"), type="audio/mpeg", length=1),
    ),
    supplement=Supplement(
        images=(
            Image(url=Url("https://heron.example/1.jpg"), width=640, height=360),
            Image(url=Url("https://heron.example/1-square.jpg"), role=ImageRole.COVER),
            Image(url=Url("https://heron.example/1-wide.jpg"), role=ImageRole.BANNER),
        ),
        player=Url("https://heron.example/play/1"),
        replies=(
            Reference(url=Url("https://heron.example/1#comments"), type="text/html"),
            Reference(url=Url("https://heron.example/1/comments.atom"), type="application/atom+xml"),
        ),
        contributors=(Contributor(name="Cy & Co", role="photographer"), Contributor(name="Dee")),
        season=2,
        episode="7",
        kind="bonus",
        explicit=False,
        transcripts=(
            Reference(url=Url("https://heron.example/1.vtt"), type="text/vtt", language="en", captions=True),
            Reference(url=Url("https://heron.example/1.txt")),
        ),
        chapters=Reference(url=Url("https://heron.example/1.json"), type="application/json+chapters"),
        point=Point(latitude=54.5, longitude=-3.0000007),
    ),
    rights="© 2025 Bea Crane",
    language="en-GB",
    credits=(
        Credit(source=SourceKey("egret"), title="Egret Daily", link=Url("https://egret.example/same")),
        Credit(source=SourceKey("stork"), title="", link=None),
    ),
)
CHINESE = a_publication(
    2,
    atom_id="https://bao.example/2025/2",
    title="大众日报：第二条新闻",
    content="<p>正文，<em>强调</em>。</p>",
    language="zh-CN",
    source=SourceKey("bao"),
    origin=Origin(id="https://bao.example/rss", title="大众日报", link=Url("https://bao.example/")),
)
ARABIC = a_publication(3, title="عنوان القصة", content="<p>نص القصة هنا.</p>", language="ar")
LINKLESS = a_publication(4, link=None, summary="A &amp; B", content="", published=None)
BARE = a_publication(5, content="", origin=Origin(id="urn:uuid:9d1e0f3a-0000-5000-8000-000000000005", title="Bare"))

SAMPLE = a_document(
    RICH,
    CHINESE,
    ARABIC,
    LINKLESS,
    BARE,
    prev_archive="category/python/archive/2",
    tombstones=(Tombstone(ref="tag:heron.example,2025:99", when=NOON - timedelta(days=2)),),
)


def a_start_page(
    lines: Sequence[CategoryLine], site: Site, formats: frozenset[str], *, also: frozenset[str] = frozenset()
) -> bytes:
    """Render the start page of some categories."""
    return render_index([section_of(line, site, formats) for line in lines], site, formats, also=also)
