"""The store: all tables, read and written in transactions, so that a crash loses nothing that was committed.

Only `settle` and commands write to the store.
"""

from aggregator.store.database import open_store

__all__ = ["open_store"]
