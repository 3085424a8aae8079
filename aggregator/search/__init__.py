"""Full-text search over the stored entries, with an index in a separate file that is updated independently of polls."""

from aggregator.search.index import SearchIndex, open_index

__all__ = ["SearchIndex", "open_index"]
