"""State of one fetch, and the fields that every answer has."""

from datetime import datetime, timedelta
from typing import TypedDict

from urllib3.response import HTTPResponse

from aggregator.errors import BadStatus, FetchError, TimedOut
from aggregator.fetch.flight import Ended, Flight
from aggregator.fetch.guard import Guard
from aggregator.fetch.redirects import Chain
from aggregator.model.ask import Ask
from aggregator.model.entry import NO_HINTS, Hints
from aggregator.model.poll import Answer, Aside, Cut, Failed, Hop
from aggregator.urls import Url


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
