"""Names of sources for people: the title, else host and path. A key made from a URL would tell people little."""

from pathlib import Path

from aggregator.model.settings import Source
from aggregator.urls import Url


def name_of(title: str | None, url: Url | None, path: Path | None, key: str) -> str:
    """Return the name of a source.

    Args:
        title: title in feeds.yaml or of the feed; may be empty.
        url: address without secrets; None if it must not be shown.
        path: path of a local file; only the file name is shown.
        key: key of the source, used if there is nothing else.
    """
    if title and title.strip():
        return title
    if path is not None:
        return path.name
    place = (url or "").partition("://")[2].partition("?")[0].partition("#")[0]
    return place.removeprefix("www.").rstrip("/") or key


def name_of_source(source: Source, feed_title: str | None = None) -> str:
    """Return the name of a source in feeds.yaml.

    The address of a private source is never part of its name, because reports are kept and passed on (S44).

    Args:
        source: the source.
        feed_title: title of its feed, if known; used if feeds.yaml has none.
    """
    address = None if source.private else source.safe_url
    return name_of(source.title or feed_title, address, source.path, source.key)
