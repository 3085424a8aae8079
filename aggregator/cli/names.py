"""Sources as an operator names them: by key, by URL, a local file by its path."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from aggregator.model.settings import Settings, SourceKey
from aggregator.model.status import SourceStatus, Status
from aggregator.urls import BadUrl, normalise


def keys_of(names: Sequence[str], settings: Settings, config: Path) -> list[SourceKey] | None:
    """Turn keys, URLs and paths into keys.

    Args:
        names: as written on the command line.
        settings: which have the sources.
        config: feeds.yaml, as the operator named it.

    Returns:
        None if any of them names no source; then that was said on stderr, with the nearest key.
    """
    by_name: dict[str, SourceKey] = {source.url: source.key for source in settings.sources}
    by_name |= {str(source.path): source.key for source in settings.sources if source.path is not None}
    by_name |= {source.key: source.key for source in settings.sources}
    keys = [by_name.get(name) or by_name.get(_normal(name)) for name in names]
    for name, key in zip(names, keys, strict=True):
        if key is None:
            near = get_close_matches(name, [source.key for source in settings.sources], 1)
            hint = f"; did you mean {near[0]}?" if near else "; see the keys in `aggregator status`"
            print(f"aggregator: no source {name} in {config}{hint}", file=sys.stderr)
    found = [key for key in keys if key is not None]
    return found if len(found) == len(names) else None


def source_named(name: str, status: Status, settings: Settings) -> SourceStatus | None:
    """Return the source that has a key or a URL; the URL as feeds.yaml has it, or as reports show it."""
    url: str | None = None
    with suppress(BadUrl):
        url = normalise(name)
    keys = {name, *(source.key for source in settings.sources if url is not None and source.url == url)}
    return next((s for s in status.sources if s.key in keys or (url is not None and s.url == url)), None)


def _normal(name: str) -> str:
    try:
        return normalise(name)
    except BadUrl:
        return str(Path(name).absolute().resolve()) if name.isprintable() else ""
