"""Finds sources by the names that operators use: key, URL, path of a local file, or title."""

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

from aggregator.config.addresses import store_path
from aggregator.config.loader import load_config
from aggregator.errors import ConfigError, StoreError
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Settings, Source, SourceKey
from aggregator.store.titles import keys_without, may_have_entry, may_have_name, titles_in
from aggregator.urls import BadUrl, Url, match_url, normalise

USUAL = Path("feeds.yaml")  # where -c names no other
MAX_NAMED = 8  # categories that one message names
Titles = Mapping[SourceKey, str]  # that feeds gave themselves


def keys_of(
    names: Sequence[str],
    settings: Settings,
    config: Path,
    titles: Callable[[], Titles] | None = None,
    *,
    near: str = "",
) -> list[SourceKey] | None:
    """Return the keys of sources named on the command line.

    Args:
        names: keys, URLs, paths or titles, as written.
        settings: the settings with the sources.
        config: path of feeds.yaml, for messages.
        titles: returns the titles of feeds by key; None: they are read from the store, if there is one.
        near: advice if no source has a similar name.

    Returns:
        None if a name fits no source, or several. A message on stderr then lists candidates.
    """
    found = []
    for name in names:
        keys = matches(name, settings.sources, titles or (lambda: stored_titles(settings)))
        if len(keys) == 1:
            found.append(keys[0])
        else:
            print(f"aggregator: {unclear(name, keys, settings, config, near)}", file=sys.stderr)
    return found if len(found) == len(names) else None


def refused(names: Sequence[str], options: argparse.Namespace, environ: Mapping[str, str], near: str = "") -> bool:
    """Return whether a name fits no source, or several; then a message on stderr lists candidates.

    Commands ask this before they import what only sources that are found need. If feeds.yaml has errors, or lists whose
    feeds only the store knows, nothing is refused here.

    Args:
        names: as written.
        options: of the command line.
        environ: where `${NAME}` is looked up.
        near: advice if no source has a similar name.
    """
    if not names:
        return False
    try:
        settings = load_config(options.config, environ)
    except ConfigError:
        return False
    return not settings.has_lists and keys_of(names, settings, options.config, near=near) is None


def nothing_called(thing: str) -> str:
    """Return the message for a name that fits no entry and no story."""
    looked_up = "no atom:id, page or address of one, link, own id or number of an entry"
    return f"nothing in the store is called {thing}: {looked_up}"


def no_suspect(name: str, keys: Sequence[str], config: Path) -> str:
    """Return the message for a name that fits no source that could be accepted.

    Args:
        name: as written.
        keys: those of the active sources in the store.
        config: path of feeds.yaml.
    """
    near = get_close_matches(name, keys, 1)
    hint = f"; did you mean {near[0]}?" if near else "; `aggregator status` lists suspect sources"
    return f"no source {name} in {config}{hint}"


