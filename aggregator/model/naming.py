"""Names of sources for people: the title, else host and path; a derived key says little to them."""

from pathlib import Path

from aggregator.model.settings import Source
from aggregator.urls import Url


def name_of(title: str | None, url: Url | None, path: Path | None, key: str) -> str:
    """Return the name of a source.

    Args:
        title: as feeds.yaml or the feed itself has it; may be empty.
        url: its address without secrets; None if that is shown to nobody.
        path: of a local file; only its last part is shown.
        key: what remains if there is nothing else.
    """
    if title and title.strip():
        return title
    if path is not None:
        return path.name
    place = (url or "").partition("://")[2].partition("?")[0].partition("#")[0]
    return place.removeprefix("www.").rstrip("/") or key


def name_of_source(source: Source, feed_title: str | None = None) -> str:
    """Return what a source of feeds.yaml is called, with the title that its feed gave itself if that is known.

    The address of a private source names it nowhere: reports are kept and passed on (S44).
    """
    address = None if source.private else source.safe_url
    return name_of(source.title or feed_title, address, source.path, source.key)
