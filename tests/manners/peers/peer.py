"""Interface of other programs that are judged, and the days that they spend at the origin."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import ClassVar, Protocol

from tests.manners.exchange import Habit
from tests.manners.habits import HOUR
from tests.manners.ledger import Ledger
from tests.manners.origin import Origin
from tests.sample_site import START

SHARES = (0.3, 0.3, 0.2, 0.2)  # the days, with a pause and a restart between them, as for this program (month.py)
PAUSES = (timedelta(hours=7), timedelta(0), timedelta(minutes=1), timedelta(0))


class Running(Protocol):
    """A program that polls the sources."""

    def turn(self, now: datetime) -> None:
        """Make the program poll what it considers due at this time, and wait until no request is under way."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Arguments that another program needs."""

    urls: Sequence[str]  # the sources to poll
    authority: str  # path of the certificate that signs the https hosts' certificate
    proxy: str  # for all addresses but loopback: records and refuses requests


class Peer(Protocol):
    """Another program."""

    name: str
    pause: timedelta  # from the end of a turn to the next, as in its own timer
    has_real_clock: bool  # its clock can't be moved: dates are translated
    ended_by: ClassVar[Mapping[str, str]]  # habits that crash the program for all sources, and the rule that each tests

    def missing(self) -> str | None:
        """Return the missing program; None if it can run."""

    def runs(self, outside: Outside) -> AbstractContextManager[Running]:
        """Set up the program with its defaults, subscribed to the sources, none of them polled yet."""


class SteppedClock:
    """A clock that runs normally, and jumps ahead between two turns."""

    def __init__(self, now: datetime = START) -> None:
        self._now, self._since = now, monotonic()

    def __call__(self) -> datetime:
        return self._now + timedelta(seconds=monotonic() - self._since)

    def jumps(self, by: timedelta) -> None:
        """Move the clock ahead."""
        self._now += by


def as_followed(habits: Sequence[Habit], peer: Peer) -> Sequence[Habit]:
    """Return the habits for a program without feeds.yaml: polled hourly, the default of all.

    Left out are those that live by an option of feeds.yaml, and those that would end the program for all.
    """
    met = [habit for habit in habits if "headers:" not in habit.options and habit.name not in peer.ended_by]
    return [replace(habit, every=HOUR, schedule=None, options="") for habit in met]


def days_of(peer: Peer, habits: Sequence[Habit], span: timedelta) -> Ledger:
    """Run a program over the habits for some days, with restarts as for ours.

    Returns:
        What the origin saw.
    """
    clock = SteppedClock()
    with Origin(habits, clock) as origin:
        if peer.has_real_clock:
            origin.dated_for = lambda when: when - (clock() - datetime.now(UTC))
        urls = origin.urls()
        outside = Outside(urls=list(urls.values()), authority=origin.authority, proxy=origin.proxy)
        with peer.runs(outside) as running:
            for share, pause in zip(SHARES, PAUSES, strict=True):
                end = clock() + share * span
                while clock() < end:
                    running.turn(clock())
                    clock.jumps(peer.pause)
                clock.jumps(pause)
                origin.start += 1
        return Ledger(
            exchanges=origin.settled(),
            habits={habit.name: habit for habit in habits},
            addresses=_addresses(origin, urls),
            strays=origin.strays(),
            unproven=origin.unproven(),
        )


def _addresses(origin: Origin, urls: Mapping[str, str]) -> Mapping[str, str]:
    return {name: origin.seen_as(name) for name in urls}
