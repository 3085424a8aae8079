"""Body of `check`: errors and warnings of feeds.yaml, without network (R56).

The code of `check --live` is imported only with that option.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from aggregator.cli.names import keys_of
from aggregator.cli.open import stopping
from aggregator.cli.terminal import counted, json_text, progress
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.config.addresses import store_path
from aggregator.config.findings import quoted
from aggregator.errors import ConfigError, ExtraMissing, Problem, StoreError
from aggregator.model.output_paths import is_output
from aggregator.model.settings import Settings
from aggregator.store.store_file import open_to_others

HEAVY_BYTES: Final = 2**20
MAX_NAMED: Final = 5


def heavy_feeds(settings: Settings) -> list[str]:
    """Return advice to publish fewer entries where a main feed is over a mebibyte; heaviest first, at most five.

    Entries are never shortened for size: feed readers that overwrite entries would lose text. Buckets are not checked.
    """
    root = settings.publish.to
    if not isinstance(root, Path):
        return []
    found: dict[str, int] = {}
    for file in (*root.glob("all.*"), *root.glob("category/*.*")):
        path = file.relative_to(root).as_posix()
        if not is_output(path) or path.endswith(".html"):
            continue
        try:
            size = file.lstat().st_size
        except OSError:  # replaced, or removed, a moment ago
            continue
        feed = path.rpartition(".")[0]
        if size > HEAVY_BYTES:
            found[feed] = max(size, found.get(feed, 0))
    heaviest = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    said = [
        f"{feed} has {size / 2**20:.1f} MiB, and readers fetch all of it at each change; write fewer entries: "
        + ("under publish:" if feed == "all" else "for this category, or show: summary")
        for feed, size in heaviest[:MAX_NAMED]
    ]
    more = len(heaviest) - MAX_NAMED
    return said + ([f"{more} more feeds have over 1 MiB"] if more > 0 else [])


if TYPE_CHECKING:  # it asks the store only where there is one
    from aggregator.store.transaction import Transaction


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Report all problems. Exit code 2 if feeds.yaml has errors, 1 if a source has."""
    lacks_server = None
    if options.server == "granian" and find_spec("granian") is None:
        lacks_server = ExtraMissing("--server granian", "granian")
    warned: tuple[str, ...] = ()
    try:
        settings = load_config(options.config, environ)
        warned = (*settings.warnings, *map(str, settings.notes), *_missing_files(settings, options.config))
        warned += _left_categories(settings, options.config, environ)
        _check_theme(settings)
        if settings.publish.jekyll is not None:
            from aggregator.publish.posts.post import check_templates

            check_templates(settings)
    except ConfigError as error:
        warnings = sorted((*warned, *error.warnings), key=_place)
        if options.json:
            problems = [{"file": p.file, "line": p.line, "column": p.column, "problem": p.what} for p in error.problems]
            record: dict[str, Any] = {"version": 1, "ok": False, "problems": problems, "warnings": warnings}
            print(json_text(record))
            return 2
        for warning in warnings:
            print(f"{warning} (a warning)", file=sys.stderr)
        if lacks_server is not None:
            print(f"aggregator: {lacks_server}", file=sys.stderr)
        raise
    if lacks_server is not None:
        raise lacks_server
    whole = _with_lists(settings) if options.live else settings
    keys = keys_of(options.keys, whole, options.config)
    if keys is None:
        return 2
    warnings = sorted(warned, key=_place)
    if settings.site.contact is None:
        warnings.append(
            f"{options.config}: no site.contact; write an address for publishers; it is sent in the User-Agent"
        )
    warnings += [f"{options.config}: {advice}" for advice in heavy_feeds(settings)]
    warnings += _readable_stores(settings)
    record = {"version": 1, "ok": True, "problems": [], "warnings": warnings}
    for warning in warnings if not options.json else ():
        print(warning, file=sys.stderr)
    if options.live:
        return _live(options, whole, frozenset(keys), record)
    if options.json:
        print(json_text(record))
        return 0
    polled = sum(not source.paused for source in settings.sources)
    categories = counted(len(settings.categories), "category", "categories")
    print(f"{options.config}: good. {counted(polled, 'source')} to poll, {categories}.")
    return 0


