"""Pauses and longer spacings that hosts asked for: recorded from each response, applied by the budgets, stored (P17,
P30, P61).

The store keeps wall time, so that a pause outlives a restart and one run of a cron job binds the next. The budgets use
the steady clock.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from logging import getLogger

from aggregator.cadence.hosts import HostBackoff, after_answer, expired
from aggregator.clock import Clock
from aggregator.errors import SourceError, StoreError
from aggregator.fetch.budget import Budgets
from aggregator.fetch.crawl import RobotsCache
from aggregator.model.entry import Hints
from aggregator.model.hosts import budget_key, ruling, spacing_of, widest_spacing
from aggregator.model.job import Gathered, Job, SourceJob
from aggregator.model.poll import Cut, Exchange, Failed, Fetched, NotModified
from aggregator.model.robots import Robots
from aggregator.model.settings import HostRule, SourceKey
from aggregator.store.database import Store
from aggregator.urls import Url, normalise

log = getLogger(__name__)

BUSY = frozenset({429, 503})  # statuses that count for requests beside the poll's own


class HostLimits:
    """Host keys with a pause or a longer spacing. Threads may share it.

    Args:
        store: where they are kept; None: nowhere, in a dry run.
        budgets: apply the limits.
        clock: returns the time.
        rules: returns `hosts:` as it is in force.
        sites: cache of robots.txt; None: an empty one.
    """

    def __init__(
        self,
        store: Store | None,
        budgets: Budgets,
        clock: Clock,
        *,
        rules: Callable[[], Sequence[HostRule]],
        sites: RobotsCache | None = None,
    ) -> None:
        self.sites = sites or RobotsCache()
        self._store, self._budgets, self._clock, self._rules = store, budgets, clock, rules
        self._owed: dict[str, HostBackoff] = {}
        self._unkept: set[str] = set()
        self._lock = threading.Lock()

    def recall(self) -> None:
        """Read the limits of earlier runs, remove expired ones, and continue spacings that have begun.

        Raises:
            StoreError: the store can't be read or written.
        """
        if self._store is None:
            return
        with self._store.read() as tx:
            kept = tx.hosts.restraints()
            starts = tx.hosts.last_starts(self._clock() - widest_spacing(self._rules()))
            for robots in tx.hosts.robots():
                self.sites.learn(robots)
        self._keep_distances(self.sites.learnt())
        self.adopt(kept, starts)
        self._write()

    def adopt(self, kept: Mapping[str, HostBackoff], starts: Mapping[str, datetime]) -> None:
        """Apply limits that are not expired, by host key, and continue spacings that have begun."""
        now = self._clock()
        for key, left_at in starts.items():
            self._budgets.recall(key, seconds=(now - left_at).total_seconds())
        for key, before in kept.items():
            self._note(key, before, expired(before, now), now)

    def record_answer(self, poll: Gathered[Job]) -> None:
        """Record what a response means for the limits of its host."""
        answer = poll.answer
        if not isinstance(answer, Cut):
            self._judge(poll, answer)
            for aside in answer.asides:
                if aside.status in BUSY or aside.hints.exhausted:
                    self._hold(aside.host_key, poll.job.source.key, aside.status, aside.hints)

    def keep(self) -> None:
        """Store what changed; after an error the next call tries again."""
        learnt = self.sites.learnt()
        self._keep_distances(learnt)
        try:
            if learnt and self._store is not None:
                with self._store.begin() as tx:
                    tx.hosts.keep_robots(learnt)
            self._write()
        except StoreError as error:
            log.error("keep_hosts", extra={"error": str(error)})

    def _keep_distances(self, learnt: Sequence[Robots]) -> None:
        for robots in learnt:
            key = budget_key(normalise(robots.origin), self._rules())
            if robots.delay:
                self._budgets.delay(key, robots.delay)

    def _judge(self, poll: Gathered[Job], answer: Fetched | NotModified | Failed) -> None:
        if not self._owed and answer.status in (200, 304) and not answer.hints.exhausted:
            return  # the usual case: no host has a limit, and this one asks for none
        url = _answering(poll)
        key = poll.job.host_key if url is None else budget_key(url, self._rules())
        self._hold(key, poll.job.source.key, answer.status, answer.hints)

    def _hold(self, key: str, source: SourceKey, status: int | None, hints: Hints) -> None:
        now, spacing = self._clock(), spacing_of(key, ruling(key, self._rules()))
        with self._lock:
            before = self._owed.get(key)
            after = after_answer(before, source, status, hints, now, spacing=spacing)
            self._note(key, before, after, now)

    def _note(self, key: str, before: HostBackoff | None, after: HostBackoff | None, now: datetime) -> None:
        if after is not None:
            self._owed[key] = after
        else:
            self._owed.pop(key, None)
        if after != before:
            self._unkept.add(key)
        if after is not None or before is not None:
            opens_at = after.opens_at if after and after.opens_at else now
            doublings = after.doublings if after else 0
            self._budgets.restrain(key, seconds=(opens_at - now).total_seconds(), doublings=doublings)

    def _write(self) -> None:
        with self._lock:
            changed = {key: self._owed.get(key) for key in self._unkept}
        if not changed or self._store is None:
            return
        with self._store.begin() as tx:
            tx.hosts.keep(changed)
        with self._lock:
            self._unkept -= {key for key, restraint in changed.items() if self._owed.get(key) == restraint}


def _answering(poll: Gathered[Job]) -> Url | None:
    """Return the address that answered last, after redirects; None: the source's own host did."""
    match poll.answer:
        case Exchange(hops=()):
            return None
        case Fetched(url=url):
            return url
        case NotModified():  # a 304 comes from the URL of the validators (P8)
            validators = poll.job.validators if isinstance(poll.job, SourceJob) else None
            return validators.url if validators else None
        case Failed(error=SourceError(url=url)):
            return url
    return None
