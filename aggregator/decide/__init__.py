"""Entries and what the store knows, to changes: new, revised, same, rejected, joins a story. Pure."""

from aggregator.decide.poll import decide, is_quiet

__all__ = ["decide", "is_quiet"]
