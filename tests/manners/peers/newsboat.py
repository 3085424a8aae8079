"""Runs newsboat from Debian's package: `-x reload` at each turn of its timer, with a clock that libfaketime moves."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from tests.manners.habits import HOUR
from tests.manners.peers.peer import Outside
from tests.programs.program import Program

TURN = 600.0  # seconds: newsboat polls one source after the other


def faketime() -> Path | None:
    """Return the library that moves a program's clock; None if it is not installed."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


class Newsboat:
    """newsboat with its default `auto-reload`: all sources, hourly."""

    name = "newsboat"
    pause = HOUR  # reload-time, which counts from the end of a reload
    has_real_clock = False
    ended_by: ClassVar[Mapping[str, str]] = {"latin-one": "P12"}

    def missing(self) -> str | None:
        """Return the missing program; None if all are installed."""
        lacking = {"newsboat": shutil.which("newsboat"), "libfaketime": faketime()}
        return " and ".join(name for name, found in lacking.items() if not found) or None

    @contextmanager
    def runs(self, outside: Outside) -> Iterator["_Reloads"]:
        """Yield a newsboat with an empty cache and an empty configuration."""
        with tempfile.TemporaryDirectory(prefix="aggregator-newsboat-") as name:
            (Path(name) / "urls").write_text("".join(f"{url}\n" for url in outside.urls))
            (Path(name) / "config").touch()
            yield _Reloads(Path(name), outside)


class _Reloads:
    def __init__(self, folder: Path, outside: Outside) -> None:
        self._folder, self._outside = folder, outside

    def turn(self, now: datetime) -> None:
        """Reload all sources."""
        environ = {
            "CURL_CA_BUNDLE": self._outside.authority,
            "LD_PRELOAD": str(faketime()),
            "FAKETIME": f"@{now:%Y-%m-%d %H:%M:%S}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # otherwise its timeouts would be wrong
            "TZ": "UTC",
        }
        command = ["newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload"]
        Program(command, self._folder, environ=environ).run(within=TURN)
