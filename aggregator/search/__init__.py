"""Full-text search over what is stored: an index in a file of its own, brought up to date beside the polls."""

from aggregator.search.index import SearchIndex, open_index

__all__ = ["SearchIndex", "open_index"]
