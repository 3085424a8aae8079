"""Entries and what the store knows, to changes: new, revised, same, rejected, joins a story. Pure."""

from aggregator.decide.poll import decide, release

__all__ = ["decide", "release"]
