"""The feeds of a list, cleaned: one of each address, nothing that is no address of a feed (S2, P66)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aggregator.clean.text import category_of, line_of
from aggregator.model.entry import RawFeed
from aggregator.model.outline import Outline
from aggregator.urls import Url, redact

MAX_GROUPS: Final = 200  # that name categories: they are foreign data, as those that items name


def clean_outlines(raw: RawFeed, left_out: list[str], *, attributes: bool = False) -> tuple[Outline, ...]:
    """Give the feeds of a list in its order; what can't be polled is named in `left_out`.

    An address with a user or password in it is left out: a list is no place for them, and no word of ours.

    Args:
        raw: as read.
        left_out: takes what is left out, and why.
        attributes: `category` of an outline names categories where no group around it does (opml.org/spec2.opml).
    """
    from aggregator.config.addresses import web_address  # late: a process that reads feeds needs no YAML for it (S15)
    from aggregator.config.findings import Unfit

    found: dict[Url, Outline] = {}
    named: set[tuple[str, ...]] = set()
    for each in raw.outlines:
        title = line_of(each.title or "")
        try:
            address = web_address(each.href, each.href)
        except Unfit:
            left_out.append(f"outline {title[:80]!r}: {redact(line_of(each.href)[:200])} is no http or https address")
            continue
        if address.auth is not None:
            left_out.append(f"outline {title[:80]!r}: an address with a password")
            continue
        categories = _categories(each.groups)
        if attributes and not categories and each.category:
            paths = (tag.strip(" /").rpartition("/")[2] for tag in each.category.split(","))
            categories = tuple(dict.fromkeys(name for path in paths for name in _categories([path])))
        if categories and len(named) == MAX_GROUPS and categories not in named:
            left_out.append(f"group {categories[0]!r}: over {MAX_GROUPS} groups name categories; it names none")
            categories = ()
        elif categories:
            named.add(categories)
        known = found.get(address.url)
        if known is None:
            found[address.url] = Outline(url=address.url, title=title, categories=categories)
        else:
            both = tuple(dict.fromkeys((*known.categories, *categories)))
            found[address.url] = replace(known, categories=both)
    return tuple(found.values())


def _categories(groups: Sequence[str]) -> tuple[str, ...]:
    """Give the category that the nearest group names."""
    from aggregator.config.findings import Unfit
    from aggregator.config.vocabulary import category_key

    for group in reversed(groups):
        try:
            return (category_key(category_of(group)),)
        except Unfit:
            continue
    return ()
