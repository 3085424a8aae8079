"""Pages for people: categories, archive, start page, stories (A60 to A69, A80). No script, one stylesheet, no clock.

A page shows at most 50 stories in full and stays below a megabyte (A69); what is beyond that is a list of headlines,
each with its place on the page, so that links to it hold.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from aggregator.clean.text import line_of as plain
from aggregator.model.formats import feeds_among
from aggregator.model.poll import State
from aggregator.model.settings import Site
from aggregator.model.story import CategoryLine, Document, Near, Publication, StoryNote, StoryPage
from aggregator.render import fields, mark
from aggregator.render.html_fragments import MAX_BYTES, fitting, shorten, size_of
from aggregator.render.renderer import RenderContext, Renderer
from aggregator.render.teaser import Picture
from aggregator.render.template_context import ContextBuilder, LinkText, Story, is_right_to_left
from aggregator.render.theme import PageStyle
from aggregator.render.theme_files import PAGES, OwnPage

DESCRIPTION = 200  # characters of a story in previews of its page
MAX_ANNOUNCED = 100  # categories whose feeds the start page announces
LINK_BYTES = 40  # our own part of a category in the list of all, about
TROUBLED = frozenset({State.FAILING, State.GONE, State.SUSPECT})


@dataclass(frozen=True, slots=True)
class Preview:
    """A page as other sites and search engines show it: a story with its own facts, else with those of the page."""

    description: str = ""
    published: str | None = None  # of a story, for machines
    image: Picture | None = None


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed to subscribe to."""

    label: str
    type: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """Rendered section of a category on the start page."""

    title: str
    description: str
    path: str
    feed: str | None
    stories: tuple[Story, ...]
    count: str  # of all its stories, in words
    html: Markup  # all of it, as `section.html` has it


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive page in the list of them."""

    title: str
    url: str
    days: tuple[tuple[str, str], ...]  # first and last, or the only one: for machines and for people


def render_category(document: Document, site: Site, formats: frozenset[str], style: PageStyle | None = None) -> bytes:
    """Render the page of a category.

    Args:
        document: the category's main document.
        site: title, language, zone and public address.
        formats: of the feeds that are published beside the page.
        style: theme and texts of all pages; None: those that come with the program.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    return _render_document(document, site, formats, style, feed_path=document.path)


def render_archive(document: Document, site: Site, formats: frozenset[str], style: PageStyle | None = None) -> bytes:
    """Render the page of an archive document. When the next one comes it leads there; nothing else changes (M6, M7)."""
    assert document.archive is not None
    assert document.current is not None
    messages = ContextBuilder.of(site, document.language, style).messages
    part = messages.text("archive", number=document.archive)
    note = messages.text("archive_note", title=plain(document.title))
    return _render_document(document, site, formats, style, feed_path=document.current, part=part, note=note)


def section_of(
    line: CategoryLine,
    site: Site,
    formats: frozenset[str],
    style: PageStyle | None = None,
    *,
    has_story_pages: bool = False,
) -> Section:
    """Return the section of a category on the start page.

    Args:
        line: the category and its newest stories.
        site: title, language, zone and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.
        has_story_pages: each story has a page of its own.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    section = Section(
        title=plain(line.title),
        description=plain(line.description or ""),
        path=f"{line.path}.html",
        feed=fields.url_of(site, line.path, ".atom") if "atom" in formats else None,
        stories=scribe.headlines(line.newest, f"{line.path}.html", "" if has_story_pages else None),
        count=scribe.messages.count(line.count),
        html=Markup(""),
    )
    values = {"t": scribe.messages.text, "site": plain(site.title), "section": section}
    html = scribe.style.theme.render("section.html", "index.html", values)
    return replace(section, html=Markup(html.strip()))  # the template escapes what it is given


def render_index(
    sections: Sequence[Section],
    site: Site,
    formats: frozenset[str],
    style: PageStyle | None = None,
    *,
    also: frozenset[str] = frozenset(),
    names: Sequence[LinkText] = (),
    river: Mapping[str, object] | None = None,
) -> bytes:
    """Render the start page: the newest stories of each category, or of all, and links to everything else.

    Args:
        sections: categories with their newest stories, in order.
        site: title, language, zone and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.
        also: other outputs that exist, of `opml.xml`, `sources.opml` and `status.html`.
        names: all categories, if not all of them have a section.
        river: the newest stories of all, as `river.values_for` has them; None: the page shows no stories.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    feeds = feeds_of_site(site, formats)
    others = [name for name in ("opml.xml", "sources.opml", "status.html") if name in also]
    canonical = str(site.base_url)
    listed = sum(LINK_BYTES + size_of(section.path, section.title) for section in sections)
    fit, _ = fitting(sections, lambda section: len(section.html.encode()), MAX_BYTES - listed)
    bare = [replace(section, html=Markup("")) for section in sections[len(fit) :]]  # in the list of all alone
    return render_page(
        "index",
        scribe,
        "",
        title="",
        canonical=canonical,
        feeds=feeds,
        more_feeds=_best_feeds(sections, site, formats),
        preview=Preview(plain(site.description or "")),
        sections=[*fit, *bare],
        others=others,
        names=names,
        description=plain(site.description or ""),
        river=river,
    )


