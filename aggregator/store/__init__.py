"""What we know, kept so that a kill at any instant loses nothing. The only writer is `settle`, and commands."""

from aggregator.store.database import open_store

__all__ = ["open_store"]
