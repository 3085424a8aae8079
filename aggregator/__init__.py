"""Polls feeds, tells same from different, and republishes one faithful Atom feed per category."""

__version__ = "0.1.0"
