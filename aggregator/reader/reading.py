"""Reads a body: the same in any process."""

from aggregator.clean import clean
from aggregator.identify.keys import identify
from aggregator.model.entry import Feed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.parse import parse


def read(fetched: Fetched, reading: Reading) -> Feed:
    """Read a body, from its bytes to entries with keys.

    Raises:
        ParseError: it can't be read as a feed.
    """
    return identify(clean(parse(fetched, reading), reading))
