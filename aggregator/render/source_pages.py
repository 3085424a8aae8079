"""Pages of sources: the list of them, and a page for each with what it is, how it is, and its stories.

Neither has a time that changes with each poll, so they stay the same while nothing happens to a source.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.clean.text import line_of as plain
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Site
from aggregator.model.story import Publication, SourceLine, SourcePage
from aggregator.render import fields
from aggregator.render.html_fragments import fitting, size_of
from aggregator.render.html_pages import TROUBLED, FeedLink, feeds_of, feeds_of_site, place_of, render_page
from aggregator.render.template_context import ContextBuilder
from aggregator.render.theme import PageStyle

ROW_BYTES = 270  # our own part of a source on the list, about; one in trouble stands there twice
SHOWN = 3  # stories with an excerpt and a picture, as templates/source.html has them
NAMED = 12  # categories of a source that are named: a newsroom has 150

_OF_FORMAT = {"atom": FORMATS["atom"], "rss": FORMATS["rss"], "rdf": FORMATS["rss"], "json 1": FORMATS["json"]}


@dataclass(frozen=True, slots=True)
class _SourceRow:
    """A source on the page of sources."""

    anchor: str
    title: str
    link: str | None
    feed: str | None
    page: str | None  # path of its own page
    redacted: bool  # the address has lost something and leads nowhere (S44)
    state: str
    word: str
    trouble: str
    categories: str


def render_sources(
    lines: Sequence[SourceLine],
    site: Site,
    formats: frozenset[str],
    style: PageStyle | None = None,
    *,
    also: frozenset[str] = frozenset(),
) -> bytes:
    """Render the list of sources by title, each with a word for its state and, while it fails, what is wrong in words.

    Args:
        lines: the sources.
        site: title, language and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.
        also: other outputs that exist; of interest here: `sources.opml`.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    messages = scribe.messages
    separator = messages.text("list_separator")
    lines = sorted(lines, key=lambda line: (plain(line.title) or line.key).casefold())
    rows = [
        _SourceRow(
            state=line.state.value,
            word=how[0],
            trouble=how[1],
            anchor=f"source-{line.key}",
            page=f"source/{line.key}.html" if scribe.style.sources else None,
            redacted=_is_redacted(line),
            title=plain(line.title) or line.key,
            categories=separator.join([*map(plain, line.categories[:NAMED]), *["…"][: len(line.categories) > NAMED]]),
            link=fields.web_address(line.link),
            feed=_address(line),
        )
        for line in lines
        for how in (_how(line, scribe),)
    ]
    troubled = [row for row, line in zip(rows, lines, strict=True) if line.state in TROUBLED]
    summary = ""
    if troubled:
        which = "trouble_one" if len(rows) == 1 else "trouble_other"
        summary = messages.text(which, count=len(troubled), total=len(rows))
    fit, beyond = fitting(rows, _size_of)
    if beyond:  # what needs a hand stands there in any case
        others = (row for row in rows if row.state not in TROUBLED)
        fit, beyond = fitting((*troubled, *others), _size_of)
        troubled = [row for row in fit if row.state in TROUBLED]
    return render_page(
        "sources",
        scribe,
        "sources.html",
        title=messages.text("sources"),
        canonical=fields.url_of(site, "sources.html"),
        feeds=feeds_of_site(site, formats),
        rows=fit,
        troubled=troubled,
        summary=summary,
        more=messages.text("no_room", count=beyond) if beyond else "",
        blogroll="sources.opml" if "sources.opml" in also else None,
    )


def _size_of(row: _SourceRow) -> int:
    size = ROW_BYTES + size_of(
        row.anchor, row.link, row.page, row.title, row.categories, row.feed, row.feed, row.word, row.trouble
    )
    return size + (ROW_BYTES + size_of(row.anchor, row.title, row.trouble) if row.state in TROUBLED else 0)


def render_source(page: SourcePage, site: Site, formats: frozenset[str], style: PageStyle | None = None) -> bytes:
    """Render the page of a source.

    Args:
        page: the source, its categories and its newest stories.
        site: title, language, zone and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    line = page.line
    is_redacted, address, (word, trouble) = _is_redacted(line), _address(line), _how(line, scribe)
    since = scribe.messages.moment(line.since, scribe.zone) if line.since else ""
    title = plain(line.title) or line.key
    here = f"../{page.places[0].path}.html" if page.places else ""  # of a story without link and page
    root = "../" if page.has_story_pages else None
    kind = next((one for name, one in _OF_FORMAT.items() if (line.format or "").startswith(name)), None)
    if address and kind and not is_redacted:
        subscribed, feeds = title, [FeedLink(kind.label, kind.media_type, title, address)]
    else:  # it is not a feed, or nobody may know its address
        subscribed, path = (
            (plain(page.places[0].title), page.places[0].path) if page.places else (site.title, fields.ALL)
        )
        feeds = [*feeds_of(path, site, formats, subscribed)]
    return render_page(
        "source",
        scribe,
        page.path,
        title=title,
        canonical=fields.url_of(site, page.path),
        feeds=feeds,
        reloads=False,
        heading=title,
        subscribed=subscribed,
        feed=address,
        redacted=is_redacted,
        picture=fields.web_address(line.picture) if scribe.style.images else None,
        link=fields.web_address(line.link),
        state=line.state.value,
        word=word,
        trouble=trouble,
        since=since,
        places=[place_of(page.path, place.title, place.path) for place in page.places[:NAMED]],
        has_more_places=len(page.places) > NAMED,
        stories=(
            *scribe.headlines(page.publications[:SHOWN], here, root),
            *scribe.headlines(map(_titled, page.publications[SHOWN:]), here, root, kept=False),
        ),
        noindex=line.noindex,
    )


def _titled(publication: Publication) -> Publication:
    """Return a story of which the page shows the title alone: to look for an excerpt takes 0.1 ms."""
    return replace(publication, content="", summary="") if publication.title else publication


def _is_redacted(line: SourceLine) -> bool:
    return "…" in (line.url or "")


def _address(line: SourceLine) -> str | None:
    """Return the address of a source as it may be shown."""
    return plain(line.url or "") if _is_redacted(line) else fields.web_address(line.url)


def _how(line: SourceLine, scribe: ContextBuilder) -> tuple[str, str]:
    """Return the word for the state of a source, and what is wrong with it in words, if anything is."""
    messages, state = scribe.messages, line.quiet.value if line.quiet else line.state.value
    word = messages.state(state)
    if line.quiet_since:
        return word, messages.text("quiet_since", when=messages.day(line.quiet_since, scribe.zone))
    return word, messages.trouble(state, line.code)
