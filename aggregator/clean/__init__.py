"""Turns a `RawFeed` into a `Feed`: safe HTML, plain titles, absolute URLs, dates in UTC."""

from aggregator.clean.feed import clean
from aggregator.clean.sanitiser import sanitise
from aggregator.clean.text import is_visible, plain_text
from aggregator.clean.titles import bounded_title, display_title

__all__ = ["bounded_title", "clean", "display_title", "is_visible", "plain_text", "sanitise"]
