"""Removes secret addresses of private sources from reports: these are mailed and pasted into bug reports (S44)."""

from collections.abc import Iterable

from aggregator.model.settings import Source
from aggregator.model.tokens import Hush
from aggregator.store.transaction import Transaction


def private_hush(tx: Transaction, sources: Iterable[Source]) -> Hush:
    """Return what strikes the addresses of all private sources out of a report.

    Args:
        tx: the store, which knows where they led, and those that left feeds.yaml.
        sources: those of feeds.yaml.
    """
    limits = [limit for limit in tx.sources.limits().values() if limit.private]
    configured = [url for limit in limits for url in limit.addresses] + [*_configured(sources)]
    return Hush(configured, [url for limit in limits for url in limit.met])


def _configured(sources: Iterable[Source]) -> Iterable[str]:
    for source in sources:
        if source.private:
            yield source.url
            yield from (was for was in source.was if ":" in was)
            yield from (str.__str__(each.url) for each in (source.detail, source.paging) if each is not None)
