"""Makes sockets: connections of urllib3 with a check of the address at the moment of connecting, and a time limit (S3).

The address that is checked is the one that is connected to, on each hop: there is no gap for DNS rebinding. Host, SNI
and certificate checks use the name. A kept connection is checked again for each fetch that takes it, since sources
differ in what they may reach.
"""

import socket
import ssl
import time
from http.client import HTTPConnection as HTTPClientConnection
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from aggregator.errors import ConnectFailed, FetchError, NameUnknown, TimedOut
from aggregator.fetch.flight import Flight, under_way
from aggregator.fetch.guard import Address, plain
from aggregator.fetch.head import Fault, Head
from aggregator.fetch.resolver import Endpoint, endpoints_of

CONNECT_SECONDS = 10.0  # P81: finding the address included
LEAST_CONNECT_SECONDS = 2.0  # for each address
PROXIED_LOOKUP_SECONDS = 2.0  # where only the proxy resolves names, questions may stay without an answer
IDLE_SECONDS = 60.0  # P86


def connect(host: str, port: int, flight: Flight, *, guarded: bool) -> tuple[socket.socket, Address]:
    """Connect to the first address of a host that is allowed and answers.

    Each address gets a share of the time, so that a dead address doesn't take all of it.

    Raises:
        FetchError: NameUnknown, AddressRefused, ConnectFailed or TimedOut.
    """
    end = time.monotonic() + flight.remaining(CONNECT_SECONDS)
    host = host.strip("[]")
    name = host.rstrip(".")  # a dot at the end means something to the resolver only
    allowed, rule = [], None
    for endpoint in endpoints_of(host, port, flight, end - time.monotonic()):
        refusal = flight.permit.refusal(name, endpoint.address, first=flight.first) if guarded else None
        rule = rule or refusal
        if refusal is None:
            allowed.append(endpoint)
    if not allowed:
        raise flight.refused(rule or "it has no address")
    error: FetchError | None = None
    for number, endpoint in enumerate(allowed):
        left = end - time.monotonic()
        if left <= 0 or flight.ended:
            break
        try:
            sock = _connect(endpoint, flight, max(left / (len(allowed) - number), min(left, LEAST_CONNECT_SECONDS)))
        except TimeoutError:
            error = TimedOut(flight.url, TimedOut.CONNECTION, CONNECT_SECONDS)
        except OSError as failure:
            error = ConnectFailed(flight.url, failure.strerror or type(failure).__name__)
        else:
            sock.settimeout(flight.remaining(CONNECT_SECONDS))  # for a TLS handshake
            if guarded and flight.first:
                flight.permit.refusal(name, endpoint.address, first=True)  # so that it knows which one was taken
            return sock, endpoint.address
    raise error or TimedOut(flight.url, TimedOut.CONNECTION, CONNECT_SECONDS)


class _Socket(socket.socket):
    """A socket that ignores a timeout which it already has.

    urllib3 sets it twice a request, and each time the thread releases the interpreter and queues behind the other
    workers.
    """

    def settimeout(self, value: float | None) -> None:
        """Set the timeout, if it differs."""
        if value != self.gettimeout():
            super().settimeout(value)


