"""A reverse proxy between a reader and `serve` that records the exchanges."""

import socket
from dataclasses import dataclass
from http.client import HTTPResponse

from tests.feed_server import Asked, FeedServer, Headers, Reply, Talk
from tests.patience import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer, as they passed."""

    asked: Headers
    status: int
    headers: Headers
    body: bytes

    @property
    def is_conditional(self) -> bool:
        """Return whether the reader sent a validator."""
        return "if-none-match" in self.asked

    @property
    def is_not_modified(self) -> bool:
        """Return whether the response was a 304 without anything that a 304 may not have (A72, A73)."""
        return (
            (self.status, self.body) == (304, b"")
            and self.is_conditional
            and self.headers.get("etag") == self.asked["if-none-match"]
        )


class Relay:
    """A reverse proxy on loopback: requests go on byte for byte, answers come back as they are.

    Args:
        front: where readers ask.
        port: of 127.0.0.1, where the server is.
    """

    def __init__(self, front: FeedServer, port: int) -> None:
        self._front, self._port = front, port
        self._exchanges: dict[str, list[Exchange]] = {}

    def opens(self, path: str) -> str:
        """Hand a path on from now on; gives the URL for the reader."""
        exchanges = self._exchanges[path] = []
        return self._front.says(path, _Passed(self._port, exchanges))

    def passed(self, path: str) -> list[Exchange]:
        """Return what passed, oldest first."""
        return list(self._exchanges[path])


class _Passed(Reply):
    """Says what the server says."""

    def __init__(self, port: int, exchanges: list[Exchange]) -> None:
        super().__init__()
        self._port, self._exchanges = port, exchanges

    def play(self, asked: Asked, talk: Talk) -> bool:
        headers: list[tuple[str, str]] = []
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as server:
                server.sendall(asked.raw + asked.body)
                with HTTPResponse(server, method=asked.method) as answer:
                    answer.begin()
                    status, headers, body = answer.status, answer.getheaders(), answer.read()
        except ConnectionRefusedError:  # the server is down
            status, body = 502, b""
        self._exchanges.append(
            Exchange(asked=asked.headers, status=status, headers=Headers(headers), body=body)
        )  # before the reader hears of it
        return Reply(status, body, headers).play(asked, talk)
