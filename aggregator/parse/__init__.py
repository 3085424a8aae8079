"""Reads the bytes of a response into a `RawFeed`. Only this folder handles charsets, broken XML and feedparser."""
