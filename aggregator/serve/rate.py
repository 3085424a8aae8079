"""Limits the requests of each client (S57, S67)."""

import threading
from collections.abc import Callable
from time import monotonic

from aggregator.serve.connection_limit import client_of

MAX_CLIENTS = 10_000  # clients with a count of their own; all others share one count
LOCAL_SHARE = 10  # factor for clients on this machine: a reverse proxy sends the requests of all its clients
WINDOW_SECONDS = 60.0


class RateLimit:
    """Counts the requests of each client per minute. A client is an IPv4 address or an IPv6 /64 network."""

    def __init__(self, per_minute: int, *, steady: Callable[[], float] = monotonic) -> None:
        self._per_minute, self._steady = per_minute, steady
        self._counts: dict[str, int] = {}
        self._began = steady()
        self._lock = threading.Lock()

    def allows(self, address: str) -> bool:
        """Count a request; return False if the client has exceeded its limit."""
        client = client_of(address)
        share = LOCAL_SHARE if client == "::/64" or client.startswith("127.") else 1  # ::/64 contains ::1
        with self._lock:
            now = self._steady()
            if now - self._began >= WINDOW_SECONDS:
                self._counts.clear()
                self._began = now
            if client not in self._counts and len(self._counts) >= MAX_CLIENTS:
                client = ""
            count = self._counts[client] = self._counts.get(client, 0) + 1
            return count <= self._per_minute * share
