"""Whose fault it is that nobody can be reached: the publishers', or the network's, and then nobody is blamed (P87).

A poll that failed on its way is held back until that is known: until somebody else answers, until two minutes are over,
or until so many have failed that the network must be down. Public hosts and the operator's own machines are judged
apart: a machine in the cupboard answers without a network, and one that is switched off says nothing of the world.
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

FAULTS = 10  # polls that failed on their way, at least
HOSTS = 5  # and host keys they went to, at least: then it is the network
WINDOW = 120.0  # seconds within which they failed, and for which one is held back
PROBE = 60.0  # seconds between two probes
GOOD_HOSTS = 16  # that answered last, and are probed in turn

Item = TypeVar("Item")


class Sign(Enum):
    """What a poll says of the network."""

    ANSWER = "answer"  # it is there: a 500 is an answer too
    FAULT = "fault"  # no address, or no connection
    NOTHING = "nothing"


def sign_of(poll: Gathered[Job]) -> Sign:
    """Read what a poll says of the network.

    A redirect that led nowhere says that whoever sent it was reached. A local file says nothing.
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
    """What is to become of polls now; those in neither are held."""

    charged: tuple[Item, ...] = ()  # theirs: settle them, whatever they brought
    spared: tuple[Item, ...] = ()  # the network's: count them against nobody


class HostClassMonitor(Generic[Item]):
    """How far the network reaches one class of hosts. It has no thread and no lock.

    Args:
        steady: tells the time in seconds, from any beginning.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._held: deque[tuple[float, str, Item]] = deque()  # failed since the last answer, oldest first
        self._down_at: float | None = None
        self._good: OrderedDict[str, None] = OrderedDict()  # hosts that answered, the last one last
        self._probe_at = 0.0  # no probe before

    @property
    def held(self) -> int:
        """How many polls wait for a verdict."""
        return len(self._held)

    @property
    def down_seconds(self) -> float | None:
        """For how long the network has been down, from the first failure on; None if it is not."""
        return None if self._down_at is None else self._steady() - self._down_at

    def tell(self, item: Item, host: str, sign: Sign) -> Verdict[Item]:
        """Hear of a poll, and say what is to become of it and of those held."""
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
            return Verdict(spared=(item,))
        expired = self.lapse()
        self._held.append((self._steady(), host, item))
        if len(self._held) < FAULTS or len({host for _, host, _ in self._held}) < HOSTS:
            return Verdict(expired)
        self._down_at = self._held[0][0]
        self._probe_at = 0.0  # the first one at once: a false alarm is over in a second
        return Verdict(expired, self.drain())

    def lapse(self) -> tuple[Item, ...]:
        """Give those that were held long enough: too few failed with them, so that it was theirs."""
        return tuple(self._overdue(self._steady() - WINDOW))

    def drain(self) -> tuple[Item, ...]:
        """Give all that are held; what becomes of them is for the caller to say."""
        drained = tuple(item for _, _, item in self._held)
        self._held.clear()
        return drained

    def wants_probe(self) -> bool:
        """Tell whether it is time to look if the network is back."""
        return self._down_at is not None and self._steady() >= self._probe_at

    def probe_hosts(self) -> Sequence[str]:
        """Give the hosts that answered last, the one to probe first at the beginning."""
        return tuple(reversed(self._good))

    def note_probe(self, host: str) -> None:
        """Note that a host is being probed: it is the last one's turn again."""
        self._probe_at = self._steady() + PROBE
        if host in self._good:
            self._good.move_to_end(host, last=False)

    def _overdue(self, until: float) -> Iterator[Item]:
        while self._held and self._held[0][0] <= until:
            yield self._held.popleft()[2]


class NetworkMonitor(Generic[JobT]):
    """Both classes of hosts, and what their verdicts mean for polls. It has no thread and no lock.

    Args:
        steady: as for `Reach`.
        hosts: how many hosts of the operator's own there are, or of others. With too few an outage can't be told from
            hosts that are down, and nothing is held: a new operator sees at once what can't be reached.
    """

    def __init__(self, steady: Callable[[], float], hosts: Callable[[bool], int] = lambda own: HOSTS) -> None:
        self._hosts = hosts
        self.public: HostClassMonitor[Gathered[JobT]] = HostClassMonitor(steady)
        self.own: HostClassMonitor[Gathered[JobT]] = HostClassMonitor(steady)
        self._probed: dict[JobId, JobT] = {}  # fetched in vain since the network went down
        self._probing: set[JobId] = set()  # under way

    @property
    def held(self) -> int:
        """How many polls wait for a verdict."""
        return self.public.held + self.own.held

    def judge(self, poll: Gathered[JobT]) -> Sequence[Gathered[JobT]]:
        """Give what is to be settled now that a poll came back: it, others that waited for it, or nothing yet."""
        job = poll.job
        reach = self.own if job.source.own_machine else self.public
        sign = sign_of(poll)
        if sign is Sign.FAULT and self._hosts(job.source.own_machine) < HOSTS:
            sign = Sign.NOTHING
        told = reach.tell(poll, job.host_key, sign)
        is_probe = job.id in self._probing
        self._probing.discard(job.id)
        ready = list(told.charged)
        for spared in told.spared:
            in_vain = is_probe and spared is poll
            if in_vain:
                self._probed[job.id] = job
            ready.append(_unreached(spared, waits=in_vain or reach is self.own))  # or it would be asked at once again
        return ready

    def lapse(self) -> Sequence[Gathered[JobT]]:
        """Give the polls that were held long enough, to be charged."""
        return [*self.public.lapse(), *self.own.lapse()]

    def drain(self, *, charged: bool) -> Sequence[Gathered[JobT]]:
        """Give all that are held: to be charged, or to be put back."""
        held = [*self.public.drain(), *self.own.drain()]
        return held if charged else [_unreached(poll, waits=False) for poll in held]

    def outage(self, now: datetime, before: Outage) -> Outage:
        """Say since when what has been down.

        Args:
            now: the time.
            before: what was said last; what goes on began then.
        """
        return Outage(
            public=_since(self.public.down_seconds, now, before.public),
            own=_since(self.own.down_seconds, now, before.own),
        )

    def wants_probe(self) -> bool:
        """Tell whether it is time to look if the public network is back."""
        return self.public.wants_probe()

    def begin_probe(self, job: JobT) -> None:
        """Note who is being asked."""
        self._probing.add(job.id)
        self._probed.pop(job.id, None)
        self.public.note_probe(job.host_key)

    def end_probes(self) -> Sequence[JobT]:
        """Give the sources that were asked in vain, to be put back where they were, now that the network is there."""
        probed, self._probed = self._probed, {}
        return list(probed.values())


def _since(seconds: float | None, now: datetime, before: datetime | None) -> datetime | None:
    return None if seconds is None else before or now - timedelta(seconds=seconds)


def _unreached(poll: Gathered[JobT], *, waits: bool) -> Gathered[JobT]:
    return Gathered(poll.job, Unreached(asked_at=poll.answer.asked_at, waits=waits))
