"""Renders a theme with made-up stories before it is used, so that `check` and the start report its faults."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from aggregator.errors import Problem, PublishError
from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.formats import FORMATS
from aggregator.model.history import NO_ASIDES, NO_SUMS, Fetching
from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, Site, SourceKey
from aggregator.model.status import CategoryStatus, ConfigStatus, Lag, Outage, SourceStatus, Status
from aggregator.model.story import (
    ArchiveSpan,
    CategoryLine,
    Credit,
    Document,
    Near,
    Publication,
    River,
    RiverTab,
    SourceLine,
    SourcePage,
    StoryNote,
    StoryPage,
    StoryPlace,
)
from aggregator.model.supplement import NO_SUPPLEMENT, Image, Supplement
from aggregator.render import mark
from aggregator.render.html_pages import (
    render_archive,
    render_category,
    render_error,
    render_index,
    render_note,
    render_own_page,
    render_story,
    section_of,
)
from aggregator.render.river import render_alias, render_river
from aggregator.render.search_page import Answer, render_found
from aggregator.render.source_pages import render_source, render_sources
from aggregator.render.status_page import render_status_page
from aggregator.render.theme import PageStyle, Theme
from aggregator.urls import Url

WHEN = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
POLICY = (  # A80, in every page for hosts that send no headers; `frame-ancestors` counts in a header only
    b"default-src 'none'; img-src https: http:; media-src https: http:; style-src 'self'; font-src 'self'; "
    b"base-uri 'none'; form-action 'none'"
)
POLICIES = (POLICY, POLICY.replace(b"form-action 'none'", b"form-action 'self'"))  # the latter where one searches


def try_theme(theme: Theme, site: Site) -> list[Problem]:
    """Render each kind of page; return the problems, each place once."""
    found: set[Problem] = set()
    for style in (PageStyle(theme=theme), PageStyle(theme=theme, refresh=timedelta(minutes=5), search=True)):
        for path, data in _pages(style, site, found):
            if not any(policy in data for policy in POLICIES) or not mark.bears_mark(data):
                what = f'{path} comes out without its policy and its mark; write {{% include "head.html" %}} in <head>'
                found.add(Problem(f"{theme.called}/base.html", 1, 1, what))
    return sorted(found)


def _pages(style: PageStyle, site: Site, found: set[Problem]) -> list[tuple[str, bytes]]:
    pages = []
    for path, render in specimens(style, site, frozenset(FORMATS)):
        try:
            pages.append((path, render()))
        except PublishError as error:
            found.add(_problem_of(error, style.theme))
    return pages


def specimens(style: PageStyle, site: Site, formats: frozenset[str]) -> tuple[tuple[str, Callable[[], bytes]], ...]:
    """Return each kind of page by its path or name, with the function that renders a specimen of it."""
    span = ArchiveSpan(number=1, since=WHEN - timedelta(days=9), until=WHEN)
    full = _document("category/specimen", *_PUBLICATIONS, prev_archive="category/specimen/archive/1", spans=(span,))
    empty = _document("category/empty")
    filed = _document(
        "category/specimen/archive/1",
        _PUBLICATIONS[0],
        archive=1,
        current="category/specimen",
        newer="category/specimen",
    )
    names = frozenset({"opml.xml", "sources.opml", "status.html"})
    story = StoryPage(
        path="entry/00/0000000000000001.html",
        publication=_PUBLICATIONS[0],
        places=(_PLACE,),
        source="source/specimen",
    )
    bare = replace(story, publication=replace(_PUBLICATIONS[1], noindex=True))
    withdrawn = StoryNote(path="entry/00/0000000000000003.html", part_of=None)
    frame = (site, formats, style)
    own = tuple((page.path, partial(render_own_page, page, *frame)) for page in style.theme.pages)
    return (
        ("category/specimen.html", lambda: render_category(full, *frame)),
        ("category/empty.html", lambda: render_category(empty, *frame)),
        ("category/specimen/archive/1.html", lambda: render_archive(filed, *frame)),
        ("index.html", lambda: render_index([section_of(line, *frame) for line in _LINES], *frame, also=names)),
        ("latest.html", lambda: render_river(_RIVER, *frame)),
        ("latest-1.html", lambda: render_river(replace(_RIVER, number=1, older=None, tabs=()), *frame)),
        ("all.html", lambda: render_alias(site, style)),
        ("sources.html", lambda: render_sources(_SOURCES, *frame, also=names)),
        *((f"source/{line.key}.html", partial(render_source, _page_of(line), *frame)) for line in _SOURCES),
        ("status.html", lambda: render_status_page(STATUS, *frame)),
        ("a story's page", lambda: render_story(story, *frame)),
        ("a bare story's page", lambda: render_story(bare, *frame)),
        ("the page of a withdrawn story", lambda: render_note(withdrawn, *frame)),
        (
            "the page of a joined story",
            lambda: render_note(replace(withdrawn, part_of=_PLACE), *frame),
        ),
        ("404.html", lambda: render_error(404, _PUBLICATIONS[:5], *frame, has_story_pages=True)),
        ("search", lambda: render_found("text", ["text"], _PUBLICATIONS[:2], Answer.FOUND, *frame)),
        *own,
    )


def _problem_of(error: PublishError, theme: Theme) -> Problem:
    place, _, what = error.why.partition(": ")
    file, _, line = place.rpartition(":")
    return Problem(file, int(line), 1, what) if line.isdigit() else Problem(place or theme.called, 1, 1, what)


# The specimens: as much as a page can have to show, in more than one script.

_PLACE = StoryPlace(title="Specimen", path="category/specimen")
_NEAR = Near(places=(_PLACE, StoryPlace(title="Empty", path="category/empty")), own=_PLACE.path, is_all=False)
_ORIGIN = Origin(id="urn:x-specimen", title="Specimen Weekly", link=Url("https://specimen.example/"))


def _publication(number: int, **facts: str | None) -> Publication:
    when = WHEN - timedelta(hours=number)
    full = number == 1
    language = facts.get("language")
    return Publication(
        story=number,
        atom_id=f"urn:x-specimen:{number}",
        page_id=f"{number:016x}",
        sort_at=when,
        page=None,
        published=when if full else None,
        updated=when + timedelta(days=1) if full else when,
        source=SourceKey("specimen"),
        entry_key=f"{number}",
        title=facts.get("title") or f"Specimen {number}",
        link=Url(f"https://specimen.example/{number}") if full else None,
        summary="",
        content="<h2>A heading</h2><p>A text with <em>all</em> it may have.</p>" if full else "",
        authors=(Person(name="A. Specimen"),) if full else (),
        tags=(Tag(term="specimens"), Tag(term="wading", label="Wading")) if full else (),
        enclosures=(Enclosure(url=Url("https://specimen.example/1.mp3"), type="audio/mpeg", length=10),)
        if full
        else (),
        rights=None,
        language=language,
        origin=_ORIGIN,
        supplement=Supplement(images=(Image(url=Url("https://specimen.example/1.jpg"), width=640, height=480),))
        if full
        else NO_SUPPLEMENT,
        credits=(Credit(source=SourceKey("other"), title="Another", link=Url("https://other.example/1")),)
        if full
        else (),
        category=CategoryKey("specimen"),
    )


_PUBLICATIONS = (
    _publication(1),
    _publication(2, title="عنوان", language="ar"),
    *(_publication(n) for n in range(3, 55)),
)


def _document(
    path: str,
    *publications: Publication,
    archive: int | None = None,
    current: str | None = None,
    newer: str | None = None,
    prev_archive: str | None = None,
    spans: tuple[ArchiveSpan, ...] = (),
) -> Document:
    return Document(
        path=path,
        id="urn:x-specimen",
        title="Specimen",
        description="What a page can show" if publications else None,
        language="en",
        updated=WHEN,
        publications=publications,
        archive=archive,
        current=current,
        newer=newer,
        prev_archive=prev_archive,
        spans=spans,
        near=_NEAR,
    )


_LINES = (
    CategoryLine(
        key=CategoryKey("specimen"),
        title="Specimen",
        description="What a page can show",
        path="category/specimen",
        newest=_PUBLICATIONS[:5],
    ),
    CategoryLine(key=CategoryKey("empty"), title="Empty", description=None, path="category/empty", newest=()),
)
_RIVER = River(
    publications=_PUBLICATIONS,
    places={CategoryKey("specimen"): _PLACE},
    older=1,
    tabs=tuple(RiverTab(title=line.title, path=line.path, count=54) for line in _LINES),
    others=1,
    has_story_pages=True,
)
_SOURCES = tuple(
    SourceLine(
        key=SourceKey(f"specimen-{state}"),
        title="Specimen Weekly",
        link=Url("https://specimen.example/") if state is State.OK else None,
        url="https://specimen.example/feed" if state is not State.PAUSED else None,
        state=state,
        code="dns" if state is State.FAILING else None,
        categories=("Specimen",),
        since=WHEN if state is State.FAILING else None,
        format="rss 2.0",
        picture=Url("https://specimen.example/logo.png") if state is State.OK else None,
        noindex=state is State.PAUSED,
    )
    for state in State
)


def _page_of(line: SourceLine) -> SourcePage:
    return SourcePage(
        path=f"source/{line.key}.html",
        line=line,
        places=(_PLACE,),
        publications=_PUBLICATIONS[:9] if line.state is State.OK else (),
        has_story_pages=True,
    )


STATUS = Status(
    at=WHEN,
    sources=tuple(
        SourceStatus(
            key=line.key,
            url=Url(line.url) if line.url else None,
            title=line.title,
            categories=("specimen",),
            state=line.state,
            last_attempt=WHEN,
            last_success=WHEN if line.state is State.OK else None,
            next_due=WHEN,
            interval=timedelta(hours=1),
            because="",
            failures=0,
            failing_since=None,
            code=line.code,
            error=None,
            entries=1,
            per_week=0.5,
            lag=timedelta(0),
            advice=None,
        )
        for line in _SOURCES
    ),
    categories=(CategoryStatus(slug="specimen", title="Specimen", stories=54, newest=WHEN, sources=6),),
    config=ConfigStatus(path=None, loaded_at=WHEN, error="refused"),
    fetching=Fetching(since=WHEN, sums=NO_SUMS, details=NO_ASIDES, further=NO_ASIDES, hosts=()),
    lag=Lag(sources=6, late=0, p95=timedelta(0)),
    alarms=(),
    store_url="",
    store_bytes=0,
    schema="",
    outage=Outage(public=WHEN),
)
