"""Feeds of an OPML list (`kind: opml`)."""

from aggregator.model.record import record
from aggregator.urls import Url


@record
class RawOutline:
    """An outline with an address, as parsed."""

    href: str
    title: str | None = None
    category: str | None = None  # its attribute `category`: categories such as /a/b, or tags, separated by commas
    groups: tuple[str, ...] = ()  # texts of its parent outlines, the outermost first


@record
class Outline:
    """An outline with an address, cleaned."""

    url: Url  # normalised, without credentials
    title: str = ""  # plain text
    categories: tuple[str, ...] = ()  # the nearest named parent outline, for each place of the feed in the list
