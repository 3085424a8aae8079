"""Renders what crawlers and browsers look for at fixed addresses: robots.txt, sitemaps, OpenSearch (decision 0179).

What a theme adds to pages is listed here too.

An operator who keeps a robots.txt or a favicon there goes first (`OutputList.yielding`), so these files are listed as
copies are.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aggregator.late import late
from aggregator.model.formats import feeds_among
from aggregator.model.output import Output
from aggregator.model.settings import Settings, Site
from aggregator.render import mark
from aggregator.render.theme import PageStyle
from aggregator.render.translations import Messages

if TYPE_CHECKING:
    from aggregator.clean import text
    from aggregator.render import fields, html_pages
else:
    text = late("aggregator.clean.text")
    fields = late("aggregator.render.fields")
    html_pages = late("aggregator.render.html_pages")

AGE: Final = 3600  # seconds (A75)
MAX_PAGES: Final = 5000  # addresses in one sitemap; sitemaps.org allows 50,000

_XML: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- generator: {mark.NAME} -->\n'
_SITEMAPS: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"

FEED_STYLE: Final = "feed.css"  # the feeds of `publish.feed_style` name it (0171)
_NOT_IN_CSS: Final = re.compile(r'["\\<\x00-\x1f\x7f]')  # characters that would end a string of CSS, or begin markup
_SITEMAP = re.compile(r"sitemap(?:-[1-9][0-9]{0,5})?\.xml")


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page in a sitemap."""

    path: str  # empty: the start page
    changed: datetime | None = None  # when a story on it changed last


class SiteFiles:
    """The files of one set of settings, beside pages.

    Args:
        settings: the whole of feeds.yaml.
        style: theme and texts of all pages.
    """

    def __init__(self, settings: Settings, style: PageStyle) -> None:
        self._site, self._style, publish = settings.site, style, settings.publish
        self._formats = settings.publish.formats
        self._html = "html" in settings.publish.formats
        # robots.txt counts at the root of a host only
        names = {"robots.txt": urlsplit(settings.site.base_url).path == "/", "opensearch.xml": style.search}
        names |= dict.fromkeys([*style.theme.files, *(page.path for page in style.theme.pages)], True)
        self._names = {name for name, is_made in names.items() if is_made and self._html}
        if publish.feed_style and any(one.has_style for one in feeds_among(publish.formats)):
            self._names.add(FEED_STYLE)

    def has(self, path: str, digest: str | None = None) -> bool:
        """Return whether a listed file is one of these files as they are now.

        Args:
            path: of the file.
            digest: of its bytes as they are listed: a copy of the operator's may have the same path; None: any.
        """
        if _SITEMAP.fullmatch(path):
            return self._html
        if digest is None or path.endswith(".html") or path not in self._names:
            return path in self._names
        found = next(output for output in self._fixed() if output.path == path)
        return hashlib.sha256(found.render()).hexdigest() == digest

    def foreign(self, listed: Mapping[str, str | None]) -> set[str]:
        """Return the paths that are none of these files.

        Args:
            listed: digest by path, as for `has`.
        """
        return {path for path, digest in listed.items() if not self.has(path, digest)}

    def outputs(self, pages: Sequence[SitePage], age: int) -> Iterator[Output]:
        """Return the files.

        Args:
            pages: what search engines are led to, the start page first.
            age: seconds that a reader may keep a list of pages.
        """
        yield from self._fixed()
        if self._html:
            yield from self._sitemaps(pages, age)

    def _fixed(self) -> Iterator[Output]:
        site, search, theme = self._site, self._style.search, self._style.theme
        messages = theme.messages(site.language)
        if FEED_STYLE in self._names:
            yield _made(FEED_STYLE, partial(render_feed_style, messages))
        if not self._html:
            return
        if "robots.txt" in self._names:
            yield _made("robots.txt", partial(render_robots, site, search=search))
        for name, data in theme.files.items():
            yield _made(name, partial(bytes, data))
        formats = self._formats
        for page in theme.pages:
            yield _made(page.path, partial(html_pages.render_own_page, page, site, formats, self._style))
        if search:
            yield _made("opensearch.xml", partial(render_opensearch, site, messages))

    def _sitemaps(self, pages: Sequence[SitePage], age: int) -> Iterator[Output]:
        most = MAX_PAGES
        parts = [pages[start : start + most] for start in range(0, len(pages), most)]
        if len(parts) == 1:
            yield _made("sitemap.xml", partial(render_sitemap, pages, self._site), age, repr(pages))
            return
        listed = list[SitePage]()
        for number, part in enumerate(parts, start=1):
            path = f"sitemap-{number}.xml"
            changed = max((page.changed for page in part if page.changed is not None), default=None)
            listed.append(SitePage(path, changed))
            yield _made(path, partial(render_sitemap, part, self._site), age, repr(part))
        yield _made("sitemap.xml", partial(render_sitemap_index, listed, self._site), age, repr(listed))


