"""Removes pings that no hub may get any more (A86)."""

from typing import TYPE_CHECKING

from aggregator.late import late
from aggregator.model.formats import feeds_among
from aggregator.model.settings import Settings
from aggregator.store.transaction import Transaction
from aggregator.urls import Url

if TYPE_CHECKING:
    from aggregator.render import fields
else:
    fields = late("aggregator.render.fields")


def keep_topics(tx: Transaction, settings: Settings) -> None:
    """Drop the pings for feeds that are no longer published at their address, or that no hub may know of.

    Args:
        tx: a writing one, after categories were synced with feeds.yaml.
        settings: those in force from now on.
    """
    topics: set[Url] = set()
    if settings.publish.hub is not None:
        unlisted = tx.categories.unlisted()
        paths = [fields.ALL, *(f"category/{row.slug}" for row in tx.categories.rows() if row.key not in unlisted)]
        topics = {
            Url(fields.url_of(settings.site, path, one.suffix))
            for path in paths
            for one in feeds_among(settings.publish.formats)
            if one.names_hub
        }
    tx.hub_pings.keep(topics)
