"""Miniflux, of Debian's package, as a process of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.patience import PATIENCE
from tests.ports import free_port
from tests.programs.program import Program

ADMIN, PASSWORD = "admin", "known to the test alone"
TURN = 300.0  # seconds that it may take to ask all that is due


class Miniflux:
    """Miniflux with one user, and no hand but the test's to make it ask anything.

    Args:
        folder: for its log.
        database: the address of an empty one.
        environ: more of its settings.
    """

    def __init__(self, folder: Path, database: str, environ: Mapping[str, str] | None = None) -> None:
        port = free_port()
        self._root = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.auth, self._session.trust_env = (ADMIN, PASSWORD), False
        settings = {
            "DATABASE_URL": database,
            "LISTEN_ADDR": f"127.0.0.1:{port}",
            "BASE_URL": self._root,
            "RUN_MIGRATIONS": "1",
            "CREATE_ADMIN": "1",
            "ADMIN_USERNAME": ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
            "DISABLE_SCHEDULER_SERVICE": "1",
            "FETCHER_ALLOW_PRIVATE_NETWORKS": "1",  # loopback; newer ones than Debian 13's 2.2.6 refuse it
        }
        self._program = Program(["miniflux"], folder, environ=settings | dict(environ or {}))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._program.start(self._is_ready)

    def imports(self, opml: str) -> None:
        """Subscribe to all feeds of a list, none of which is asked yet."""
        answer = self._session.post(f"{self._root}/v1/import", data=opml.encode(), timeout=PATIENCE)
        assert answer.ok, answer.text

    def asks_what_is_due(self) -> None:
        """Poll each due feed, as Miniflux's own timer does; return when all have been polled."""
        Program([*self._program.command, "-refresh-feeds"], self._program.folder, environ=self._program.environ).run(
            within=TURN
        )

    def stop(self) -> None:
        """End it."""
        self._session.close()
        self._program.stop(within=PATIENCE)

    def subscribe(self, url: str) -> int:
        """Subscribe to a feed; gives its number."""
        feed: int = self._ask("POST", "/v1/feeds", {"feed_url": url}).json()["feed_id"]
        return feed

    def refresh(self, feed: int) -> None:
        """Poll a feed with a conditional request, as Miniflux does by itself."""
        self._ask("PUT", f"/v1/feeds/{feed}/refresh")
        assert self.failures(feed) == 0

    def refresh_in_vain(self, feed: int) -> None:
        """Poll a feed whose server is down."""
        assert self._say("PUT", f"/v1/feeds/{feed}/refresh").status_code == 500
        assert self.failures(feed) == 1

    def failures(self, feed: int) -> int:
        """Return the number of failures of a feed in a row."""
        count: int = self._ask("GET", f"/v1/feeds/{feed}").json()["parsing_error_count"]
        return count

    def entries(self, feed: int) -> dict[int, str]:
        """Return the titles of a feed's entries, by the number that Miniflux knows each by."""
        entries = self._ask("GET", f"/v1/feeds/{feed}/entries?limit=0").json()["entries"]
        return {entry["id"]: entry["title"] for entry in entries}

    def _ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        answer = self._say(method, path, body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def _say(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self._session.request(method, self._root + path, json=body, timeout=PATIENCE)

    def _is_ready(self) -> bool:
        try:
            return self._say("GET", "/healthcheck").ok
        except requests.ConnectionError:
            return False
