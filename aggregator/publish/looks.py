"""Digests of what shapes outputs besides the store: settings, theme, and the version of the program's own output (R34).

An output is rendered again if its look differs from the look with which it was rendered last.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from aggregator.model.output_paths import yields
from aggregator.model.settings import Category, CategoryKey, Roster, Settings
from aggregator.model.story import Near, StoryPlace
from aggregator.render.theme import PageStyle
from aggregator.render.visibility import Visibility
from aggregator.store.categories import CategoryRow, SiteRow
from aggregator.urls import Url

OUTPUT = 1  # raised when the program itself renders other bytes; the changelog says so (A34)
MAX_AGE = (300, 3600)  # least and greatest, in seconds (A75)
NEAR = 12  # categories that the pages of one lead to at most, itself included

Listed = Sequence[tuple[Category, CategoryRow]]  # categories that anyone may find, in the order of feeds.yaml


class Looks:
    """Computes the looks of categories, of the site's own outputs and of story pages, for one set of settings.

    Args:
        settings: the whole of feeds.yaml.
        style: theme and texts of all pages.
        roster: sources and categories, with those that items have named.
        has_story_pages: whether each story has a page.
    """

    def __init__(self, settings: Settings, style: PageStyle, roster: Roster, *, has_story_pages: bool) -> None:
        self._settings = settings
        self._pages = (*style.facts, settings.site.logo) if "html" in settings.publish.formats else ()
        self._has_story_pages = has_story_pages
        self._outward = sorted((s.key, s.outward) for s in settings.sources if s.outward)
        self.adopt(roster)

    def adopt(self, roster: Roster) -> None:
        """Use a roster to which categories were added that items have named."""
        paces: dict[str, timedelta] = {}  # category: the shortest interval of its sources
        for source in roster.sources.values():
            pace = source.every or source.min_interval
            for key in source.places:
                paces[key] = min(pace, paces.get(key, pace))
        self._roster, self._paces = roster, paces
        self._of_categories: dict[int, str] = {}  # looks, valid while `_visibility` is the digest of what may be seen
        self._visibility = ""

    def of_stories(self) -> str:
        """Return the look of all story pages."""
        return self._digest("stories")

    def of_category(self, row: CategoryRow, visibility: Visibility, listed: Listed) -> str:
        """Return the look of a category's documents: the digest of what shapes any, a space, that of what shapes feeds.

        Under `serve` pages have a link to /search, after `poll` they have none: feeds stay as they are.
        """
        if self._visibility != visibility.digest:
            self._of_categories, self._visibility = {}, visibility.digest
        if row.id in self._of_categories:
            return self._of_categories[row.id]
        category = self._roster.categories[row.key]
        shown = (row.key, category.title, category.description, category.show, row.slug, self.max_age(category))
        sizes = (category.entries, self._settings.publish.archive_page)
        facts = (shown, sizes, self.hub_of(category), self._outward, visibility.digest)
        of_pages = (facts, category.page_show or self._settings.pages.show, repr(near_of(listed, row.key)))
        self._of_categories[row.id] = look = f"{self._digest(of_pages)} {self._digest(facts, pages=())}"
        return look

    def of_site(self, rows: Sequence[CategoryRow], visibility: Visibility) -> str:
        """Return the look of what shows all categories together."""
        publish = self._settings.publish
        slugs = {row.key: row.slug for row in rows}
        categories = [
            (c.title, c.description, c.unlisted, c.show, self.max_age(c), slugs.get(c.key))
            for c in self._roster.categories.values()
        ]
        sources = [(s.key, s.title, s.url, s.paused, s.places) for s in self._roster.sources.values()]
        site = self._settings.site
        shape = (publish.entries, publish.fair, publish.hub, site.description, site.front, site.headlines)
        return self._digest((categories, sources, shape, self._outward, visibility.digest))

    def of_river(self, rows: Sequence[CategoryRow], visibility: Visibility) -> str:
        """Return the look of the closed pages of the river: a new source changes none of them."""
        slugs = {row.key: row.slug for row in rows}
        categories = [(c.key, c.title, c.unlisted, c.show, slugs.get(c.key)) for c in self._roster.categories.values()]
        aliases, static = self._settings.publish.aliases, self._settings.publish.static
        taken = [alias for alias, _ in aliases if yields(alias)]
        taken += [path.name for path in static.glob("latest-*.html")] if static is not None else []
        return self._digest(("river", categories, self._outward, visibility.digest, sorted(taken)))

    def max_age(self, category: Category) -> int:
        """Return half the shortest interval of a category's sources, in seconds, within `MAX_AGE` (A75)."""
        pace = self._paces.get(category.key, timedelta(seconds=2 * MAX_AGE[1]))
        return int(min(max(pace.total_seconds() / 2, MAX_AGE[0]), MAX_AGE[1]))

    def site_max_age(self) -> int:
        """Return the shortest `max_age` of all listed categories, in seconds."""
        listed = (category for category in self._roster.categories.values() if not category.unlisted)
        return min(map(self.max_age, listed), default=MAX_AGE[1])

    def hub_of(self, category: Category) -> Url | None:
        """Return the hub of a category; None for an unlisted one, whose address the hub would learn."""
        return None if category.unlisted else self._settings.publish.hub

    def _digest(self, facts: object, pages: object = None) -> str:
        """Return the digest of facts, of the frame of all outputs, and of `pages`; None: all that shapes pages."""
        site, publish = self._settings.site, self._settings.publish
        shape = [sorted(publish.formats), publish.gzip, self._has_story_pages, *["feed_style"] * publish.feed_style]
        frame = (OUTPUT, site.title, site.base_url, site.language, site.timezone, *shape)
        shaped = [frame, self._pages if pages is None else pages, facts]
        return hashlib.sha256(json.dumps(shaped, default=str, sort_keys=True).encode()).hexdigest()


def listed_of(rows: Sequence[CategoryRow], roster: Roster) -> Listed:
    """Return the categories that anyone may find, each with its row."""
    by_key = {row.key: row for row in rows}
    return [(c, by_key[c.key]) for c in roster.categories.values() if c.key in by_key and not c.unlisted]


def near_of(listed: Listed, key: CategoryKey) -> Near | None:
    """Return the categories around one; None if it is not listed, or the only one.

    With more than `NEAR` categories a new one changes the pages of its neighbours alone.
    """
    at = next((at for at, (category, _) in enumerate(listed) if category.key == key), None)
    if at is None or len(listed) == 1:
        return None
    start = max(0, min(at - NEAR // 2, len(listed) - NEAR))
    places = (StoryPlace(title=c.title, path=f"category/{row.slug}") for c, row in listed[start : start + NEAR])
    return Near(places=tuple(places), own=f"category/{listed[at][1].slug}", is_all=len(listed) <= NEAR)


def is_same(stored: str | None, look: str) -> bool:
    """Return whether outputs that were rendered with a stored look need not be rendered again for the present one."""
    return stored is not None and stored.partition(" ")[0] == look.partition(" ")[0]


def are_feeds_same(stored: str | None, look: str) -> bool:
    """Return whether this holds for the feeds of a category; a look stored by an older version does not say."""
    return stored is not None and stored.partition(" ")[2] == look.partition(" ")[2]


def has_news(row: CategoryRow | SiteRow, look: str) -> bool:
    """Return whether a hub is to be told of a change: of news, or of settings alone, but of no backfill (I62)."""
    return row.news > row.rendered or (
        row.dirty == row.rendered and row.look is not None and not is_same(row.look, look)
    )
