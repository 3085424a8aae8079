"""Lists what crawlers and browsers look for at fixed addresses, and what a theme adds to pages (decision 0179).

An operator who keeps a robots.txt or a favicon there goes first (`OutputList.yielding`), so these files are listed as
copies are.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aggregator.late import late
from aggregator.model.formats import feeds_among
from aggregator.model.output import Output
from aggregator.model.settings import Settings
from aggregator.render.theme import PageStyle

if TYPE_CHECKING:
    from aggregator.render import html_pages, site_files
else:
    html_pages = late("aggregator.render.html_pages")
    site_files = late("aggregator.render.site_files")

AGE = 3600  # seconds (A75)

FEED_STYLE = "feed.css"  # the feeds of `publish.feed_style` name it (0171)
_SITEMAP = re.compile(r"sitemap(?:-[1-9][0-9]{0,5})?\.xml")


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
        """Return the paths of those listed files, with their digests as for `has`, that are none of these files."""
        return {path for path, digest in listed.items() if not self.has(path, digest)}

    def outputs(self, pages: Sequence["site_files.SitePage"], age: int) -> Iterator[Output]:
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
            yield _made(FEED_STYLE, partial(site_files.render_feed_style, messages))
        if not self._html:
            return
        if "robots.txt" in self._names:
            yield _made("robots.txt", partial(site_files.render_robots, site, search=search))
        for name, data in theme.files.items():
            yield _made(name, partial(bytes, data))
        formats = self._formats
        for page in theme.pages:
            yield _made(page.path, partial(html_pages.render_own_page, page, site, formats, self._style))
        if search:
            yield _made("opensearch.xml", partial(site_files.render_opensearch, site, messages))

    def _sitemaps(self, pages: Sequence["site_files.SitePage"], age: int) -> Iterator[Output]:
        most = site_files.MAX_PAGES
        parts = [pages[start : start + most] for start in range(0, len(pages), most)]
        if len(parts) == 1:
            yield _made("sitemap.xml", partial(site_files.render_sitemap, pages, self._site), age, repr(pages))
            return
        listed = list[site_files.SitePage]()
        for number, part in enumerate(parts, start=1):
            path = f"sitemap-{number}.xml"
            changed = max((page.changed for page in part if page.changed is not None), default=None)
            listed.append(site_files.SitePage(path, changed))
            yield _made(path, partial(site_files.render_sitemap, part, self._site), age, repr(part))
        yield _made("sitemap.xml", partial(site_files.render_sitemap_index, listed, self._site), age, repr(listed))


def _made(path: str, render: "partial[bytes]", age: int = AGE, facts: str = "") -> Output:
    digest = hashlib.sha256(facts.encode()).hexdigest() if facts else ""
    return Output(path=path, render=render, max_age=age, copied=True, gzip=False, facts=digest)
