"""Feed aggregator: polls feeds, finds copies of the same story, and publishes one Atom feed per category."""

__version__ = "0.1.0"