def unknown_entry(things: Sequence[str], options: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Return whether a name fits no entry and no story; then a message on stderr tells.

    Commands ask this before they import what only entries that are found need. Nothing is refused here if feeds.yaml
    has errors, or if the answer is not certain: `corrections.meant` decides.

    Args:
        things: as written.
        options: of the command line.
        environ: where `${NAME}` is looked up.
    """
    try:
        settings = load_config(options.config, environ)
    except ConfigError:
        return False
    path = store_path(settings.store)
    unknown = [] if path is None else [thing for thing in things if not may_have_entry(Path(unquote(path)), thing)]
    if unknown:
        _refuse(nothing_called(unknown[0]), settings, options)
    return bool(unknown)


def unknown_name(thing: str, options: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Return whether a name fits nothing that `why` explains, as far as that is certain; tells nothing."""
    found = _without_source(thing, options, environ)
    return found is not None and not may_have_name(found[0], thing)


def unknown_source(name: str, options: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Return whether a name fits no source, in feeds.yaml or in the store; then a message on stderr tells."""
    found = _without_source(name, options, environ)
    keys = None if found is None else keys_without(found[0], name)
    if found is None or keys is None:
        return False
    _refuse(no_suspect(name, keys, options.config), found[1], options)
    return True


def _without_source(name: str, options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Path, Settings] | None:
    """Return the store file and the settings if no source in feeds.yaml has a name, nor an address with that in it.

    Returns:
        None also if it is not certain.
    """
    try:
        settings = load_config(options.config, environ)
    except ConfigError:
        return None
    path = store_path(settings.store)
    if path is None or settings.has_lists or matches(name, settings.sources, lambda: stored_titles(settings)):
        return None
    return None if any(name in source.url for source in settings.sources) else (Path(unquote(path)), settings)


def _refuse(message: str, settings: Settings, options: argparse.Namespace) -> None:
    for warning in settings.warnings if not options.quiet else ():
        print(warning, file=sys.stderr)
    print(f"aggregator: {message}", file=sys.stderr)


def matches(name: str, sources: Sequence[Source], titles: Callable[[], Titles]) -> list[SourceKey]:
    """Return the keys that a name may mean: of the source with that key, URL or path, else of those with that title.

    Args:
        name: as written.
        sources: all sources.
        titles: returns the titles of feeds by key; called only if no key, URL or path fits.
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


def unclear(
    name: str, keys: Sequence[SourceKey], settings: Settings, config: Path, near: str = "", nearest: int = 1
) -> str:
    """Return the message for a name that fits no source, or several.

    Args:
        name: as written.
        keys: keys of the candidates.
        settings: the settings with the sources.
        config: path of feeds.yaml.
        near: advice if no source has a similar name.
        nearest: how many similar names to suggest.
    """
    if keys:
        lines = {source.key: source.line for source in settings.sources}
        places = ", ".join(f"{key} (line {lines[key]})" for key in keys)
        return f'{len(keys)} sources in {config} are called "{name}": {places}; write the key'
    if meant := _meant(name, settings, nearest):
        return f"no source {name} in {config}; did you mean {meant}?"
    hint = near or f"see the titles and keys in `{command(config, 'status --all')}`"
    return f"no source {name} in {config}; {hint}"


def unclear_category(name: str, settings: Settings) -> str:
    """Return the message for a name that fits no category."""
    keys = [str(category.key) for category in settings.categories]
    names = {each.casefold(): each for each in (*(category.title for category in settings.categories), *keys)}
    near = get_close_matches(name.casefold(), names, 1)
    hint = f"did you mean {names[near[0]]}?" if near else f"there are {', '.join(keys[:MAX_NAMED])}"
    more = f" and {len(keys) - MAX_NAMED} more" if not near and len(keys) > MAX_NAMED else ""
    return f"no category {name}; {hint}{more}"


def command(config: Path, rest: str) -> str:
    """Return a command line of this program, as it must be typed in the current folder."""
    return f"aggregator {rest}" if config == USUAL else f"aggregator -c {shlex.quote(str(config))} {rest}"


def _meant(name: str, settings: Settings, count: int) -> str | None:
    """Return the keys, or the quoted titles, nearest to a misspelt or shortened name; None if none is near."""
    keys = get_close_matches(name, [source.key for source in settings.sources], count)
    if keys and count == 1:
        return keys[0]
    own, wanted = stored_titles(settings), _folded(name)
    called = {_folded(each): each for source in settings.sources for each in _names(source, own)}
    near = [each for each in called if len(wanted) > 2 and wanted in each] or get_close_matches(wanted, called, count)
    found = [*keys, *(f'"{called[each]}"' for each in near)][:count]
    return " or ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else None


def same_address(name: str, sources: Sequence[Source]) -> list[SourceKey]:
    """Return the keys of the sources with an address, in any spelling."""
    try:
        wanted = match_url(normalise(name))
    except BadUrl:
        return []
    return [source.key for source in sources if wanted in (match_url(Url(url)) for url in (source.url, *source.was))]


def parts_of_titles(name: str, sources: Sequence[Source], own: Titles) -> list[SourceKey]:
    """Return the keys of the sources whose titles, or address, have a text in them.

    Args:
        name: as written.
        sources: all sources.
        own: titles of feeds by key.
    """
    wanted = _folded(name)
    return [source.key for source in sources if wanted and any(wanted in _folded(each) for each in _names(source, own))]


def stored_titles(settings: Settings) -> Titles:
    """Return the titles of feeds by source key, from the store; empty if the store can't be read."""
    if (path := store_path(settings.store)) is not None:
        return titles_in(Path(unquote(path)))
    from aggregator.clock import utc_now
    from aggregator.store.database import backend_of, open_store

    if not backend_of(settings.store).exists():
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
    """Return the names of a source: its titles, and its URL or path."""
    return [*filter(None, (source.title, own.get(source.key))), name_of_source(replace(source, title=None))]


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _normal(name: str) -> str:
    try:
        return normalise(name)
    except BadUrl:
        return str(Path(name).absolute().resolve()) if name.isprintable() else ""
