"""Records of what goes over the wire: a request, its response, and both together as the ledger keeps them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.feed_server import Asked, Reply


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request, as a habit sees it."""

    now: datetime
    since: timedelta  # time at which the origin opened
    earlier: int  # requests for this path before this one
    asked: Asked
    port: int  # port of the http hosts, for redirects to other hosts


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Response of the origin, and its meaning for the judge."""

    reply: Reply
    arrives: bool = True  # False if the response is incomplete
    is_feed: bool = False  # the body is a complete feed
    ttl: timedelta | None = None
    update_period: timedelta | None = None  # sy:updatePeriod and its frequency
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()  # Monday is 0

    @property
    def status(self) -> int:
        """The status, also of a response that is never complete."""
        return self.reply.status

    @property
    def lines(self) -> Sequence[tuple[str, str | bytes]]:
        """The header fields, line by line."""
        lines = self.reply.headers
        return list(lines.items() if isinstance(lines, Mapping) else lines)

    def said(self, name: str) -> str | None:
        """Return a header field, its lines joined by a comma, bytes as Latin-1; None if it is not there."""
        values = [value for key, value in self.lines if key.lower() == name.lower()]
        texts = [value.decode("latin-1") if isinstance(value, bytes) else value for value in values]
        return ", ".join(texts) if texts else None


Act = Callable[[Visit], Answer]


@dataclass(frozen=True, kw_only=True)
class Habit:
    """A source with a habit: its paths, and its settings in feeds.yaml."""

    name: str  # first segment of all paths
    acts: Mapping[str, Act]  # by the rest of the path; feeds.yaml names "feed"
    every: timedelta | None = timedelta(hours=8)  # None: auto
    schedule: str | None = None
    options: str = ""  # more settings of the source in feeds.yaml
    host: int = 0  # sources with the same number share a host; 0: a host of its own
    target: str = "feed"  # the path that feeds.yaml names, with its query
    is_secure: bool = False  # https
    is_proven: bool = True  # its certificate is
    login: str = ""  # user:password@ in the URL
    elsewhere: Mapping[str, Act] = field(default_factory=dict)  # paths on another host,
    away: str = "127.0.9.1"  # namely this one


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response, as the ledger keeps them."""

    number: int
    at: datetime  # virtual time, by the fetcher's clock
    began: float  # steady clock: when the request had arrived,
    ended: float  # and when the response was sent, or the client had left
    sent: int  # bytes of the response that the client read
    source: str  # name of the habit
    host: str  # with scheme; budgets count by this
    asked: Asked
    answer: Answer
    start: int  # run of the fetcher: 1, and one more after each restart

    @property
    def url(self) -> str:
        """The requested address, without the port."""
        return f"{self.host}{self.asked.path}"

    def __str__(self) -> str:
        names = ("If-None-Match", "If-Modified-Since", "A-IM")
        sent = " ".join(f"{name}={self.asked.headers[name]!r}" for name in names if name in self.asked.headers)
        said = " ".join(f"{name}={str(value)[:60]!r}" for name, value in self.answer.lines)
        return f"{self.at:%d %b %H:%M:%S.%f} {self.url} [{sent}] -> {self.answer.status} [{said}]"
