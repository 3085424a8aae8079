"""Turns a `RawFeed` into a `Feed`: safe HTML, plain titles, absolute URLs, dates in UTC."""
