"""Reads the bytes of a response into a `RawFeed`. Only this folder handles charsets, broken XML and feedparser."""

from aggregator.parse.document import parse

__all__ = ["parse"]
