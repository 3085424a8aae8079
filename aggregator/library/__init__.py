"""Calls for Python programs that use the aggregator as a library (docs/library.md)."""