def _connect(endpoint: Endpoint, flight: Flight, seconds: float) -> socket.socket:
    sock = _Socket(endpoint.family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        flight.watch(sock)  # while it connects too
        sock.connect(endpoint.target)
    except OSError:
        flight.let_go()
        sock.close()
        raise
    return sock


def check_names(host: str, port: int, flight: Flight) -> None:
    """Check every address of a host that a proxy will connect to for us (S9).

    A name that this machine can't resolve is checked by its form alone: in many networks only the proxy resolves names.

    Raises:
        FetchError: TimedOut if the fetch has no time left; AddressRefused if the form of the name is refused, or one of
            its addresses, since the proxy may choose any.
    """
    name = host.strip("[]").rstrip(".")
    try:
        endpoints = endpoints_of(host.strip("[]"), port, flight, flight.remaining(PROXIED_LOOKUP_SECONDS))
    except (NameUnknown, TimedOut):
        if flight.ended:
            raise
        refusals = [flight.permit.refusal_of_name(name)]
    else:
        refusals = [flight.permit.refusal(name, endpoint.address, first=flight.first) for endpoint in endpoints]
    if refusal := next(filter(None, refusals), None):
        raise flight.refused(refusal)


class _Guarded(HTTPConnection):
    response_class = Head

    peer: Address | None = None  # None: a proxy, the operator's own choice
    rested_at = 0.0
    served = 0  # requests on the socket as it is
    _judged: Flight | None = None
    _peer_text: str | None = None

    def _new_conn(self) -> socket.socket:  # the one hook that http and https go through
        flight = under_way()
        try:
            sock, address = connect(self._dns_host, self.port, flight, guarded=self.proxy is None)
        except FetchError as error:
            no_proxy = ConnectFailed(flight.url, "the proxy can't be reached; see proxy: in feeds.yaml")
            raise Fault(error if self.proxy is None or flight.ended else no_proxy) from error
        self.peer = address if self.proxy is None else None
        self._peer_text = str(plain(address)) if self.proxy is None else None  # of a proxy it would tell nothing (P61)
        self.served, self._judged = 0, flight
        if flight.first:
            flight.peer = self._peer_text
        return sock

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **rest: Any) -> None:
        """Send a request; on a kept connection, after it was judged for this fetch."""
        flight = under_way()
        if self.sock is not None:
            flight.watch(self.sock)
            if flight.first:
                flight.peer = self._peer_text
            if self.peer is not None and self._judged is not flight:
                refusal = flight.permit.refusal(self.host.strip("[]"), self.peer, first=flight.first)
                if refusal is not None:
                    raise Fault(flight.refused(refusal))
                self._judged = flight
        flight.kept = self.sock is not None and self.served > 0
        super().request(method, url, body, headers, **rest)
        self.served += 1

    def putheader(self, header: str, *values: Any) -> None:  # type: ignore[override]  # wider than urllib3's
        """Add a header; urllib3 would first look for its marks to leave one out, of which we make none."""
        HTTPClientConnection.putheader(self, header, *values)

    def rest(self) -> None:
        """Note that nobody uses it now."""
        self.rested_at, self._judged = time.monotonic(), None


class GuardedHTTPConnection(_Guarded):
    """A plain connection."""


class GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    """A TLS connection."""


class _Rested:
    """A pool whose connections are detached from the fetch before another may have them, and expire (P86)."""

    used_at = 0.0

    def is_idle(self) -> bool:
        """Return whether no connection was taken or returned for a minute."""
        return time.monotonic() - self.used_at > IDLE_SECONDS

    def _get_conn(self, timeout: float | None = None) -> Any:
        self.used_at = now = time.monotonic()
        connection = super()._get_conn(timeout)  # type: ignore[misc]  # of the pool this is mixed into
        if connection.sock is not None and (under_way().fresh or now - connection.rested_at > IDLE_SECONDS):
            connection.close()  # it connects anew when it is used
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            under_way().let_go()
            conn.rest()
        self.used_at = time.monotonic()
        super()._put_conn(conn)  # type: ignore[misc]  # as above


class GuardedHTTPPool(_Rested, HTTPConnectionPool):
    """Plain connections to one host."""

    ConnectionCls = GuardedHTTPConnection


class GuardedHTTPSPool(_Rested, HTTPSConnectionPool):
    """TLS connections to one host."""

    ConnectionCls = GuardedHTTPSConnection


class WatchedSocket(_Socket, ssl.SSLSocket):
    """A TLS socket that is registered before the handshake, so that the handshake can be ended."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, within the limits of the fetch."""
        flight = under_way()
        flight.watch(self)
        try:
            super().do_handshake(block)
        except TimeoutError as error:
            self.close()
            raise Fault(TimedOut(flight.url, "TLS handshake", CONNECT_SECONDS)) from error
