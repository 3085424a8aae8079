"""Decides which connections to close when too many are open (S67).

A client that sends half a request, or reads its response one byte at a time, can hold a connection for as long as it
wants. With a limit on the number of connections alone, one such client would lock out everybody else. So every
connection is accepted. When more than `MAX_CONNECTIONS` are open, connections on which the server waits for the client
are closed, first those of the client with the most of them.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

K = TypeVar("K")

MAX_CONNECTIONS = 100  # S67
CLIENT_SHARE = 25  # unfinished requests per client that are closed last
BURST = 64  # connections that are accepted before any are closed


@dataclass(frozen=True, slots=True)
class WaitingConnection:
    """A connection on which the server waits for its client.

    A connection with a complete request that is not answered yet waits for the server: it has no such record and is
    never closed.
    """

    client: str  # result of `client_of`
    since: float  # monotonic seconds: start of the connection, of the request, or of the wait for the client to read
    is_idle: bool  # kept open after a response, and no new request has begun


def connections_to_close(waits: Iterable[tuple[K, WaitingConnection]], number: int) -> list[K]:
    """Return the connections to close, in the order of closing.

    Unfinished requests beyond their client's share are closed first, then idle connections, then all other unfinished
    requests. Within each group, the client with the most connections loses its oldest connection. A new connection is
    closed last, so that a client whose request arrives at once is answered, whatever other clients at its address do.

    Args:
        waits: all connections on which the server waits for the client.
        number: how many to close; fewer are returned if there are not so many.
    """
    by_client: dict[tuple[bool, str], list[tuple[float, K]]] = defaultdict(list)
    for connection, wait in waits:
        by_client[wait.is_idle, wait.client].append((wait.since, connection))
    ranked: list[tuple[int, int, float, K]] = []
    for (is_idle, _), group in by_client.items():
        group.sort(key=lambda each: each[0], reverse=True)
        for rank, (since, connection) in enumerate(group):
            order = 1 if is_idle else 0 if rank >= CLIENT_SHARE else 2
            ranked.append((order, -rank, since, connection))
    ranked.sort(key=lambda each: each[:3])
    return [connection for *_, connection in ranked[: max(number, 0)]]


@lru_cache(maxsize=4096)
def client_of(address: str) -> str:
    """Return the client for which connections are counted: an IPv4 address, or the /64 network of an IPv6 address.

    Args:
        address: as a socket returns it. IPv4 in IPv6 form counts as IPv4; a text that is not an address is returned as
            it is.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return str(found)
