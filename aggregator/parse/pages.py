"""Reads a web page without a feed into a `RawFeed` by selectors: `kind: html` (S64, R41; docs/pages.md)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urljoin

from aggregator.model.entry import Person, RawEntry, RawFeed, RawLink, RawText, Tag
from aggregator.model.selector import Selector, selector_of
from aggregator.model.settings import Reading
from aggregator.model.template import address, filled, has_fields, joined
from aggregator.parse.elements import Element, Page
from aggregator.parse.links import MAX_TAGS
from aggregator.parse.not_a_feed import not_items
from aggregator.parse.texts import MAX_TEXT
from aggregator.urls import Url

DEFAULT_SELECTORS: Final = {  # for fields that the operator does not configure
    "title": "h1, h2, h3, h4, .title, a",
    "link": "h1 a@href, h2 a@href, h3 a@href, h4 a@href, a@href",
    "published": "time@datetime, time",
}
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?")


def page_of(text: str, url: Url, reading: Reading, *, limit: int) -> RawFeed:
    """Read the items of a page.

    Args:
        text: the page.
        url: the address that sent the response.
        reading: the selector of the items (`items`), and the selector of each entry field in an item (`fields`).
        limit: the largest number of items.

    Raises:
        NotAFeed: no items are found, or no item has a title, link or text: the layout of the page has changed.
        Overran: evaluating the selectors took too long.
    """
    page = Page(text, url)
    base = urljoin(url, page.first("base@href") or "") or url
    fields = dict(reading.fields)
    defaults = {name: parsed for name, parsed in DEFAULT_SELECTORS.items() if name not in fields}
    entries: list[RawEntry] = []
    found = 0
    items = reading.items or ""
    for element in page.items(selector_of(items)):
        found += 1
        if found > limit:
            continue
        entry = _Item(element, base).entry(fields, defaults, found - 1)
        if entry.title or entry.links or entry.contents or entry.summary:
            entries.append(entry)
    if not entries:
        what = "nothing" if not found else f"{found} elements, and in none of them a title, a link or a text"
        raise not_items(
            text, url, f"a web page in which items: {items} finds {what}; check whether its layout has changed"
        )
    notices = list(page.notices)
    if found > limit:
        notices.append(f"{found} items, of which the first {limit} were read")
    if empty := min(found, limit) - len(entries):
        notices.append(f"{empty} items without a title, a link or a text were left out")
    icon = page.first("link[rel~=icon]@href")
    older = page.first("link[rel~=next]@href") or page.first("a[rel~=next]@href")  # the page with older items (I28)
    return RawFeed(
        format="html",
        title=_plain(page.first("title")),
        links=(
            RawLink(href=url, type="text/html"),
            *((RawLink(href=older, rel="next", base=base),) if older else ()),
        ),
        icon=urljoin(base, icon) if icon else None,
        language=page.first("html@lang"),
        entries=tuple(entries),
        url=url,
        notices=tuple(notices),
    )


class _Item:
    """One item of the page; finds the values of entry fields."""

    def __init__(self, element: Element, base: str) -> None:
        self._element, self._base = element, base

    def entry(self, fields: Mapping[str, str], defaults: Mapping[str, str], position: int) -> RawEntry:
        """Return the entry; fields without a value stay empty."""
        title = self._text(fields.get("title"), joint=" ") or self._first_default(defaults.get("title"))
        link = self._address(fields.get("link")) or self._first_default(defaults.get("link"))
        published = self._text(fields.get("published"), joint=" ") or self._first_default(defaults.get("published"))
        return RawEntry(
            id=self._text(fields.get("id"), joint=" "),
            title=_plain(title),
            links=(RawLink(href=link, base=self._base),) if link else (),
            summary=self._markup(fields.get("summary")),
            contents=tuple(filter(None, (self._markup(fields.get("content")),))),
            authors=tuple(Person(name=name) for name in self._several(fields.get("author"))),
            tags=tuple(Tag(term=term) for term in self._several(fields.get("tag"))),
            published=_date(published),
            updated=_date(self._text(fields.get("updated"), joint=" ")),
            position=position,
        )

    def _first_default(self, selectors: str | None) -> str | None:
        """Return the first non-empty value of the default selectors."""
        found = (self._value(selector.strip(), joint=" ") for selector in selectors.split(",")) if selectors else ()
        return next(filter(None, found), None)

    def _value(self, path: str, *, joint: str) -> str | None:
        values = self._element.texts(selector_of(path))
        return joint.join(values[:MAX_TAGS])[:MAX_TEXT].strip() or None if joint != " " else _first(values)

    def _text(self, field: str | None, *, joint: str) -> str | None:
        if field is None:
            return None
        value_of = partial(self._value, joint=joint)
        return filled(field, value_of) if has_fields(field) else value_of(field)

    def _address(self, field: str | None) -> str | None:
        if field is None:
            return None
        if has_fields(field):
            return address(field, partial(self._value, joint=" "))
        parsed = selector_of(field)
        if parsed.attribute is None and not parsed.is_xpath:  # an element: use the target of its link
            return _first(self._element.texts(Selector(parsed.path, "href"))) or self._value(field, joint=" ")
        return self._value(field, joint=" ")

    def _markup(self, field: str | None) -> RawText | None:
        """Return a text for readers: HTML, but plain text if the selector names an attribute."""
        if field is None:
            return None
        if has_fields(field):
            text = joined(field, partial(self._value, joint="\n"))
            return RawText(value=text, type="unknown", base=self._base) if text and text.strip() else None
        parsed = selector_of(field)
        if parsed.attribute is not None:
            return replace(found, base=self._base) if (found := _plain(self._value(field, joint="\n"))) else None
        html = "\n".join(self._element.markup(parsed))[:MAX_TEXT]
        says_anything = any(self._element.texts(parsed)) or any(
            f"<{name}" in html for name in ("img", "video", "audio")
        )
        return RawText(value=html, type="html", base=self._base) if says_anything else None

    def _several(self, field: str | None) -> Iterator[str]:
        """Yield the names that a selector finds, each once."""
        if field is None:
            return
        values = [self._text(field, joint=" ") or ""] if has_fields(field) else self._element.texts(selector_of(field))
        yield from dict.fromkeys(value for value in values[:MAX_TAGS] if value)


def _first(values: list[str]) -> str | None:
    return next((value[:MAX_TEXT] for value in values if value), None)


def _plain(text: str | None) -> RawText | None:
    return RawText(value=text[:MAX_TEXT], type="text") if text and text.strip() else None


def _date(text: str | None) -> str | None:
    """Return the ISO date inside a text, otherwise the whole text."""
    if text is None:
        return None
    found = _ISO.search(text)
    return found[0] if found else text
