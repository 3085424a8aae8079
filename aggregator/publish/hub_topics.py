"""Which of our feeds a hub may be told of (A86)."""

from aggregator.model.settings import Settings
from aggregator.render.fields import ALL, FEEDS, url_of
from aggregator.store.transaction import Transaction
from aggregator.urls import Url


def keep_topics(tx: Transaction, settings: Settings) -> None:
    """Forget what is owed of feeds that stand no more where the hub would look, or that it is not to know of.

    Args:
        tx: a writing one, in which feeds.yaml was taken in.
        settings: those that hold from now on.
    """
    topics: set[Url] = set()
    if settings.publish.hub is not None:
        unlisted = tx.categories.unlisted()
        paths = [ALL, *(f"category/{row.slug}" for row in tx.categories.rows() if row.key not in unlisted)]
        names = FEEDS.intersection(settings.publish.formats)
        topics = {Url(url_of(settings.site, path, f".{name}")) for path in paths for name in names}
    tx.hub_pings.keep(topics)
