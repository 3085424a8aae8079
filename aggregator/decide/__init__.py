"""Decides what a poll, a detail, a correction or an edit of feeds.yaml changes. Pure: records in, records out."""

from aggregator.decide.poll import decide, release

__all__ = ["decide", "release"]
