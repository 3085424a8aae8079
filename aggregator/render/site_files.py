"""Renders what crawlers and browsers look for at fixed addresses: robots.txt, sitemaps, OpenSearch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib.resources import files
from typing import Final

from aggregator.clean.text import line_of as plain
from aggregator.model.settings import Site
from aggregator.render import fields, mark
from aggregator.render.elements import FEED_STYLE
from aggregator.render.translations import Messages

MAX_PAGES: Final = 5000  # addresses in one sitemap; sitemaps.org allows 50,000

_NOT_IN_CSS: Final = re.compile(r'["\\<\x00-\x1f\x7f]')  # characters that would end a string of CSS, or begin markup
_XML: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- generator: {mark.NAME} -->\n'
_SITEMAPS: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page in a sitemap."""

    path: str  # empty: the start page
    changed: datetime | None = None  # when a story on it changed last


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
    title = escape(plain(site.title))
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
