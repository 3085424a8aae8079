"""State of one fetch, and the redirects that it follows: which, how far, and what is not sent to other origins.

requests would follow 30 of them, send our validators and the operator's headers to other hosts, and not report the
hops (P24, P25, P40 to P46, S2, S7).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypedDict
from urllib.parse import quote_from_bytes, urlsplit

from urllib3.response import HTTPResponse

from aggregator.errors import AddressRefused, BadRedirect, BadStatus, FetchError, TimedOut
from aggregator.fetch.flight import REDIRECTED, Ended, Flight
from aggregator.fetch.guard import Guard
from aggregator.model.ask import Ask
from aggregator.model.entry import NO_HINTS, Hints
from aggregator.model.poll import Answer, Aside, Cut, Failed, Hop
from aggregator.urls import BadUrl, Url, normalise, normalise_link, split_credentials

FOLLOWED = frozenset({301, 302, 303, 307, 308})
KEEP_METHOD = frozenset({307, 308})  # the others turn a POST into a GET (RFC 9110, section 15.4)
MAX_REDIRECTS = 5
MAX_LOCATION = 8 * 1024  # bytes

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What listens on a machine and is not a publisher's web server (S7). All below 32768, where passing ports begin.
SERVICE_PORTS = frozenset(
    {
        1080, 1433, 1434, 1521, 1723, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3260, 3268, 3306, 3389, 3690,
        4369, 4505, 4506, 5060, 5222, 5269, 5432, 5601, 5671, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6380,
        6443, 6514, 6667, 6697, 7001, 7199, 7474, 7687, 8086, 8125, 8200, 8300, 8500, 8600, 9042, 9092, 9100, 9160,
        9200, 9300, 9418, 10050, 10051, 10250, 10255, 11211, 15672, 16379, 25672, 26379, 27017, 27018, 27019, 28015,
    }
)  # fmt: skip


@lru_cache(maxsize=4096)  # asked for several times in each fetch
def origin_of(url: Url) -> tuple[str, str, int]:
    """Return scheme, host and port: the origin that the operator's headers are sent to (P45)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def is_web_port(port: int) -> bool:
    """Return whether a stranger may name this port: one that web servers have, and no other service (S7)."""
    return port in (80, 443) or (port >= 1024 and port not in SERVICE_PORTS)


