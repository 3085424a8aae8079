"""From bytes to `RawFeed`: charsets, broken XML, RSS, Atom, RDF and JSON Feed end here, feedparser's dicts too."""

from aggregator.parse.document import parse

__all__ = ["parse"]
