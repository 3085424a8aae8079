"""Decides whether failed polls are the fault of their hosts or of our network; then no source is charged (P87).

A poll that failed to connect is held until that is known: until another host answers, until two minutes are over, or
until so many polls have failed that the network must be down. Public hosts and the operator's own machines are judged
separately: a local machine answers without a network, and a local machine that is switched off says nothing about the
network.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Generic, TypeVar

from aggregator.errors import TimedOut
from aggregator.model.job import Gathered, Job, JobId, JobT
from aggregator.model.poll import Answer, Cut, Failed, Unreached
from aggregator.model.status import Outage

FAULTS = 10  # least number of polls that failed to connect
HOSTS = 5  # and of their host keys, for the network to be down
WINDOW = 120.0  # seconds within which they failed, and for which a poll is held
PROBE = 60.0  # seconds between two probes
GOOD_HOSTS = 16  # hosts that answered last, which are probed in turn

Item = TypeVar("Item")


class Sign(Enum):
    """Evidence that a poll gives about the network."""

    ANSWER = "answer"  # the host was reached: a 500 is an answer too
    FAULT = "fault"  # no address, or no connection
    NOTHING = "nothing"


def sign_of(poll: Gathered[Job]) -> Sign:
    """Return what a poll says about the network.

    A redirect that led nowhere shows that its sender was reached. A local file says nothing.
    """
    answer: Answer = poll.answer
    if isinstance(answer, Cut) or poll.job.source.is_local:
        return Sign.NOTHING
    if not isinstance(answer, Failed) or answer.status is not None or answer.hops:
        return Sign.ANSWER
    if isinstance(answer.error, TimedOut):
        return Sign.FAULT if answer.error.phase in TimedOut.UNCONNECTED else Sign.NOTHING
    return Sign.FAULT if answer.code in ("dns", "connect") else Sign.NOTHING


@dataclass(frozen=True, slots=True)
class Verdict(Generic[Item]):
    """Which held polls to settle now. Polls in neither list stay held."""

    charged: tuple[Item, ...] = ()  # settle these, with whatever they brought
    uncharged: tuple[Item, ...] = ()  # the network's fault: no source is charged


class HostClassMonitor(Generic[Item]):
    """Monitor of one class of hosts. It has no thread and no lock.

    Args:
        steady: returns the seconds of a monotonic clock.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._held: deque[tuple[float, str, Item]] = deque()  # failed since the last answer, oldest first
        self._down_at: float | None = None
        self._good: OrderedDict[str, None] = OrderedDict()  # hosts that answered, the last one last
        self._probe_at = 0.0  # no probe before

    @property
    def held(self) -> int:
        """Number of polls that are held."""
        return len(self._held)

    @property
    def down_seconds(self) -> float | None:
        """For how many seconds the network has been down, from the first failure on; None if it is up."""
        return None if self._down_at is None else self._steady() - self._down_at

    def tell(self, item: Item, host: str, sign: Sign) -> Verdict[Item]:
        """Record a poll, and decide about it and about those held."""
        if sign is Sign.NOTHING:
            return Verdict((item,))
        if sign is Sign.ANSWER:
            self._down_at = None
            self._good.pop(host, None)
            self._good[host] = None
            if len(self._good) > GOOD_HOSTS:
                self._good.popitem(last=False)
            return Verdict((item, *self.drain()))
        if self._down_at is not None:
            return Verdict(uncharged=(item,))
        expired = self.lapse()
        self._held.append((self._steady(), host, item))
        if len(self._held) < FAULTS or len({host for _, host, _ in self._held}) < HOSTS:
            return Verdict(expired)
        self._down_at = self._held[0][0]
        self._probe_at = 0.0  # the first probe at once: a false alarm ends within a second
        return Verdict(expired, self.drain())

    def lapse(self) -> tuple[Item, ...]:
        """Return the polls that were held long enough: too few others failed with them to blame the network."""
        return tuple(self._overdue(self._steady() - WINDOW))

    def drain(self) -> tuple[Item, ...]:
        """Return all held polls; the caller decides about them."""
        drained = tuple(item for _, _, item in self._held)
        self._held.clear()
        return drained

    def wants_probe(self) -> bool:
        """Return whether it is time to probe the network."""
        return self._down_at is not None and self._steady() >= self._probe_at

    def probe_hosts(self) -> Sequence[str]:
        """Return the hosts that answered last, the next one to probe first."""
        return tuple(reversed(self._good))

    def note_probe(self, host: str) -> None:
        """Record that a host is being probed: it becomes the last one to probe."""
        self._probe_at = self._steady() + PROBE
        if host in self._good:
            self._good.move_to_end(host, last=False)

    def _overdue(self, until: float) -> Iterator[Item]:
        while self._held and self._held[0][0] <= until:
            yield self._held.popleft()[2]


