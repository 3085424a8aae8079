"""The river: the newest stories of all categories on one page, day by day, with closed pages behind it (`latest.html`).

Each story is rendered once and kept: of a page with one new story only that is rendered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup

from aggregator.clean.text import line_of as plain
from aggregator.model.settings import Site
from aggregator.model.story import Publication, River
from aggregator.render import fields
from aggregator.render.cache import LruCache
from aggregator.render.html_pages import feeds_of_site, render_page
from aggregator.render.template_context import ContextBuilder, LinkText
from aggregator.render.theme import PageStyle

LATEST: Final = "latest.html"
ALIAS: Final = "all.html"  # leads to it

_items: LruCache[Markup] = LruCache(max_bytes=2 * 1024 * 1024, each_bytes=1024)


@dataclass(frozen=True, slots=True)
class Day:
    """The stories of a day."""

    machine_date: str
    title: str
    count: str  # in words
    stories: tuple[Markup, ...]  # each as `summary.html` has it


@dataclass(frozen=True, slots=True)
class Tab:
    """A category above the river."""

    title: str
    path: str
    count: int
    said: str  # the count in words


def path_of(number: int | None) -> str:
    """Return the path of a page of the river; None: the newest stories."""
    return LATEST if number is None else f"latest-{number}.html"


def render_river(river: River, site: Site, formats: frozenset[str], style: PageStyle | None = None) -> bytes:
    """Render a page of the river.

    Args:
        river: the newest stories, or a closed page.
        site: title, language, zone and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    path = path_of(river.number)
    messages = scribe.messages
    title = messages.text("latest")
    part = "" if river.number is None else messages.text("archive", number=river.number)
    return render_page(
        "latest",
        scribe,
        path,
        title=f"{title} – {part}" if part else title,
        canonical=fields.url_of(site, path),
        feeds=feeds_of_site(site, formats),
        reloads=river.number is None,
        heading=title,
        part=part,
        newest=None if river.number is None else _newest(scribe),
        **_values_of(river, scribe),
    )


def values_for(river: River, site: Site, style: PageStyle | None = None, most: int | None = None) -> dict[str, Any]:
    """Return what the template of the start page sees of the river.

    Args:
        river: the newest stories.
        site: title, language and zone.
        style: theme and texts of all pages.
        most: how many stories; None: all.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    return _values_of(river, ContextBuilder.of(site, site.language, style), most)


def _values_of(river: River, scribe: ContextBuilder, most: int | None = None) -> dict[str, Any]:
    tabs = [Tab(plain(t.title), f"{t.path}.html", t.count, scribe.messages.count(t.count)) for t in river.tabs]
    return {
        "days": tuple(_days(river, scribe, river.publications[:most])),
        "tabs": tabs,
        "others": river.others,
        "older": None if river.older is None else path_of(river.older),
    }


def render_alias(site: Site, style: PageStyle | None = None) -> bytes:
    """Render the page that leads from `all.html` to the river."""
    scribe = ContextBuilder.of(site, site.language, style)
    return render_page(
        "moved",
        scribe,
        ALIAS,
        title=scribe.messages.text("latest"),
        canonical=fields.url_of(site, _newest(scribe)),
        feeds=[],
        reloads=False,
        target=_newest(scribe),
    )


def _newest(scribe: ContextBuilder) -> str:
    """Return the path of the page with the newest stories; the start page stands in for one that gave way."""
    return LATEST if scribe.style.river else "index.html"


def _days(river: River, scribe: ContextBuilder, publications: Iterable[Publication]) -> Iterator[Day]:
    messages, zone = scribe.messages, scribe.zone
    sound = [publication for publication in publications if not fields.fault_of(publication)]
    for day, some in groupby(sound, lambda publication: publication.sort_at.astimezone(zone).date()):
        of_day = tuple(some)
        yield Day(
            machine_date=day.isoformat(),
            title=messages.day(of_day[0].sort_at, zone),
            count=messages.count(len(of_day)),
            stories=tuple(_item(publication, river, scribe, day.isoformat()) for publication in of_day),
        )


def _item(publication: Publication, river: River, scribe: ContextBuilder, day: str) -> Markup:
    """Return a story in the list, with its time if its own date is that day, else with that date."""
    place = river.places.get(publication.category)
    root = "" if river.has_story_pages else None
    story = scribe.summary(publication, f"{place.path}.html" if place else "", root)
    when = story.day
    if (publication.published or publication.updated).astimezone(scribe.zone).date().isoformat() == day:
        when = story.time
    category = LinkText(plain(place.title), f"{place.path}.html") if place else None
    theme = scribe.style.theme
    key = (story, when, category, theme.digest, scribe.messages.language)
    found = _items.get(key)
    if found is None:
        values = {"t": scribe.messages.text, "story": story, "when": when, "category": category}
        found = Markup(theme.render("summary.html", LATEST, values).strip())  # the template escapes what it is given
        _items.keep(key, found, 2 * len(found))
    return found