def render_story(page: StoryPage, site: Site, formats: frozenset[str], style: PageStyle | None = None) -> bytes:
    """Render the page of a story; its canonical address is the original's (A60).

    Args:
        page: the story, and where it stands.
        site: title, language, zone and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    story = scribe.story(page.publication)
    return render_page(
        "entry",
        scribe,
        page.path,
        title=story.title,
        canonical=story.original or fields.url_of(site, page.path),
        feeds=[feed for place in page.places for feed in feeds_of(place.path, site, formats, plain(place.title))],
        preview=Preview(shorten(story.excerpt, DESCRIPTION), story.machine_date, story.image),
        reloads=False,
        story=story,
        tags=[plain(tag.label or tag.term) for tag in fields.tags_of(page.publication)],
        places=[place_of(page.path, place.title, place.path) for place in page.places],
        more=place_of(page.path, story.source.name, page.source) if page.source else None,
        noindex=page.publication.noindex,
    )


def render_note(note: StoryNote, site: Site, formats: frozenset[str], style: PageStyle | None = None) -> bytes:
    """Render the note in place of a story that was withdrawn or merged (A42, T7)."""
    scribe = ContextBuilder.of(site, site.language, style)
    return render_page(
        "gone",
        scribe,
        note.path,
        title=scribe.messages.text("withdrawn"),
        canonical=fields.url_of(site, note.path),
        feeds=feeds_of_site(site, formats),
        reloads=False,
        part_of=place_of(note.path, note.part_of.title, note.part_of.path) if note.part_of else None,
    )


def render_error(
    status: int,
    newest: Sequence[Publication],
    site: Site,
    formats: frozenset[str],
    style: PageStyle | None = None,
    *,
    has_story_pages: bool = False,
) -> bytes:
    """Render the page that stands for an error: 404.html and the like, which web servers send at any address.

    Args:
        status: 404, 410 or 500.
        newest: the newest stories, which the page names.
        site: title, language and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.
        has_story_pages: each story has a page of its own.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    root = urlsplit(site.base_url).path  # of links: the page may stand at any depth
    path = f"{status}.html"
    return render_page(
        "error",
        scribe,
        path,
        title=scribe.messages.text(f"error_{status}"),
        canonical=fields.url_of(site, path),
        feeds=feeds_of_site(site, formats),
        reloads=False,
        root=root,
        how=scribe.messages.text(f"error_{status}_how"),
        stories=scribe.headlines(newest, f"{root}index.html", root if has_story_pages else None),
    )


def render_own_page(page: OwnPage, site: Site, formats: frozenset[str], style: PageStyle) -> bytes:
    """Render a page that an operator's theme adds."""
    scribe = ContextBuilder.of(site, site.language, style)
    return render_page(
        f"{PAGES}/{page.name}",
        scribe,
        page.path,
        title=page.title,
        canonical=fields.url_of(site, page.path),
        feeds=feeds_of_site(site, formats),
        preview=Preview(page.description),
        reloads=False,
    )


def place_of(page: str, title: str, path: str) -> LinkText:
    """Return a link from a page to the page of a document."""
    return LinkText(plain(title), _relative(page, f"{path}.html"))


def _near_values(page: str, near: Near | None) -> dict[str, Any]:
    """Return what the template of a page sees of the categories that it leads to."""
    if near is None:
        return {"categories": (), "category": "", "has_others": False}
    return {
        "categories": [place_of(page, place.title, place.path) for place in near.places],
        "category": _relative(page, f"{near.own}.html"),
        "has_others": not near.is_all,
    }


def _archives(document: Document, scribe: ContextBuilder) -> Iterator[Archive]:
    messages, zone = scribe.messages, scribe.zone
    for span in document.spans:
        ends = [when.astimezone(zone) for when in (span.since, span.until)]
        days = tuple(dict.fromkeys((when.date().isoformat(), messages.day(when, zone)) for when in ends))
        yield Archive(
            title=messages.text("archive", number=span.number),
            url=_relative(document.path, f"{document.path}/archive/{span.number}.html"),
            days=days,
        )


