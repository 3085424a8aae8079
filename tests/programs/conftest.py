"""A running `aggregator serve` in a temporary folder, and who listens in between it and its readers."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from lxml import etree

from tests.feed_server import FeedServer
from tests.ports import free_port
from tests.programs.program import Program
from tests.programs.relay import Relay
from tests.sample_site import ATOM, LOOPBACK

STOP = 10.0  # seconds until `serve` has ended (R54)


class Service:
    """`aggregator serve` as an operator runs it: a process of its own, with a feeds.yaml."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._program = Program([sys.executable, "-m", "aggregator", "-c", "feeds.yaml", "serve"], folder)

    def writes(self, yaml: str, *, publish: str = "formats: [atom, json, html]") -> None:
        """Write feeds.yaml; loopback is allowed, as an operator would allow it."""
        frame = f"serve: {{bind: '127.0.0.1:{self.port}'}}\npublish: {{{publish}}}\n"
        (self._folder / "feeds.yaml").write_text(LOOPBACK + frame + yaml, encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self._program.start(self._is_ready)

    def stop(self) -> None:
        """Send SIGTERM: it ends with exit 0, within ten seconds (R54). Nothing happens if it does not run."""
        self._program.stop(within=STOP)

    def wait_for(self, path: str, *titles: str) -> None:
        """Wait until a feed has entries with just these titles, in any order."""
        expected = sorted(titles)
        self._program.wait_until(lambda: sorted(self._titles(path)) == expected, f"{path} to have {expected}")

    def wait_for_entries(self, path: str, number: int) -> None:
        """Wait until a feed has so many entries."""
        self._program.wait_until(lambda: len(self._titles(path)) == number, f"{path} to have {number} entries")

    def wait_for_status(self, path: str, status: int) -> None:
        """Wait until a path is answered with a status."""
        self._program.wait_until(lambda: self._get(path)[0] == status, f"{path} to be answered with {status}")

    def read(self, path: str, *, status: int = 200) -> bytes:
        """Return what is served at a path, as a browser gets it."""
        got, body = self._get(path)
        assert got == status, f"{path}: {got}"
        return body

    def runs(self, *arguments: str) -> str:
        """Run a command of the program beside it, and return what it prints."""
        return Program([sys.executable, "-m", "aggregator", "-c", "feeds.yaml", *arguments], self._folder).run()

    def _titles(self, path: str) -> list[str]:
        status, body = self._get(path)
        assert status == 200, f"{path}: {status}, though /readyz says 200 (R57)"
        if path.endswith(".json"):
            return [item["title"] for item in json.loads(body)["items"]]
        return [str(entry.findtext(f"{ATOM}title")) for entry in etree.fromstring(body).iterchildren(f"{ATOM}entry")]

    def _is_ready(self) -> bool:
        try:
            return self._get("/readyz")[0] == 200
        except ConnectionRefusedError:
            return False

    def _get(self, path: str) -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=STOP)) as connection:
            connection.request("GET", path, headers={"Accept": "text/html, */*"})
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Yield a service that is not started yet; it is stopped after the test."""
    folder = tmp_path / "service"
    folder.mkdir()
    service = Service(folder)
    yield service
    service.stop()


@pytest.fixture
def relay(service: Service) -> Iterator[Relay]:
    """Yield a reverse proxy before the service."""
    with FeedServer() as front:
        yield Relay(front, service.port)
