"""Renders search results as a page and as JSON. `serve` makes them; they are never written."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlencode, urljoin

from lxml import etree

from aggregator.clean.text import line_of as plain
from aggregator.clean.text import plain_text
from aggregator.model.settings import Site
from aggregator.model.story import Publication
from aggregator.render import fields
from aggregator.render.html_fragments import shorten
from aggregator.render.html_pages import feeds_of, render_page
from aggregator.render.template_context import ContextBuilder, Story
from aggregator.render.theme import PageStyle

EXCERPT = 240  # characters
DAYS = (1, 7, 30, 365)  # periods that may be chosen
BEFORE = 60  # of them before the first word that was looked for


class Answer(Enum):
    """Result of a search; the value is the key of the text on the page."""

    NOT_ASKED = "search_how"
    NOTHING = "search_nothing"
    FOUND = "search_found"
    NEWEST = "search_newest"  # there may be more
    SLOW = "search_slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A choice among the matches; empty and 0: everything."""

    category: str = ""  # key
    source: str = ""  # key
    days: int = 0  # one of `DAYS`
    page: int = 1  # of the results
    has_more: bool = False  # another page follows

    def keeps(self, publication: Publication, now: datetime) -> bool:
        """Return whether a publication is among the chosen."""
        return (
            (not self.category or publication.category == self.category)
            and (not self.source or publication.source == self.source)
            and (not self.days or (publication.published or publication.updated) >= now - timedelta(days=self.days))
        )


EVERYTHING = Choice()
Pieces = tuple[tuple[str, bool], ...]  # parts of a text, and whether each was looked for


@dataclass(frozen=True, slots=True)
class _Found:
    """A story among the results."""

    story: Story
    title: Pieces
    excerpt: Pieces
    only: str  # address of the results of its source alone


@dataclass(frozen=True, slots=True)
class _Option:
    """A choice that the form offers."""

    value: str
    text: str
    chosen: bool


def render_found(
    asked: str,
    terms: Sequence[str],
    found: Sequence[Publication],
    answer: Answer,
    site: Site,
    formats: frozenset[str] = frozenset(),
    style: PageStyle | None = None,
    *,
    choice: Choice = EVERYTHING,
    categories: Sequence[tuple[str, str]] = (),
    has_story_pages: bool = False,
) -> bytes:
    """Render the page of search results.

    Args:
        asked: the question as it was typed.
        terms: words or characters that have to be there; the excerpt of a story begins before the first that it has.
        found: as they are shown to anyone.
        answer: result of the search.
        site: title, language and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.
        choice: what was chosen.
        categories: key and title of each that may be chosen.
        has_story_pages: each story has a page of its own.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    text, pattern = scribe.messages.text, _pattern_of(terms)
    results: list[_Found] = []
    root = "" if has_story_pages else None
    for publication in found:
        for story in scribe.headlines([publication], f"{publication.home or 'index'}.html", root):
            excerpt = _excerpt(publication, terms)
            only = _address(asked, replace(choice, source=publication.source, page=1))
            pieces = _marked(story.title, pattern), _marked(excerpt, pattern)
            results.append(_Found(replace(story, excerpt=excerpt), *pieces, only))
    stories = [each.story for each in results]
    source = stories[0].source.name if stories and choice.source else choice.source
    periods = [(0, text("search_any_time")), *((days, text("search_days", days=days)) for days in DAYS)]
    return render_page(
        "search",
        scribe,
        "search",
        title=scribe.messages.text("search"),
        canonical=fields.url_of(site, "search"),
        feeds=feeds_of(fields.ALL, site, formats, plain(site.title)),
        reloads=False,
        asked=asked,
        said=text(answer.value, count=len(stories)) if choice.page == 1 else text("search_page", page=choice.page),
        stories=stories,
        results=results,
        places=[
            _Option(key, plain(title), key == choice.category)
            for key, title in (("", text("search_all_categories")), *categories)
        ]
        if categories
        else [],
        periods=[_Option(str(days or ""), said, days == choice.days) for days, said in periods],
        only=(choice.source, source, _address(asked, replace(choice, source="", page=1))) if choice.source else None,
        newer=_address(asked, replace(choice, page=choice.page - 1)) if choice.page > 1 else None,
        older=_address(asked, replace(choice, page=choice.page + 1)) if choice.has_more else None,
    )


def _address(asked: str, choice: Choice) -> str:
    """Return the address of results, relative to the root of the site."""
    page = choice.page if choice.page > 1 else ""
    named = {"q": asked, "in": choice.category, "source": choice.source, "days": choice.days or "", "page": page}
    return f"search?{urlencode({name: value for name, value in named.items() if value})}"


def _pattern_of(terms: Sequence[str]) -> re.Pattern[str] | None:
    """Return the pattern of the words that were looked for: whole ones, but any part of a text without blanks."""
    parts = [re.escape(term).replace(r"\ ", r"\W+") for term in sorted(terms, key=len, reverse=True) if term]
    whole = [rf"(?<!\w){part}(?!\w)" if part[0].isascii() else part for part in parts]
    return re.compile("|".join(whole)) if whole else None


def _marked(text: str, pattern: re.Pattern[str] | None) -> Pieces:
    folded = text.casefold()
    if pattern is None or len(folded) != len(text):
        return ((text, False),)
    pieces, at = list[tuple[str, bool]](), 0
    for found in pattern.finditer(folded):
        pieces += [(text[at : found.start()], False), (text[found.start() : found.end()], True)]
        at = found.end()
    return tuple(piece for piece in (*pieces, (text[at:], False)) if piece[0])


def render_found_json(
    asked: str, terms: Sequence[str], found: Sequence[Publication], answer: Answer, choice: Choice = EVERYTHING
) -> bytes:
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
    if choice.page > 1 or choice.has_more:
        record |= {"page": choice.page, "more": choice.has_more}
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
