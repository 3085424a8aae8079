"""Sources as an operator names them: by key, by URL, a local file by its path, or by what reports call them."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from aggregator.errors import StoreError
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Settings, Source, SourceKey
from aggregator.urls import BadUrl, normalise

USUAL = Path("feeds.yaml")  # where -c names no other
Titles = Mapping[SourceKey, str]  # that feeds gave themselves


def keys_of(
    names: Sequence[str], settings: Settings, config: Path, titles: Callable[[], Titles] | None = None
) -> list[SourceKey] | None:
    """Turn names of sources into keys.

    Args:
        names: as written on the command line: keys, URLs, paths, or titles.
        settings: which have the sources.
        config: feeds.yaml, as the operator named it.
        titles: returns the titles that feeds gave themselves; None: they are looked up in the store, if there is one.

    Returns:
        None if any of them names no source, or several; then that was said on stderr, with the keys that may be meant.
    """
    found = []
    for name in names:
        keys = matches(name, settings.sources, titles or (lambda: stored_titles(settings)))
        if len(keys) == 1:
            found.append(keys[0])
        else:
            print(f"aggregator: {unclear(name, keys, settings, config)}", file=sys.stderr)
    return found if len(found) == len(names) else None


def matches(name: str, sources: Sequence[Source], titles: Callable[[], Titles]) -> list[SourceKey]:
    """Return the keys of the sources that a name may mean: of the one with that key, URL or path, else by their titles.

    Args:
        name: as written.
        sources: all there are.
        titles: returns the titles that feeds gave themselves; called only if no key, URL or path fits.
    """
    exact: dict[str, SourceKey] = {source.safe_url: source.key for source in sources if source.safe_url}  # as reported
    exact |= {source.url: source.key for source in sources}
    exact |= {str(source.path): source.key for source in sources if source.path is not None}
    exact |= {source.key: source.key for source in sources}
    key = exact.get(name) or exact.get(_normal(name))
    if key is not None:
        return [key]
    own, wanted = titles(), _folded(name)
    return [source.key for source in sources if wanted in (_folded(each) for each in _names(source, own))]


def unclear(name: str, keys: Sequence[SourceKey], settings: Settings, config: Path, near: str = "") -> str:
    """Return what is said of a name that means no source, or several.

    Args:
        name: as written.
        keys: of the sources that it may mean.
        settings: which have the sources.
        config: feeds.yaml, as the operator named it.
        near: what to do where nothing is called alike.
    """
    if keys:
        lines = {source.key: source.line for source in settings.sources}
        places = ", ".join(f"{key} (line {lines[key]})" for key in keys)
        return f'{len(keys)} sources in {config} are called "{name}": {places}; write the key'
    if meant := _meant(name, settings):
        return f"no source {name} in {config}; did you mean {meant}?"
    hint = near or f"see the titles and keys in `{command(config, 'status --all')}`"
    return f"no source {name} in {config}; {hint}"


def command(config: Path, rest: str) -> str:
    """Return a command of ours as it has to be typed in the folder where we were started."""
    return f"aggregator {rest}" if config == USUAL else f"aggregator -c {shlex.quote(str(config))} {rest}"


def _meant(name: str, settings: Settings) -> str | None:
    """Return what a misspelt or shortened name probably means: a key or, in quotes, a title; None: nothing is near."""
    keys = get_close_matches(name, [source.key for source in settings.sources], 1)
    if keys:
        return keys[0]
    own, wanted = stored_titles(settings), _folded(name)
    called = {_folded(each): each for source in settings.sources for each in _names(source, own)}
    near = [each for each in called if len(wanted) > 2 and wanted in each] or get_close_matches(wanted, called, 1)
    return f'"{called[near[0]]}"' if near else None


def stored_titles(settings: Settings) -> Titles:
    """Return the titles that feeds gave themselves, as the store has them; none where it can't be read."""
    from aggregator.clock import utc_now
    from aggregator.store.database import is_store, open_store

    if not is_store(settings.store):
        return {}
    try:
        store = open_store(settings.store, now=utc_now(), writes=False)
    except StoreError:
        return {}
    try:
        with store.read() as tx:
            return tx.sources.titles()
    except StoreError:
        return {}
    finally:
        store.close()


def _names(source: Source, own: Titles) -> list[str]:
    """Return what a source may be called: its titles, and its place."""
    return [*filter(None, (source.title, own.get(source.key))), name_of_source(replace(source, title=None))]


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _normal(name: str) -> str:
    try:
        return normalise(name)
    except BadUrl:
        return str(Path(name).absolute().resolve()) if name.isprintable() else ""
