"""Decides which connections make room when too many are open (S67).

A client that sends half a request, or takes its answer a byte at a time, holds a connection for as long as it likes.
With a limit on all connections alone, one such client keeps everybody else out. So no connection is refused: when more
than `MAX_CONNECTIONS` are open, connections that finish no request are closed, first those of the client that has the
most of them.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

K = TypeVar("K")

MAX_CONNECTIONS = 100  # S67
SHARE = 25  # unfinished requests of one client that are spared while any other connection can make room
BURST = 64  # connections that are accepted before any are closed to make room


@dataclass(frozen=True, slots=True)
class Wait:
    """A connection on which the server waits for its client.

    A connection whose request is complete and not answered yet waits for the server: it has no `Wait` and stays.
    """

    client: str  # of `client_of`
    since: float  # monotonic seconds: when the connection, the request or the first unsent byte of an answer began
    is_idle: bool  # kept open after an answer, and no new request has begun


def crowded_out(waits: Iterable[tuple[K, Wait]], number: int) -> list[K]:
    """Return the connections to close, first to last, to make room for as many others.

    Unfinished requests beyond their client's share go first, then idle connections, then all other unfinished requests.
    Within each of these, the client with the most connections loses its oldest one. A connection that has just begun is
    closed last, so that a client whose request arrives at once is answered, whatever others from its address do.

    Args:
        waits: all connections on which the server waits, each with what it waits for.
        number: how many to close; fewer are returned if there are not so many.
    """
    by_client: dict[tuple[bool, str], list[tuple[float, K]]] = defaultdict(list)
    for connection, wait in waits:
        by_client[wait.is_idle, wait.client].append((wait.since, connection))
    ranked: list[tuple[int, int, float, K]] = []
    for (is_idle, _), group in by_client.items():
        group.sort(key=lambda each: each[0], reverse=True)
        for rank, (since, connection) in enumerate(group):
            order = 1 if is_idle else 0 if rank >= SHARE else 2
            ranked.append((order, -rank, since, connection))
    ranked.sort(key=lambda each: each[:3])
    return [connection for *_, connection in ranked[: max(number, 0)]]


@lru_cache(maxsize=4096)
def client_of(address: str) -> str:
    """Return whom connections are counted for: an IPv4 address, or the /64 network of an IPv6 address.

    Args:
        address: as a socket returns it. An IPv4 address in IPv6 form counts as IPv4; what is no address stays as it is.
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
