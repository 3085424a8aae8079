"""Takes up edits of feeds.yaml and of the theme while a service runs; a broken edit leaves the last good in force (R50,
R51).
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from logging import getLogger
from pathlib import Path

from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.model.settings import Settings
from aggregator.render.theme import digest_of, read_files, signature_of

log = getLogger(__name__)

GUARD = timedelta(seconds=10)  # between two equal reads of a file that removes most sources (R51)
MANY = 10  # sources; up to that many are removed without a second read


class ConfigWatch:
    """Checks feeds.yaml and its theme for edits, cheaply enough for every second.

    Args:
        settings: in force now.
        environ: where `${NAME}` is looked up.
        apply: brings valid settings into force, with the text they come from; may raise `ConfigError`.
        refuse: called with the reason why an edit is not in force; None once that is over.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        apply: Callable[[Settings, str], None],
        refuse: Callable[[str | None], None],
    ) -> None:
        self._settings, self._environ = settings, environ
        self._apply, self._refuse = apply, refuse
        self._theme = settings.publish.theme  # of the last valid settings, in force or not
        self._seen = self._signature()
        self._digest = self._digest_of()
        self._doubt: tuple[str, datetime] | None = None  # a digest that removes most sources, and since when
        self._refused = False

    def look(self, now: datetime) -> None:
        """Take up an edit, if there is one."""
        signature = self._signature()
        if signature == self._seen and self._doubt is None:
            return
        self._seen = signature
        digest = self._digest_of()
        if digest == self._digest:
            if self._refused:  # the broken edit was undone
                self._say(None)
            self._doubt = None
            return
        try:
            settings = load_config(self._settings.path, self._environ)  # first: it says what is wrong
            text = self._settings.path.read_text(encoding="utf-8")
            if settings.publish.theme != self._theme:
                self._theme = settings.publish.theme
                self._seen, digest = self._signature(), self._digest_of()
            if self._drops_most(settings) and not self._is_confirmed(digest, now):
                return
            self._apply(settings, text)
        except (ConfigError, OSError, UnicodeDecodeError) as error:
            self._doubt = None
            self._refuse_edit(error)
            return
        self._doubt, self._digest = None, digest
        self._settings = settings
        if self._refused:
            self._say(None)
        log.info("load_config", extra={"file": str(settings.path), "sources": len(settings.sources)})

    def forget(self) -> None:
        """Read feeds.yaml and the theme at the next check, changed or not."""
        self._seen, self._digest = (), ""

    def _signature(self) -> tuple[object, ...]:
        return _signature(self._settings.path), self._theme and signature_of(self._theme)

    def _digest_of(self) -> str:
        return f"{_digest(self._settings.path)} {_theme_digest(self._theme) if self._theme else ''}"

    def _refuse_edit(self, error: Exception) -> None:
        advice = "the last good one is in force"
        log.error("refuse_config", extra={"file": str(self._settings.path), "error": str(error), "advice": advice})
        self._say(str(error))

    def _say(self, why: str | None) -> None:
        self._refused = why is not None
        self._refuse(why)

    def _drops_most(self, settings: Settings) -> bool:
        left = {source.key for source in settings.sources}
        gone = sum(source.key not in left for source in self._settings.sources)
        return gone > MANY and 2 * gone > len(self._settings.sources)

    def _is_confirmed(self, digest: str, now: datetime) -> bool:
        if self._doubt is None or self._doubt[0] != digest:
            self._doubt = (digest, now)
            advice = "over half of the sources are gone from it; it is read again in 10 s"
            log.warning("doubt_config", extra={"file": str(self._settings.path), "advice": advice})
        return now - self._doubt[1] >= GUARD


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _theme_digest(folder: Path) -> str:
    try:
        return digest_of(read_files(folder))
    except OSError:
        return ""
