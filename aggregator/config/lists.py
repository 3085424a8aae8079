"""Adds the sources of OPML lists (`kind: opml`) to the settings (P47, P66). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aggregator.config.addresses import Address
from aggregator.config.sources import derived_key
from aggregator.model.hosts import rule_for
from aggregator.model.outline import Outline
from aggregator.model.settings import (
    GENERAL,
    Category,
    CategoryKey,
    HostRule,
    Kind,
    Reading,
    Request,
    Settings,
    Source,
    SourceKey,
)
from aggregator.model.tokens import safe_address
from aggregator.urls import Url, host_of

Lists = Mapping[SourceKey, Sequence[Outline]]


def with_lists(settings: Settings, lists: Lists) -> Settings:
    """Return the settings with the sources of OPML lists; each has the settings of its list.

    A feed whose URL or key is in feeds.yaml, also as an earlier one (`was`), is left out: the source in feeds.yaml
    counts. A feed in several lists is one source: it belongs to the first list and is in the categories of all (P66).

    Args:
        settings: the settings of feeds.yaml alone.
        lists: the last valid copy of each list, by the key of its source, or by an earlier key (`was`).
    """
    own = {str(url) for source in settings.sources for url in (source.url, *source.was)}
    keys = {str(key) for source in settings.sources for key in (source.key, *source.was)}
    listed: dict[Url, Source] = {}
    for source in settings.sources:
        if source.reading.kind is not Kind.OPML:
            continue
        names = (source.key, *map(SourceKey, source.was))
        for outline in next((lists[name] for name in names if name in lists), ()):
            if outline.url in own:
                continue
            known = listed.get(outline.url)
            if known is not None:
                both = tuple(dict.fromkeys((*known.categories, *_categories(source, outline))))
                listed[outline.url] = replace(known, categories=both)
                continue
            one = _listed(source, outline, settings)
            if one.key not in keys:
                keys.add(one.key)
                listed[outline.url] = one
    if not listed:
        return settings
    sources = (*settings.sources, *listed.values())
    return replace(settings, sources=sources, categories=(*settings.categories, *_new(settings, listed.values())))


def _listed(by: Source, outline: Outline, settings: Settings) -> Source:
    """Return the source of a listed feed. Headers and credentials of the list are left out: no other host gets them."""
    return replace(
        by,
        key=derived_key(Address(outline.url), Path()),
        url=outline.url,
        safe_url=safe_address(outline.url, settings.secrets, private=by.private),
        path=None,  # the list may be a local file; its feeds are not
        listed_by=by.key,
        title=None,
        categories=_categories(by, outline),
        reading=Reading(
            timezone=by.reading.timezone,
            limit=by.reading.limit,
            allow_classes=by.reading.allow_classes,
            strip=by.reading.strip,
            identity=by.reading.identity,
            ignore=by.reading.ignore,
        ),
        request=Request(),
        was=(),
        headers=(),
        auth=None,
        accept=None,
        trust=False,  # `trust` of a list means: removals from the list are meant; its feeds are still checked (R44)
        allow_private=by.own_machine and _is_allowed(outline.url, settings.hosts),
    )


def _is_allowed(url: Url, rules: Sequence[HostRule]) -> bool:
    rule = rule_for(host_of(url), rules)
    return rule is not None and rule.allow_private


def _categories(by: Source, outline: Outline) -> tuple[CategoryKey, ...]:
    return by.categories or tuple(map(CategoryKey, outline.categories)) or (GENERAL,)


def _new(settings: Settings, listed: Iterable[Source]) -> list[Category]:
    """Return the categories that the listed sources name and feeds.yaml does not declare."""
    known = {category.key for category in settings.categories}
    named = dict.fromkeys(key for source in listed for key in source.categories if key not in known)
    return [Category(key=key, title=key, declared=False, entries=settings.publish.entries) for key in named]