def _live(options: argparse.Namespace, settings: Settings, keys: frozenset[str], record: dict[str, Any]) -> int:
    """Fetch each source, and report all of them, the worst first."""
    from aggregator.cli.check_live import Live
    from aggregator.cli.check_words import kinds_of, report_in_words, summary_in_words

    began = monotonic()
    chosen = [source for source in settings.sources if not keys or source.key in keys]
    live = Live(settings, utc_now, chosen, follows=not keys)
    with stopping(live.stop) as signals:
        try:
            with progress("sources checked") as bar:
                rows = live.rows(bar)
        finally:
            live.close()
    found = sum(bool(row["advice"]) for row in rows)
    odd = sum(bool(row["notices"]) for row in rows)
    counts = {
        "seconds": round(monotonic() - began, 3),
        "sources": len(rows),
        "asked": sum(row["outcome"] != "skipped" for row in rows),
        "found": found,
        "kinds": kinds_of(rows),
    }
    if options.json:
        print(json_text(record | {"live": counts | {"results": rows}}))
    else:
        said = report_in_words(rows, quiet=bool(options.quiet), folds=not (keys or options.all))
        print(f"{said}\n{summary_in_words(counts)}".lstrip("\n"))
    if signals:
        return 128 + signals[0]
    return 1 if found or (options.strict and odd) else 0


def _with_lists(settings: Settings) -> Settings:
    """Return the settings with the sources of OPML lists, as far as the store knows them."""
    from aggregator.dry_run.probe import listed_of

    try:
        return listed_of(settings, utc_now())
    except StoreError as error:
        print(f"aggregator: {error}; so the feeds of OPML lists are unknown", file=sys.stderr)
        return settings


def _missing_files(settings: Settings, config: Path) -> list[str]:
    """Return warnings for sources of kind file whose file is missing. It may be created later: no error."""
    return [
        str(Problem(str(config), source.line, 1, f"there is no file {source.path}; put it there, or correct url"))
        for source in settings.sources
        if source.path is not None and source.program is None and not source.path.exists()
    ] + program_faults(settings, config)


def program_faults(settings: Settings, config: Path) -> list[str]:
    """Return warnings for programs that are missing or not executable: their sources or hooks will fail."""
    if not any(source.program or source.hooks for source in settings.sources):
        return []
    from aggregator.programs.run import faults_in  # late: few sites have programs

    return list(map(str, faults_in(settings, str(config))))


def _late_renames(settings: Settings, config: Path, tx: "Transaction") -> tuple[str, ...]:
    """Return warnings for a `was:` that came too late: both categories have feeds, which can't be joined any more."""
    fed, left = {row.key for row in tx.categories.rows()}, {row.key: row.slug for row in tx.categories.resting()}
    return tuple(
        f"{config}: was: {quoted(was)} of category {quoted(item.key)} has no effect: {quoted(item.key)} has a feed of "
        f"its own by now; for the readers of category/{left[was]}.* to get news again, call the category {quoted(was)} "
        "as before, also at its sources, and write the new name as its title:"
        for item in settings.categories
        if item.key in fed
        for was in item.was
        if was in left
    )


def _left_categories(settings: Settings, config: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a store warns of: idle rules, and categories renamed without `was:` since the last settings."""
    from aggregator.cli.idle_rules import idle_rules
    from aggregator.store.database import backend_of, open_store

    if not backend_of(settings.store).exists():
        return ()
    from aggregator.config.lists import with_lists
    from aggregator.config.loader import read_config
    from aggregator.dry_run.plan import heirs_of, left_behind

    try:
        store = open_store(settings.store, now=utc_now(), command="check", writes=False)
        try:
            with store.read() as tx:
                text = tx.store_row.last_good_config()
                if text is None:
                    return ()
                lists = tx.sources.lists()
                idle = idle_rules(with_lists(settings, lists), config, tx)
                if "${" not in text and text == config.read_text(encoding="utf-8"):  # in force as it stands
                    return idle + _late_renames(settings, config, tx)
                old = with_lists(read_config(text.encode(), config, environ, was_in_force=True), lists)
                new = with_lists(settings, lists)
                late = idle + _late_renames(settings, config, tx)
                lines = {source.key: source.line for source in new.sources}
                heirs = heirs_of({s.key: s for s in old.sources}, {s.key: s for s in new.sources})
                return late + tuple(
                    str(Problem(str(config), lines[left.departure.sources[0]], 1, left.departure.in_words(left.feed)))
                    for left in left_behind(old, new, heirs, tx)
                )
        finally:
            store.close()
    except (StoreError, ConfigError):  # nothing to compare with, and no fault of this file
        return ()


def _readable_stores(settings: Settings) -> list[str]:
    """Return warnings for store files that every user can read: they contain passwords and secret URLs."""
    path = store_path(settings.store)
    return [
        f"{each}: every user of this machine can read it, and it contains secrets: chmod 600 '{each}'"
        for each in (open_to_others(Path(unquote(path))) if path is not None else ())
    ]


def _check_theme(settings: Settings) -> None:
    """Load the theme, if one is configured.

    Raises:
        ConfigError: the theme can't be used; names each file and line.
    """
    if settings.publish.theme is not None:
        from aggregator.render.theme import checked_style

        checked_style(settings)


def _place(said: str) -> tuple[int, int]:
    """Return line and column of a message `file:line:column: text`, for sorting."""
    match = re.search(r":(\d+):(\d+): ", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)