def render_robots(site: Site, *, search: bool) -> bytes:
    """Render robots.txt: everything may be read, but for searches, which cost and tell nothing new.

    Args:
        site: whose address leads to the sitemap.
        search: whether `/search` answers.
    """
    rule = "Disallow: /search" if search else "Disallow:"
    lines = (f"# generator: {mark.NAME}", "User-agent: *", rule, "", f"Sitemap: {fields.url_of(site, 'sitemap.xml')}")
    return "".join(f"{line}\n" for line in lines).encode()


def render_sitemap(pages: Sequence[SitePage], site: Site) -> bytes:
    """Render a sitemap, with the time of the last change of each page as far as it is known."""
    items = "".join(
        f"<url><loc>{escape(fields.url_of(site, page.path))}</loc>{_changed(page.changed)}</url>\n" for page in pages
    )
    return f'{_XML}<urlset xmlns="{_SITEMAPS}">\n{items}</urlset>\n'.encode()


def render_sitemap_index(parts: Sequence[SitePage], site: Site) -> bytes:
    """Render the list of sitemaps of a site that needs several."""
    items = "".join(
        f"<sitemap><loc>{escape(fields.url_of(site, part.path))}</loc>{_changed(part.changed)}</sitemap>\n"
        for part in parts
    )
    return f'{_XML}<sitemapindex xmlns="{_SITEMAPS}">\n{items}</sitemapindex>\n'.encode()


def render_opensearch(site: Site, messages: Messages) -> bytes:
    """Render the description by which browsers add the search of the site to their own."""
    title = escape(text.line_of(site.title))
    return (
        f'{_XML}<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<ShortName>{title[:16] if '&' not in title else 'Search'}</ShortName>\n"
        f"<Description>{escape(messages.text('search'))}: {title}</Description>\n"
        f'<Url type="text/html" template="{escape(fields.url_of(site, "search"))}?q={{searchTerms}}"/>\n'
        f'<Image width="16" height="16" type="image/svg+xml">{escape(fields.icon_of(site))}</Image>\n'
        "<InputEncoding>UTF-8</InputEncoding>\n</OpenSearchDescription>\n"
    ).encode()


def render_feed_style(messages: Messages) -> bytes:
    """Render the stylesheet for feeds in a browser, which says what a feed is and how to subscribe (0171)."""
    note = f"{messages.text('feed_what')} {messages.text('subscribe_paste')}"
    quoted = _NOT_IN_CSS.sub(lambda found: f"\\{ord(found[0]):x} ", note)
    return (files("aggregator.render") / "templates" / FEED_STYLE).read_bytes().replace(b"NOTE", quoted.encode())


def _changed(when: datetime | None) -> str:
    return "" if when is None else f"<lastmod>{fields.instant(when)}</lastmod>"


def _made(path: str, render: "partial[bytes]", age: int = AGE, facts: str = "") -> Output:
    digest = hashlib.sha256(facts.encode()).hexdigest() if facts else ""
    return Output(path=path, render=render, max_age=age, copied=True, gzip=False, facts=digest)
