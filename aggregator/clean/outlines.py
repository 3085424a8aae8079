"""Cleans the feeds of an OPML list: each address once, only addresses that can be polled (S2, P66)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aggregator.clean.text import category_of, line_of
from aggregator.model.entry import RawFeed
from aggregator.model.outline import Outline
from aggregator.urls import Url, redact

MAX_GROUPS: Final = 200  # groups that name categories; limited because the names are foreign data


def clean_outlines(raw: RawFeed, left_out: list[str], *, attributes: bool = False) -> tuple[Outline, ...]:
    """Return the feeds of a list in its order.

    An address with a user or password is left out: an operator configures these, and a list must not contain them.

    Args:
        raw: as parsed.
        left_out: outlines that are left out are appended, with the reason.
        attributes: use the attribute `category` of an outline if no group around it names a category
            (opml.org/spec2.opml).
    """
    from aggregator.config.addresses import web_address  # late: processes that read feeds do not load YAML (S15)
    from aggregator.config.findings import Unfit

    found: dict[Url, Outline] = {}
    named: set[tuple[str, ...]] = set()
    for each in raw.outlines:
        title = line_of(each.title or "")
        try:
            address = web_address(each.href, each.href)
        except Unfit:
            left_out.append(
                f"outline {title[:80]!r}: {redact(line_of(each.href)[:200])} is not an http or https address"
            )
            continue
        if address.auth is not None:
            left_out.append(f"outline {title[:80]!r}: an address with a password")
            continue
        categories = _categories(each.groups)
        if attributes and not categories and each.category:
            paths = (tag.strip(" /").rpartition("/")[2] for tag in each.category.split(","))
            categories = tuple(dict.fromkeys(name for path in paths for name in _categories([path])))
        if categories and len(named) == MAX_GROUPS and categories not in named:
            left_out.append(f"group {categories[0]!r}: over {MAX_GROUPS} groups name categories; this group is ignored")
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
    """Return the category that the nearest group names, or nothing."""
    from aggregator.config.findings import Unfit
    from aggregator.config.vocabulary import category_key

    for group in reversed(groups):
        try:
            return (category_key(category_of(group)),)
        except Unfit:
            continue
    return ()