def _render_document(
    document: Document,
    site: Site,
    formats: frozenset[str],
    style: PageStyle | None,
    *,
    feed_path: str,
    part: str = "",
    note: str = "",
) -> bytes:
    scribe = ContextBuilder.of(site, document.language, style)
    stories, earlier = scribe.stories(document)
    path = f"{document.path}.html"
    heading = plain(document.title)
    return render_page(
        "category",
        scribe,
        path,
        title=f"{heading} – {part}" if part else heading,
        canonical=fields.url_of(site, path),
        feeds=feeds_of(feed_path, site, formats, heading),
        preview=Preview(plain(document.description or "")),
        reloads=document.archive is None,
        heading=heading,
        part=part,
        description=plain(document.description or ""),
        note=note,
        show=document.page_show.value if document.page_show else "",
        stories=stories,
        earlier=earlier,
        current=_relative(path, f"{document.current}.html") if document.current else None,
        newer=_relative(path, f"{document.newer}.html") if document.newer else None,
        older=_relative(path, f"{document.prev_archive}.html") if document.prev_archive else None,
        archives=tuple(_archives(document, scribe)),
        **_near_values(path, document.near),
    )


def render_page(
    template: str,
    scribe: ContextBuilder,
    path: str,
    *,
    title: str,
    canonical: str,
    feeds: Sequence[FeedLink],
    more_feeds: Sequence[FeedLink] = (),
    preview: Preview | None = None,
    reloads: bool = True,
    **more: Any,
) -> bytes:
    """Render a page of `templates/` in the frame that all pages share.

    Args:
        template: its name, without suffix.
        scribe: builder with the site's language, zone and style.
        path: of the page below the folder: decides how links to the root begin.
        title: of the page; empty on the start page.
        canonical: the page's own public address, or the original's (A60).
        feeds: that the page offers and announces.
        more_feeds: that it announces beside these.
        preview: what is shown of the page elsewhere; None: its title.
        reloads: whether the page changes by itself, so that `publish.refresh` is for it.
        more: what the template itself asks for; docs/theme.md names it.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    messages, style = scribe.messages, scribe.style
    refresh = style.refresh if reloads else None
    values = dict(
        t=messages.text,
        **_labels(scribe.site.title, scribe.language, messages.language),
        zone=scribe.zone.key,
        here=template.rpartition("/")[2],
        title=title,
        canonical=canonical,
        feeds=[*feeds],
        more_feeds=[*more_feeds],
        preview=preview or Preview(),
        files=[*style.theme.files],
        pages=style.theme.pages,
        root="../" * path.count("/"),
        logo=logo if (logo := scribe.site.logo) is None or ":" in logo else "../" * path.count("/") + logo,
        refresh=int(refresh.total_seconds()) if refresh else None,
        search=style.search,
        latest="latest.html" if style.river else None,
        program=mark.NAME,
        program_home=mark.HOME,
    )
    return style.theme.render(f"{template}.html", path, values | more).encode()


@lru_cache(maxsize=64)  # all pages of a site in one language have the same
def _labels(title: str, language: str, of_labels: str) -> Mapping[str, str]:
    """Return title and language of the site as a page shows them, and the direction of our labels, not of stories."""
    return {
        "site": plain(title),
        "language": fields.language_of(language) or of_labels,
        "direction": "rtl" if is_right_to_left(of_labels) else "ltr",
    }


@lru_cache(maxsize=16)  # most pages announce them
def feeds_of_site(site: Site, formats: frozenset[str]) -> Sequence[FeedLink]:
    """Return the feeds over all categories, the best first."""
    return feeds_of(fields.ALL, site, formats, plain(site.title))


def feeds_of(path: str, site: Site, formats: frozenset[str], title: str) -> Sequence[FeedLink]:
    """Return the feeds of a document, the best first."""
    url, offered = fields.url_of(site, path), feeds_among(formats)
    return [FeedLink(one.label, one.media_type, f"{title} ({one.label})", f"{url}{one.suffix}") for one in offered]


def _best_feeds(sections: Sequence[Section], site: Site, formats: frozenset[str]) -> list[FeedLink]:
    """Return one feed of each category."""
    return [
        FeedLink(best.label, best.media_type, section.title, fields.url_of(site, section.path[:-5], best.suffix))
        for section in sections[:MAX_ANNOUNCED]
        for best in feeds_among(formats)[:1]
    ]


def _relative(page: str, target: str) -> str:
    """Return the way from a page to a file; `relpath` takes ten times as long, as it asks for the working folder."""
    here, there = page.split("/")[:-1], target.split("/")
    common = len(posixpath.commonprefix([here, there]))
    return "/".join([*[".."] * (len(here) - common), *there[common:]])


def _render(document: Document, context: RenderContext) -> bytes:
    render = render_category if document.archive is None else render_archive
    return render(document, context.site, context.formats, context.style)


RENDERER = Renderer(render=_render)
