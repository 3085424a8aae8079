"""`Client.fetch`: the one way to the network, and to local files (S1)."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Final, Protocol, Self

from urllib3.response import HTTPResponse
from urllib3.util import Timeout

from aggregator.clock import Clock
from aggregator.errors import ConnectionLost, FetchError, RobotsRefused, TimedOut, TlsFailed
from aggregator.fetch.adapter import Adapter
from aggregator.fetch.bodies import Bodies
from aggregator.fetch.connection import check_names
from aggregator.fetch.crawl import RobotsCache, is_disallowed, is_fresh, is_known, may_be_asked
from aggregator.fetch.faults import RAISED, READ_SECONDS, translate
from aggregator.fetch.flight import Crowded, Ended, Watch
from aggregator.fetch.guard import Guard
from aggregator.fetch.header_hints import hints_of, http_date
from aggregator.fetch.reading import read_answer, read_local, read_rest
from aggregator.fetch.request import ACCEPT_ROBOTS, Headers, headers_of, is_conditional
from aggregator.fetch.resolver import addresses_of
from aggregator.fetch.trip import FOLLOWED, KEEP_METHOD, Trip, origin_of
from aggregator.model.ask import GET, Ask
from aggregator.model.entry import NO_HINTS
from aggregator.model.hosts import budget_key
from aggregator.model.poll import Answer, Cut, Fetched, Unreached, asides_of
from aggregator.model.settings import HostRule, Request, Secret
from aggregator.urls import Url

PASSAGE_SECONDS: Final = 4.0  # longest wait for a host that a redirect leads to

_TIMEOUT = Timeout(connect=READ_SECONDS, read=READ_SECONDS)  # of one step; the whole fetch has its own limit


class Passage(Protocol):
    """Waits for room at a host: see `Budgets.passage`."""

    def __call__(
        self, key: str, seconds: float, is_over: Callable[[], bool] = ..., /
    ) -> AbstractContextManager[bool]: ...


class Client:
    """Sends requests. One for the whole program; threads share it.

    Connections are kept for a minute, 128 hosts at most, and the threads share them.

    Args:
        user_agent: value of User-Agent (P75).
        clock: for `asked_at`, and in place of a missing Date.
        hosts: of the settings; those with `allow_private` open private addresses (S6).
        proxy: the URL of an HTTP proxy, with its credentials, for requests that name none; the environment's is never
            used (P85).
        tls: another trust store than the system's.
        bodies: limits the memory of bodies (R42); a caller that gets `Fetched` must release it. None: no limit.
        passage: waits for room at a host (P61) before a request that a redirect leads to another host key, or that is
            not the first of its poll. Called with the key, the longest wait in seconds and a function that returns
            whether the fetch has ended; yields whether the request may be sent; held until the response came.
        sites: cache of robots.txt.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Clock,
        hosts: Sequence[HostRule] = (),
        proxy: Secret | None = None,
        tls: ssl.SSLContext | None = None,
        bodies: Bodies | None = None,
        passage: Passage | None = None,
        sites: RobotsCache | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._clock = clock
        self._hosts = tuple(hosts)
        self._guard = Guard(hosts, addresses_of)
        self._bodies, self._passage = bodies, passage
        self.sites = sites or RobotsCache()
        self._tls, self._proxy = tls, None if proxy is None else str.__str__(proxy)
        self._adapters = {self._proxy: Adapter(tls=tls, proxy=self._proxy)}  # by proxy; those of sources at first use
        self._adding = Lock()
        self._watch = Watch(self._sweep)

    def fetch(self, ask: Ask) -> Answer:
        """Send a request and follow redirects, in no more than its `timeout`.

        Faults of the publisher, or of a file, are returned as `Failed`, with hints, hops and bytes so far. `Cut` means
        that we ended the fetch, or that limits of our own left no room for it.
        """
        trip = Trip(ask, self._guard, self._clock())
        answer = self._answer(trip)
        if trip.is_large and not isinstance(answer, Fetched) and self._bodies is not None:
            self._bodies.release(ask)
        return answer

    def _answer(self, trip: Trip) -> Answer:
        error: FetchError
        try:
            answer: Answer | None = None
            while answer is None and trip.flight.ended is None:
                if trip.ask.obeys_robots and (barred := self._barred(trip)) is not None:
                    return barred
                with self._watch.over(trip.flight):
                    answer = self._walk(trip) if trip.ask.path is None else read_local(trip, partial(self._grow, trip))
            if answer is not None and trip.flight.ended is None:
                return answer
            error = TimedOut(trip.ask.url, TimedOut.WHOLE, trip.flight.seconds)
        except Crowded:
            if trip.flight.ended is Ended.CUT:
                return Cut(**trip.said())
            return Unreached(**trip.said(), waits=True)  # the own host was asked, so not again at once (P52)
        except FetchError as fault:
            error = fault
        except RAISED as fault:
            error = translate(fault, trip.chain.url)
        return trip.failed(error)

    def _barred(self, trip: Trip) -> Answer | None:
        """Fetch the robots.txt of a page's site, or of one that it redirects to, if need be; None if the page is
        allowed (P89).

        That is one more request to the host: the page itself then waits for the spacing.

        Raises:
            RobotsRefused: the page is disallowed.
        """
        page = trip.chain.url
        is_first = trip.flight.came_from is None

        def fetch(url: Url) -> Answer:
            ask = Ask(
                url=url,
                configured=trip.ask.configured,
                host_key=trip.ask.host_key if is_first else budget_key(page, self._hosts),
                accept=ACCEPT_ROBOTS,
                headers=trip.ask.headers,
                auth=trip.ask.auth,
                timeout=trip.ask.timeout,
                own_port=trip.ask.own_port,
                proxy=trip.ask.proxy,
                is_further=trip.ask.is_further or not is_first,
            )
            answer = self.fetch(ask)
            trip.asides += asides_of(ask.host_key, answer)
            if self._bodies is not None:
                self._bodies.release(ask)
            return answer

        answer = may_be_asked(self.sites, page, trip.asked_at, fetch)
        trip.is_further = trip.is_further or answer is not None
        return None if is_known(answer, self.sites, page) else answer

    def _adapter_of(self, ask: Ask) -> Adapter:
        """Return the transport through the proxy of a source, or through that of all."""
        proxy = self._proxy if ask.proxy is None else str.__str__(ask.proxy) or None
        if proxy not in self._adapters:
            with self._adding:
                if proxy not in self._adapters:
                    self._adapters = {**self._adapters, proxy: Adapter(tls=self._tls, proxy=proxy)}
        return self._adapters[proxy]

    def _sweep(self) -> bool:
        """Close idle connections; return whether some are left."""
        return any([adapter.sweep() for adapter in self._adapters.values()])

    def cut(self) -> None:
        """End every fetch under way, and each later one at once: the program stops (R54)."""
        self._watch.cut()

    def close(self) -> None:
        """Cut, and close all connections and threads."""
        self._watch.close()
        for adapter in [*self._adapters.values()]:
            adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _walk(self, trip: Trip) -> Answer | None:
        """Follow redirects until a response is not a redirect.

        Returns:
            None where the next hop leads to a site whose robots.txt is unknown; then call again.
        """
        chain, flight = trip.chain, trip.flight
        chain.check()
        key = trip.ask.host_key  # the job has taken its room
        request = trip.ask.request
        with ExitStack() as passages:
            if trip.is_further:
                key = budget_key(chain.url, self._hosts)
                self._pass(trip, key, passages, seconds=trip.flight.patience())  # the spacing may be long
            while True:
                if flight.came_from is not None and (target := budget_key(chain.url, self._hosts)) != key:
                    passages.close()
                    self._pass(trip, target, passages, seconds=min(PASSAGE_SECONDS, trip.flight.patience()))
                    key = target
                headers = headers_of(
                    trip.ask, chain.url, user_agent=self._user_agent, is_home=chain.is_home, request=request
                )
                trip.hints, trip.status, trip.skew = NO_HINTS, None, None
                trip.conditional = is_conditional(headers)
                trip.reading = answer = self._ask(trip, headers, request)
                try:
                    self._note(trip, answer)
                    if answer.status not in FOLLOWED or request.is_notice:
                        return read_answer(trip, answer, headers, partial(self._grow, trip))
                    read_rest(trip, answer)
                    flight.came_from = chain.url
                    chain.follow(answer.status, answer.headers.getlist("location"))
                    if trip.ask.obeys_robots:
                        if is_disallowed(self.sites, chain.url):
                            raise RobotsRefused(chain.url)
                        if not is_fresh(self.sites, chain.url, trip.asked_at):
                            return None
                    if answer.status not in KEEP_METHOD or not chain.is_home:
                        request = GET  # a posted body is never sent to another origin (P45)
                finally:
                    flight.received += answer.tell()
                    trip.reading = None
                    answer.close()
                    answer.release_conn()

    def _note(self, trip: Trip, answer: HTTPResponse) -> None:
        """Record what the head of a response says whatever its status is (P37, P53 to P56, P88)."""
        trip.status, received = answer.status, self._clock()
        sent = http_date(answer.headers.get("date", ""))
        if sent is not None:
            trip.skew = sent - received
        trip.hints = hints_of(answer.headers, sent or received)

    def _pass(self, trip: Trip, key: str, passages: ExitStack, *, seconds: float) -> None:
        """Wait for room at a host that a redirect leads to, or that was asked a moment ago (P61).

        Raises:
            Crowded: there was none in time.
        """
        if self._passage is None:
            return
        with self._watch.paused(trip.flight):
            may_pass = passages.enter_context(self._passage(key, seconds, lambda: trip.flight.ended is not None))
        if not may_pass:
            raise Crowded

    def _grow(self, trip: Trip, size: int) -> None:
        """Reserve memory for a body of `size` bytes; a large one waits for a place (R42).

        Raises:
            Crowded: there was none in time.
        """
        if self._bodies is None or trip.is_large or size <= self._bodies.small_bytes:
            return
        with self._watch.paused(trip.flight):
            trip.is_large = self._bodies.take(trip.ask, trip.flight, trip.flight.patience())
        if not trip.is_large:
            raise Crowded

    def _ask(self, trip: Trip, headers: Headers, request: Request) -> HTTPResponse:
        """Send one request.

        The server may close a kept connection at the moment we reuse it. That is not a fault of the publisher, and no
        retry in the sense of P32: the server never saw the request, which is sent again (RFC 9112, section 9.3.1), once
        and on a new connection. What an operator lets us post is a query: sending it twice does no harm.
        """
        flight, url = trip.flight, trip.chain.url
        if flight.ended:
            raise TimedOut(url, TimedOut.WHOLE, flight.seconds)
        flight.url, flight.kept, flight.fresh, flight.answered = url, False, False, False
        adapter = self._adapter_of(trip.ask)
        if adapter.proxy is not None:
            _, host, port = origin_of(url)
            check_names(host, port, flight)
        try:
            return adapter.ask(url, headers, _TIMEOUT, request)
        except RAISED as error:
            is_lost = isinstance(translate(error, url), (ConnectionLost, TlsFailed))
            if flight.ended or flight.answered or not flight.kept or not is_lost:
                raise
        flight.fresh = True
        return adapter.ask(url, headers, _TIMEOUT, request)
