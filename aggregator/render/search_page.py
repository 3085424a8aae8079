"""Renders search results as a page and as JSON. `serve` makes them; they are never written."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from urllib.parse import urljoin

from lxml import etree

from aggregator.clean.text import line_of as plain
from aggregator.clean.text import plain_text
from aggregator.model.settings import Site
from aggregator.model.story import Publication
from aggregator.render import fields
from aggregator.render.html_fragments import shorten
from aggregator.render.html_pages import render_page
from aggregator.render.template_context import ContextBuilder, Story
from aggregator.render.theme import PageStyle

EXCERPT = 240  # characters
BEFORE = 60  # of them before the first word that was looked for


class Answer(Enum):
    """Result of a search; the value is the key of the text on the page."""

    NOT_ASKED = "search_how"
    NOTHING = "search_nothing"
    FOUND = "search_found"
    NEWEST = "search_newest"  # there may be more
    SLOW = "search_slow"


def render_found(
    asked: str,
    terms: Sequence[str],
    found: Sequence[Publication],
    answer: Answer,
    site: Site,
    style: PageStyle | None = None,
) -> bytes:
    """Render the page of search results.

    Args:
        asked: the question as it was typed.
        terms: words or characters that have to be there; the excerpt of a story begins before the first that it has.
        found: as they are shown to anyone.
        answer: result of the search.
        site: title, language and public address.
        style: theme and texts of all pages.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    stories: list[Story] = []
    for publication in found:
        for story in scribe.headlines([publication], f"{publication.home or 'index'}.html"):
            stories.append(replace(story, excerpt=_excerpt(publication, terms)))
    return render_page(
        "search",
        scribe,
        "search",
        title=scribe.messages.text("search"),
        canonical=fields.url_of(site, "search"),
        feeds=[],
        reloads=False,
        asked=asked,
        said=scribe.messages.text(answer.value, count=len(stories)),
        stories=stories,
    )


def render_found_json(asked: str, terms: Sequence[str], found: Sequence[Publication], answer: Answer) -> bytes:
    """Render search results as JSON."""
    items = [
        {
            "id": publication.atom_id,
            "title": plain(fields.title_of(publication)),
            "url": fields.web_address(publication.link),
            "date": fields.instant(publication.published or publication.updated),
            "source": plain(fields.source_title_of(publication)),
            "category": publication.category,
            "excerpt": _excerpt(publication, terms),
        }
        for publication in found
        if not fields.fault_of(publication)
    ]
    record = {"version": 1, "query": asked, "complete": answer is not Answer.NEWEST, "found": items}
    return json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n"


def _excerpt(publication: Publication, terms: Sequence[str]) -> str:
    text = plain(plain_text(fields.content_of(publication) or fields.summary_of(publication)))
    folded = text.casefold()
    places = [at for term in terms if (at := folded.find(term)) >= 0] if len(folded) == len(text) else []
    start = max(0, min(places, default=0) - BEFORE)
    if start:
        start = text.find(" ", start, start + BEFORE) + 1 or start  # at a word, where there are blanks
    return ("…" if start else "") + shorten(text[start:], EXCERPT)


def links_to_search(index: bytes, *, base_url: str) -> bool:
    """Return whether an index page links to /search, as pages do while a service runs (docs/decisions/0118).

    Args:
        index: bytes of index.html, made by any theme.
        base_url: of the site.
    """
    with suppress(etree.LxmlError, ValueError):
        page = etree.fromstring(index, etree.HTMLParser(no_network=True, encoding="utf-8"))
        if page is not None:
            targets = (str(link.get("href") or link.get("action") or "") for link in page.iter("a", "form"))
            return any(urljoin(base_url, target).partition("?")[0] == f"{base_url}search" for target in targets)
    return False
