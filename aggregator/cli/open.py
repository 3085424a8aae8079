"""Opens settings and store for a command, and closes them; stops the command at a signal."""

import argparse
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.config.loader import read_config
from aggregator.errors import ConfigError, NoStore, StoreError
from aggregator.late import late
from aggregator.model.settings import Settings

if TYPE_CHECKING:
    from aggregator import app as apps
    from aggregator import in_force
    from aggregator.app import App
    from aggregator.publish import destination
    from aggregator.render import theme
    from aggregator.restore import lost_state
    from aggregator.store import database
    from aggregator.store.database import Store
else:  # a command that refuses its arguments needs none of them
    apps = late("aggregator.app")
    destination = late("aggregator.publish.destination")
    theme = late("aggregator.render.theme")
    lost_state = late("aggregator.restore.lost_state")
    in_force = late("aggregator.in_force")
    database = late("aggregator.store.database")

log = getLogger(__name__)


@contextmanager
def opened_app(
    options: argparse.Namespace, environ: Mapping[str, str], *, last_good: bool = False, goes_on: bool = False
) -> "Iterator[App]":
    """Load feeds.yaml, print its warnings, open the store, and close the store afterwards.

    Args:
        options: options of the command line.
        environ: where `${NAME}` is looked up.
        last_good: if feeds.yaml has errors, use the last good one (R51); if the theme has errors, use none.
        goes_on: refuse to start with a new store where another one has published.

    Raises:
        ConfigError: all errors of feeds.yaml or of the theme; nothing was opened.
        LockHeld: another process holds the lock of the store.
        StoreError: the store can't be opened.
        StateLost: outputs exist whose store is lost; no new store was made.
    """
    text, broken = None, ""
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:
        if not last_good:
            raise
        settings, text = last_good_settings(options.config, environ, error)
        broken = str(error)
        log.error("refuse_config", extra={"error": broken, "advice": "started with the last good one"})
    try:
        look = theme.checked_style(settings)
    except ConfigError as error:
        if not last_good:
            raise
        look = theme.plain_style()
        broken = f"{broken}\n{error}".strip()
        log.error("refuse_config", extra={"error": str(error), "advice": "started with the built-in theme"})
    for warning in settings.warnings if not options.quiet else ():
        print(warning, file=sys.stderr)
    if goes_on and not database.backend_of(settings.store).exists():
        lost_state.refuse_lost(destination.open_destination(settings.publish.to), settings)
    app = apps.open_app(settings, command=options.command, clock=utc_now, text=text, look=look)
    try:
        if goes_on and app.beginning.is_new:
            lost_state.refuse_lost(app.folder, settings)
        if goes_on and app.beginning.is_adopting:  # `restore FILE` did so, unless it was killed
            from aggregator.cli.taken_in import take_in  # late: what reads outputs back is hardly ever needed

            if said := take_in(app):
                print(f"aggregator: {said}", file=sys.stderr)
        if broken:
            with app.store.begin() as tx:
                tx.store_row.note_config_error(broken)
        yield app
    finally:
        app.close()


def configured(options: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Return the settings of feeds.yaml with the sources of OPML lists. Changes nothing.

    A command looks up its arguments in them before it opens the store: a refused argument puts no edit in force.

    Raises:
        ConfigError: all errors of feeds.yaml.
        StoreError: the store, which knows the feeds of lists, can't be read.
    """
    settings = load_config(options.config, environ)
    if not settings.has_lists or not database.backend_of(settings.store).exists():
        return settings
    store = database.open_store(settings.store, now=utc_now(), writes=False)
    try:
        return in_force.listed_settings(store, settings)
    finally:
        store.close()


def read_store(settings: Settings) -> "Store":
    """Open the store for reading. The caller closes it.

    Raises:
        StoreError: there is no store yet, or it can't be read.
        StateLost: the store is lost: outputs exist where this aggregator would publish.
    """
    try:
        return database.open_store(settings.store, now=utc_now(), writes=False)
    except NoStore:
        lost_state.refuse_lost(destination.open_destination(settings.publish.to), settings)
        raise


def likely_store(path: Path) -> str:
    """Return the URL of the store that a broken feeds.yaml names, if that much can be read, else of the default one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    written = re.search(r"(?m)^store:\s*[\"']?sqlite:///([^\s\"'#]+)", text)
    database = path.parent.resolve() / (written[1] if written else "var/aggregator.db")
    return f"sqlite:///{quote(str(database))}"


def last_good_settings(
    path: Path, environ: Mapping[str, str], error: ConfigError, store: "Store | None" = None
) -> tuple[Settings, str]:
    """Return the settings that were last in force, and their text.

    Args:
        path: the broken feeds.yaml.
        environ: where `${NAME}` is looked up.
        error: what is wrong with it.
        store: the open store; None: that of `likely_store` is opened.

    Raises:
        ConfigError: the given error: there are no earlier settings, or they can't be used either.
    """
    try:
        opened = store or database.open_store(likely_store(path), now=utc_now(), writes=False)
        try:
            with opened.read() as tx:
                text = tx.store_row.last_good_config()
        finally:
            if opened is not store:
                opened.close()
        if text is not None:
            return read_config(text.encode(), path, environ, was_in_force=True), text
    except (OSError, StoreError, ConfigError):
        pass
    raise error


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Stop cleanly at the first SIGTERM or SIGINT; a second one ends the process at once.

    Args:
        stop: called in a new thread.

    Yields:
        A list to which the number of each signal is appended.
    """
    caught: list[int] = []

    def catch(number: int, frame: object) -> None:
        caught.append(number)
        signal.signal(number, signal.SIG_DFL)
        # In a thread of its own: the main thread may have been interrupted inside the very lock that this needs.
        threading.Thread(target=stop, name="stop", daemon=True).start()

    before = {number: signal.signal(number, catch) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
