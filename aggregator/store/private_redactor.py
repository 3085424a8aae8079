"""Builds the redactor of private addresses for reports, which are mailed and pasted into bug reports (S44)."""

from collections.abc import Iterable

from aggregator.model.settings import Source
from aggregator.model.tokens import PrivateRedactor
from aggregator.store.transaction import Transaction


def redactor_of_private(tx: Transaction, sources: Iterable[Source], *, for_others: bool = False) -> PrivateRedactor:
    """Return the redactor of the addresses of all private sources.

    Args:
        tx: reading transaction; the store has redirect targets, and sources that were removed from feeds.yaml.
        sources: the sources in feeds.yaml.
        for_others: what is redacted leaves this machine: of the configured addresses, too, only the host is left.
    """
    limits = [limit for limit in tx.sources.limits().values() if limit.private]
    configured = [url for limit in limits for url in limit.addresses] + [*_configured(sources)]
    met = [url for limit in limits for url in limit.met]
    return PrivateRedactor((), [*configured, *met]) if for_others else PrivateRedactor(configured, met)


def _configured(sources: Iterable[Source]) -> Iterable[str]:
    for source in sources:
        if source.private:
            yield source.url
            yield from (was for was in source.was if ":" in was)
            yield from (str.__str__(each.url) for each in (source.detail, source.paging) if each is not None)
