"""Resolves host names in bounded time.

getaddrinfo has no timeout and can't be interrupted; with a name server that is down it takes as long as resolv.conf
says, 20 s and more. So it runs in a thread of its own that may be left behind. An address is not looked up.
"""

import ipaddress
import queue
import socket
import threading
from dataclasses import dataclass

from aggregator.errors import FetchError, NameUnknown, TimedOut
from aggregator.fetch.flight import Flight, under_way
from aggregator.fetch.guard import Address
from aggregator.urls import is_address

LOOKUP_SECONDS = 10.0  # P81: it is part of connecting


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One socket address of a host."""

    family: int
    address: Address
    target: tuple[str, int] | tuple[str, int, int, int]  # for `socket.connect`


def endpoints_of(host: str, port: int, flight: Flight, seconds: float) -> list[Endpoint]:
    """Return the socket addresses of a host, in the resolver's order, each once.

    Args:
        host: a name, or an address without brackets.
        port: of the service.
        flight: the fetch; when it ends, the waiting ends.
        seconds: the longest wait.

    Raises:
        NameUnknown: there is no such name.
        TimedOut: no answer in that time, or the fetch ended.
    """
    if is_address(host):
        return _ask(host, port, socket.AI_NUMERICHOST)
    mail: queue.SimpleQueue[object] = queue.SimpleQueue()

    def ask() -> None:
        try:
            mail.put(_ask(host, port, 0))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that is too long for IDNA
            mail.put(error)

    threading.Thread(target=ask, name="fetch-lookup", daemon=True).start()
    found = flight.wait_for_mail(mail, seconds)
    if isinstance(found, list):
        return found
    if isinstance(found, Exception):
        raise NameUnknown(flight.url, host) from found
    raise TimedOut(flight.url, TimedOut.LOOKUP, seconds)


def addresses_of(host: str) -> list[Address]:
    """Return the addresses of a host for the fetch of this thread; empty if none were found in time."""
    flight = under_way()
    try:
        return [endpoint.address for endpoint in endpoints_of(host, 0, flight, flight.remaining(LOOKUP_SECONDS))]
    except FetchError:
        return []


def _ask(host: str, port: int, flags: int) -> list[Endpoint]:
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, socket.IPPROTO_TCP, flags)
    return list(
        dict.fromkeys(
            Endpoint(family, ipaddress.ip_address(str(target[0]).partition("%")[0]), target)  # type: ignore[arg-type]  # the stubs know the tuple of IPv6 without support for it too
            for family, _, _, _, target in found
        )
    )
