"""How often one client may ask (S57, S67)."""

import threading
from collections.abc import Callable
from time import monotonic

from aggregator.serve.crowd import client_of

MAX_CLIENTS = 10_000  # that are remembered; those beyond share one count
LOCAL_SHARE = 10  # as often as others a client on this machine may ask: a reverse proxy is all its clients
WINDOW_SECONDS = 60.0


class RateLimit:
    """Counts requests of each client in a minute. A client is an IPv4 address, or the /64 of an IPv6 one."""

    def __init__(self, a_minute: int, *, steady: Callable[[], float] = monotonic) -> None:
        self._a_minute, self._steady = a_minute, steady
        self._counts: dict[str, int] = {}
        self._began = steady()
        self._lock = threading.Lock()

    def lets_pass(self, address: str) -> bool:
        """Count a request; tell whether it is one too many."""
        client = client_of(address)
        share = LOCAL_SHARE if client == "::/64" or client.startswith("127.") else 1  # ::1 lies in ::/64
        with self._lock:
            now = self._steady()
            if now - self._began >= WINDOW_SECONDS:
                self._counts.clear()
                self._began = now
            if client not in self._counts and len(self._counts) >= MAX_CLIENTS:
                client = ""
            count = self._counts[client] = self._counts.get(client, 0) + 1
            return count <= self._a_minute * share
