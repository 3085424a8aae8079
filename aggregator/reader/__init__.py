"""A body becomes a `Feed`: parse, clean, identify. Here, or in a process that can be killed (S15, D24)."""

from aggregator.reader.pool import Readers

__all__ = ["Readers"]
