"""The origin: one server, a host for each habit, and a record of all requests and responses."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from types import TracebackType
from typing import Self

from tests.feed_server import Asked, FeedServer, Reply, Talk
from tests.manners.asked_for import date_of
from tests.manners.exchange import Act, Exchange, Habit, Visit
from tests.manners.habits import http_date

COUNTED = ("Date", "Expires", "Retry-After")  # fields whose dates are relative to now
SECURE, UNPROVEN = "127.0.0.2", "127.0.0.3"  # one of the addresses in the publisher's certificate
A_HUNDRED = 100


class Origin:
    """Server of habits. A context manager.

    Args:
        habits: the habits to serve; each name once.
        clock: the fetcher's clock, used in the ledger.
    """

    def __init__(self, habits: Sequence[Habit], clock: Callable[[], datetime]) -> None:
        self.habits, self.clock = habits, clock
        self.opened_at = clock()
        self.ledger: list[Exchange] = []
        self.start = 1  # number of the current run of the fetcher
        # How to write a date relative to now for a fetcher with another clock.
        self.dated_for: Callable[[datetime], datetime] | None = None
        self._plain, self._secure, self._unproven = FeedServer(), FeedServer(tls=True), FeedServer(tls=True)
        self._visits: Counter[tuple[str, str]] = Counter()
        self._begun = 0
        self._answering: Counter[str] = Counter()  # number of requests by host
        self._changed = threading.Condition()
        self.addresses = {habit.name: self._place(habit, number) for number, habit in enumerate(habits)}

    @property
    def authority(self) -> str:
        """The path of the certificate that signs the https hosts' certificate."""
        assert self._secure.authority is not None
        return self._secure.authority

    @property
    def proxy(self) -> str:
        """The address of a proxy that refuses everything; requests to the proxy count as strays."""
        return self._plain.url("")

    def urls(self) -> Mapping[str, str]:
        """Return the address that feeds.yaml is to name, by habit."""
        return {habit.name: self._url(habit, habit.target, login=habit.login) for habit in self.habits}

    def seen_as(self, name: str) -> str:
        """Return the address of a habit as its exchanges name it: without port and login."""
        (habit,) = (habit for habit in self.habits if habit.name == name)
        scheme = "https" if habit.is_secure else "http"
        return f"{scheme}://{self.addresses[name]}/{name}/{habit.target}"

    def strays(self) -> list[str]:
        """Return the requests for which there is no habit."""
        asked = [*self._plain.asked, *self._secure.asked, *self._unproven.asked]
        return sorted({f"{one.host}{one.path}" for one in asked if (one.host, one.path) not in self._visits})

    def unproven(self) -> int:
        """Return the number of connections to the host with an untrusted certificate."""
        return self._unproven.connections

    def has_all(self, left: Mapping[str, int]) -> bool:
        """Return whether that many requests to these hosts have arrived and been answered."""
        with self._changed:
            return all(count <= self._answering[host] for host, count in left.items())

    def settled(self) -> list[Exchange]:
        """Return the ledger, once every answer has ended."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.ledger) == self._begun, 10)
            assert done, "an answer does not end"
            return sorted(self.ledger, key=lambda exchange: exchange.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._plain.close()
        self._secure.close()
        self._unproven.close()

    def _place(self, habit: Habit, number: int) -> str:
        block, place = divmod(number, A_HUNDRED)
        address = f"127.0.2.{habit.host}" if habit.host else f"127.0.1{block}.{place + 1}"
        if habit.is_secure:
            address = SECURE if habit.is_proven else UNPROVEN
        publisher = self._server(habit)
        for rest, act in habit.acts.items():
            publisher.says(f"/{habit.name}/{rest}", _Stage(origin=self, habit=habit, act=act), host=address)
        for rest, act in habit.elsewhere.items():
            self._plain.says(f"/{habit.name}/{rest}", _Stage(origin=self, habit=habit, act=act), host=habit.away)
        return address

    def _server(self, habit: Habit) -> FeedServer:
        if not habit.is_secure:
            return self._plain
        return self._secure if habit.is_proven else self._unproven

    def _url(self, habit: Habit, rest: str, *, login: str = "") -> str:
        publisher = self._server(habit)
        url = publisher.url(f"/{habit.name}/{rest}", host=self.addresses[habit.name])
        return url.replace("://", f"://{login}", 1)

    def answer(self, habit: Habit, act: Act, asked: Asked, talk: Talk) -> bool:
        """Answer a request as its habit does, and record it; return True if the connection can be kept."""
        now, began = self.clock(), time.monotonic()
        with self._changed:
            self._begun += 1
            self._answering[asked.host] += 1
            number, place = self._begun, (asked.host, asked.path)
            earlier = self._visits[place]
            self._visits[place] += 1
        visit = Visit(now=now, since=now - self.opened_at, earlier=earlier, asked=asked, port=self._plain.port)
        answer = act(visit)
        counting = _Counting(talk)
        try:
            return self._dated(answer.reply).play(asked, counting)
        finally:
            exchange = Exchange(
                number=number,
                at=now,
                began=began,
                ended=time.monotonic(),
                sent=counting.sent,
                source=habit.name,
                host=f"{talk.publisher.scheme}://{asked.host}",
                asked=asked,
                answer=replace(answer, reply=_kept(answer.reply)),
                start=self.start,
            )
            with self._changed:
                self._answering[asked.host] -= 1
                self.ledger.append(exchange)
                self._changed.notify_all()

    def _dated(self, reply: Reply) -> Reply:
        """Return an answer with its dates as the fetcher's clock has them: those from which it may count."""
        if self.dated_for is None:
            return reply
        lines = reply.headers.items() if isinstance(reply.headers, Mapping) else reply.headers
        return replace(reply, headers=[(name, self._translated(name, value)) for name, value in lines])

    def _translated(self, name: str, value: str | bytes) -> str | bytes:
        when = date_of(value) if name in COUNTED and isinstance(value, str) else None
        return http_date(self.dated_for(when)) if when and self.dated_for else value


def _kept(reply: Reply) -> Reply:
    """Return an answer with a digest for its body: a month of bodies would be much to keep."""
    return Reply(reply.status, sha256(reply.body).digest() if reply.body else b"", reply.headers)


class _Counting(Talk):
    """A connection that counts the bytes that the client reads."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk.publisher, talk.sock, talk.number)
        self.sent = 0

    def send(self, data: bytes) -> None:
        """Send bytes, and count them once they are sent."""
        super().send(data)
        self.sent += len(data)


@dataclass
class _Stage(Reply):
    """Scripted reply that takes the response of a habit."""

    origin: Origin | None = None
    habit: Habit | None = None
    act: Act | None = None

    def play(self, asked: Asked, talk: Talk) -> bool:
        """Answer as the habit does."""
        assert self.origin is not None
        assert self.habit is not None
        assert self.act is not None
        return self.origin.answer(self.habit, self.act, asked, talk)
