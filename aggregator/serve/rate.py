"""How often one client may ask (S57, S67)."""

import ipaddress
import threading
from collections.abc import Callable
from time import monotonic

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
        client, share = _client_of(address)
        with self._lock:
            now = self._steady()
            if now - self._began >= WINDOW_SECONDS:
                self._counts.clear()
                self._began = now
            if client not in self._counts and len(self._counts) >= MAX_CLIENTS:
                client = ""
            count = self._counts[client] = self._counts.get(client, 0) + 1
            return count <= self._a_minute * share


def _client_of(address: str) -> tuple[str, int]:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address, 1
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            network = ipaddress.ip_network((found, 64), strict=False)
            return str(network), LOCAL_SHARE if found.is_loopback else 1
        found = found.ipv4_mapped
    return str(found), LOCAL_SHARE if found.is_loopback else 1
