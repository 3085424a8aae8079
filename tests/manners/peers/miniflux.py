"""Runs Miniflux from Debian's package. Its clock can't be moved: stored times are moved back, dates translated."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from xml.sax.saxutils import quoteattr

from tests.manners.peers.peer import Outside
from tests.programs.miniflux import Miniflux as Server
from tests.programs.postgres import postgres, postgres_programs

SETTINGS = {
    "BATCH_SIZE": "1000",
    "NO_PROXY": "127.0.0.0/8",
}  # everything that is due in one turn; other settings are defaults


class Miniflux:
    """Miniflux with its defaults: a source is due an hour after its last poll."""

    name = "Miniflux"
    pause = timedelta(minutes=15)
    has_real_clock = True
    ended_by: ClassVar[Mapping[str, str]] = {}

    def missing(self) -> str | None:
        """Return the missing program; None if all are installed."""
        lacking = {"miniflux": shutil.which("miniflux"), "postgresql": postgres_programs()}
        return " and ".join(name for name, found in lacking.items() if not found) or None

    @contextmanager
    def runs(self, outside: Outside) -> Iterator["_Turns"]:
        """Yield a running Miniflux with a PostgreSQL of its own."""
        programs = postgres_programs()
        assert programs is not None
        environ = SETTINGS | {"SSL_CERT_FILE": outside.authority, "HTTP_PROXY": outside.proxy}
        environ["HTTPS_PROXY"] = outside.proxy
        with tempfile.TemporaryDirectory(prefix="aggregator-miniflux-") as name, postgres(programs) as database:
            server = Server(Path(name), database, environ)
            server.start()
            try:
                outlines = "".join(f"<outline text='x' type='rss' xmlUrl={quoteattr(url)}/>" for url in outside.urls)
                server.imports(f"<opml version='2.0'><body>{outlines}</body></opml>")
            finally:
                server.stop()
            yield _Turns(server, [f"{programs}/psql", "-qX", "-v", "ON_ERROR_STOP=1", database, "-c"])


class _Turns:
    def __init__(self, server: Server, sql: list[str]) -> None:
        self._server, self._sql = server, sql
        self._ahead: timedelta | None = None  # its own clock at the last turn

    def turn(self, now: datetime) -> None:
        """Move all stored times back by the time that has passed, and let Miniflux poll what is due."""
        ahead = now - datetime.now(UTC)
        if self._ahead is not None:
            jump = f"interval '{(ahead - self._ahead).total_seconds()} seconds'"
            moved = f"UPDATE feeds SET checked_at = checked_at - {jump}, next_check_at = next_check_at - {jump}"
            subprocess.run([*self._sql, moved], check=True)
        self._ahead = ahead
        self._server.asks_what_is_due()
