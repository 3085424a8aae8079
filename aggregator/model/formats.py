"""Table of output formats: name, suffix, media type, label and renderer of each.

Configuration, paths, headers, links between pages and restoring go by this table; a format is added by one row. The
renderer is named and not imported, so that reading the configuration loads none.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Output format of categories."""

    name: str  # in `publish.formats`
    suffix: str = field(init=False)  # of its files: the name after a dot
    label: str  # of links to it
    media_type: str
    module: str  # has a `RENDERER`; see `aggregator/render/renderer.py`
    is_feed: bool = True  # made for feed readers, so that `all.*`, OPML and hubs have it too; else for people
    has_archive: bool = True  # archive pages are published in it
    has_style: bool = False  # its XML can name a stylesheet (`publish.feed_style`)
    names_hub: bool = False  # in a form that `aggregator/serve/links.py` reads; then the hub is pinged
    other_names: tuple[str, ...] = ()  # names that operators write for it

    def __post_init__(self) -> None:
        object.__setattr__(self, "suffix", f".{self.name}")

    @property
    def content_type(self) -> str:
        """Value of the Content-Type header; JSON has no charset parameter (RFC 8259)."""
        return self.media_type if self.media_type.endswith("json") else f"{self.media_type}; charset=utf-8"


FORMATS: Final = {
    one.name: one
    for one in (  # in the order in which they are offered
        Format(
            name="atom",
            label="Atom",
            media_type="application/atom+xml",
            module="aggregator.render.atom",
            has_style=True,
            names_hub=True,
        ),
        Format(
            name="rss",
            label="RSS",
            media_type="application/rss+xml",
            module="aggregator.render.rss",
            has_archive=False,
            has_style=True,
            names_hub=True,
            other_names=("rss2", "rss2.0", "rss20", "xml"),
        ),
        Format(  # archive pages too: with them a lost store is restored to the last entry
            name="json",
            label="JSON Feed",
            media_type="application/feed+json",
            module="aggregator.render.jsonfeed",
            names_hub=True,
            other_names=("jsonfeed",),
        ),
        Format(name="html", label="HTML", media_type="text/html", module="aggregator.render.html_pages", is_feed=False),
    )
}


def feeds_among(names: Collection[str]) -> tuple[Format, ...]:
    """Return the formats for feed readers that have these names, in the order in which they are offered."""
    return tuple(one for one in FORMATS.values() if one.is_feed and one.name in names)