class NetworkMonitor(Generic[JobT]):
    """Monitor of both classes of hosts, and the answers that follow for polls. It has no thread and no lock.

    Args:
        steady: returns the seconds of a monotonic clock.
        hosts: returns how many hosts there are, of the operator's own machines or of others. With too few, an outage
            can't be told from hosts that are down, and nothing is held: a new operator sees at once what is
            unreachable.
    """

    def __init__(self, steady: Callable[[], float], hosts: Callable[[bool], int] = lambda own: HOSTS) -> None:
        self._hosts = hosts
        self.public: HostClassMonitor[Gathered[JobT]] = HostClassMonitor(steady)
        self.own: HostClassMonitor[Gathered[JobT]] = HostClassMonitor(steady)
        self._probed: dict[JobId, JobT] = {}  # fetched in vain since the network went down
        self._probing: set[JobId] = set()  # under way

    @property
    def held(self) -> int:
        """Number of polls that are held."""
        return self.public.held + self.own.held

    def judge(self, poll: Gathered[JobT]) -> Sequence[Gathered[JobT]]:
        """Record a poll that came back; return the polls to settle now: this one, others that were held, or none."""
        job = poll.job
        reach = self.own if job.source.own_machine else self.public
        sign = sign_of(poll)
        if sign is Sign.FAULT and self._hosts(job.source.own_machine) < HOSTS:
            sign = Sign.NOTHING
        told = reach.tell(poll, job.host_key, sign)
        is_probe = job.id in self._probing
        self._probing.discard(job.id)
        ready = list(told.charged)
        for uncharged in told.uncharged:
            in_vain = is_probe and uncharged is poll
            if in_vain:
                self._probed[job.id] = job
            ready.append(_unreached(uncharged, waits=in_vain or reach is self.own))  # not at once
        return ready

    def lapse(self) -> Sequence[Gathered[JobT]]:
        """Return the polls that were held long enough, to be charged to their sources."""
        return [*self.public.lapse(), *self.own.lapse()]

    def drain(self, *, charged: bool) -> Sequence[Gathered[JobT]]:
        """Return all held polls: to be charged, or to be put back."""
        held = [*self.public.drain(), *self.own.drain()]
        return held if charged else [_unreached(poll, waits=False) for poll in held]

    def outage(self, now: datetime, before: Outage) -> Outage:
        """Return since when each class of hosts has been unreachable.

        Args:
            now: the time.
            before: the last result; an outage that continues keeps its beginning.
        """
        return Outage(
            public=_since(self.public.down_seconds, now, before.public),
            own=_since(self.own.down_seconds, now, before.own),
        )

    def wants_probe(self) -> bool:
        """Return whether it is time to probe the public network."""
        return self.public.wants_probe()

    def begin_probe(self, job: JobT) -> None:
        """Record which source is being probed."""
        self._probing.add(job.id)
        self._probed.pop(job.id, None)
        self.public.note_probe(job.host_key)

    def end_probes(self) -> Sequence[JobT]:
        """Return the sources that were probed in vain, to be put back now that the network is up."""
        probed, self._probed = self._probed, {}
        return list(probed.values())


def _since(seconds: float | None, now: datetime, before: datetime | None) -> datetime | None:
    return None if seconds is None else before or now - timedelta(seconds=seconds)


def _unreached(poll: Gathered[JobT], *, waits: bool) -> Gathered[JobT]:
    return Gathered(poll.job, Unreached(asked_at=poll.answer.asked_at, waits=waits))