class Chain:
    """The hops of one fetch: the current URL, earlier ones, and whether the origin was left.

    Args:
        start: the URL in use.
        configured: the URL in feeds.yaml; its origin alone gets the operator's headers.
        is_own: it stands in feeds.yaml, and not in a list that a stranger keeps: then its port is allowed.
    """

    def __init__(self, start: Url, configured: Url, *, is_own: bool = True) -> None:
        self.url = start
        self.hops: tuple[Hop, ...] = ()
        self.met: tuple[Url, ...] = ()  # where redirects led, as they said it: with user and password, refused ones too
        self._home = origin_of(configured)
        self._is_own = is_own
        self._seen = {start}
        self.is_home = start == configured or origin_of(start) == self._home  # once away, away to the end (P45)

    def check(self) -> None:
        """Refuse the start as well if its scheme or port isn't allowed: it may be a link from a feed.

        Raises:
            AddressRefused: the rule (S2, S7).
        """
        if rule := self._refusal(self.url):
            raise AddressRefused(self.url, rule)

    def _refusal(self, url: Url) -> str | None:
        scheme, _, port = origin_of(url)
        if scheme not in _DEFAULT_PORTS:
            return "only http and https are fetched"
        if not (self._is_own and port == self._home[2]) and not is_web_port(port):
            return f"port {port} is no web server's; write it into feeds.yaml if this one is"
        return None

    def follow(self, status: int, locations: Sequence[str]) -> None:
        """Follow a redirect.

        Args:
            status: one of `FOLLOWED`.
            locations: the Location headers as received, bytes read as Latin-1.

        Raises:
            BadRedirect: it leads nowhere, in a circle, too far, or from https to http.
            AddressRefused: as `check`.
        """
        target = self._target(locations)
        if target in self._seen:
            raise BadRedirect(self.url, "it leads in a circle")
        if len(self.hops) == MAX_REDIRECTS:
            raise BadRedirect(self.url, f"there are over {MAX_REDIRECTS} in a row")
        if self.url.startswith("https:") and not target.startswith("https:"):
            raise BadRedirect(self.url, "it leads from https to http")
        if rule := self._refusal(target):
            raise AddressRefused(self.url, REDIRECTED + rule)
        self.hops = (*self.hops, Hop(url=self.url, status=status))
        self._seen.add(target)
        self.url = target
        self.is_home = self.is_home and origin_of(target) == self._home

    def _target(self, locations: Sequence[str]) -> Url:
        if not locations or not locations[0]:
            raise BadRedirect(self.url, "it has no Location")
        if len(set(locations)) > 1:
            raise BadRedirect(self.url, "it has several Locations")
        raw = locations[0].encode("latin-1", "replace")
        if len(raw) > MAX_LOCATION:
            raise BadRedirect(self.url, f"its Location has over {MAX_LOCATION:,} bytes")
        try:
            text = raw.decode()  # then it is percent-encoded as UTF-8, and a host as IDNA
        except UnicodeDecodeError:
            text = quote_from_bytes(raw, safe=bytes(range(128)))  # some other encoding: byte by byte
        text = text.strip(" \t").replace(" ", "%20")  # many send file names as they are; in a host it stays no host
        try:
            said = normalise_link(text, self.url)
            self.met = (*self.met, said)
            target, _ = split_credentials(normalise(said))  # a stranger's user and password are not sent
        except BadUrl as error:
            raise BadRedirect(self.url, f"its Location {error}") from error
        return target


class Trip:
    """One fetch. Belongs to one thread."""

    def __init__(self, ask: Ask, guard: Guard, asked_at: datetime) -> None:
        self.ask = ask
        self.asked_at = asked_at
        self.chain = Chain(ask.url, ask.configured, is_own=ask.own_port)
        self.flight = Flight(guard.permit(ask.configured), ask.timeout.total_seconds())
        self.hints = NO_HINTS
        self.status: int | None = None  # of the last response
        self.skew: timedelta | None = None  # likewise
        self.conditional = False  # the last request carried a validator
        self.is_further = ask.is_further  # its host was asked a moment ago: it waits for the spacing
        self.is_large = False  # its body has a place among the large ones (R42)
        self.asides: tuple[Aside, ...] = ()  # further requests of this fetch
        self.reading: HTTPResponse | None = None  # the response that is open now

    def said(self) -> "Common":
        """Return the fields that every answer has."""
        flight = self.flight
        return {
            "asked_at": self.asked_at,
            "seconds": flight.taken(),
            "wire_bytes": flight.received + (self.reading.tell() if self.reading is not None else 0),
            "hops": self.chain.hops,
            "met": self.chain.met,
            "hints": self.hints,
            "peer": flight.peer,
            "conditional": self.conditional,
            "skew": self.skew,
            "asides": self.asides,
        }

    def failed(self, error: FetchError) -> Answer:
        """Return the answer of a fetch that failed, or that we ended: then an error is our doing."""
        if self.flight.ended is Ended.CUT:
            return Cut(**self.said())
        if self.flight.ended is Ended.OVERDUE and not isinstance(error, BadStatus):
            error = TimedOut(self.chain.url, TimedOut.WHOLE, self.flight.seconds)
        # the record outlives the fetch: it must not hold frames, and with them bodies and sockets
        error.__traceback__ = error.__context__ = error.__cause__ = None
        return Failed.of(error, Failed(**self.said(), status=self.status))


class Common(TypedDict):
    """The fields of `Exchange`."""

    asked_at: datetime
    seconds: float
    wire_bytes: int
    hops: tuple[Hop, ...]
    met: tuple[Url, ...]
    hints: Hints
    peer: str | None
    conditional: bool
    skew: timedelta | None
    asides: tuple[Aside, ...]
