"""The pool: threads that gather, and one that settles. It holds no rule of its own.

Both queues are bounded (R42): parsing threads would starve the storing one, and results pile up. The settling thread
ends last, or the workers would wait for ever on a full queue. A worker that dies is replaced; one that hangs beyond all
limits is given up and replaced, since a thread can't be killed (R24, R25).
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from logging import getLogger
from queue import Empty, Queue
from time import monotonic

from aggregator.errors import StoreError
from aggregator.model.changes import Changes
from aggregator.model.poll import Due, Exchange, Failed, Gathered
from aggregator.pipeline import Ports, gather, settle

log = getLogger(__name__)

GROUP = 64  # polls that are settled in one transaction, at most
ENTRIES = 500  # and about so many entries: nobody waits long for the store (R3)
WAITING = 4  # claimed polls a worker may have before it, at most (R42)
LINGER_SECONDS = 0.02  # a commit costs as much as several polls: those that end together share one
STUCK = 2.0  # times a poll's own limit: then the worker is given up (R24)
SPARE_SECONDS = 30.0  # for parsing and storing, on top of that
DEATHS = 3  # in a minute: then it is no accident (R25)
MINUTE = 60.0
TOO_MANY_STUCK = 0.25  # share of the workers


class WorkersLost(Exception):
    """So many workers died or hang that only a new process helps; the supervisor starts it (R24, R25)."""


class _Worker:
    """One thread and the poll it is at."""

    def __init__(self, number: int, work: Callable[["_Worker"], None]) -> None:
        self.due: Due | None = None
        self.since = 0.0
        self.given_up = False  # whatever it brings now comes too late
        self.thread = threading.Thread(target=work, args=(self,), name=f"poll-{number}", daemon=True)


class Runner:
    """A pool of workers for polls that were claimed.

    Args:
        ports: the outside world.
        workers: how many polls run at once.
        on_leave: called in the worker as a request is about to leave.
        on_return: called as soon as the publisher has nothing more to do with it.
        on_settled: called after each group, with the changes that were stored and the polls of which nothing was.
    """

    def __init__(
        self,
        ports: Ports,
        workers: int,
        *,
        on_leave: Callable[[Due], None],
        on_return: Callable[[Gathered], None],
        on_settled: Callable[[Sequence[Changes], Sequence[Due]], None],
    ) -> None:
        self._ports, self._size = ports, workers
        self._on_leave, self._on_return, self._on_settled = on_leave, on_return, on_settled
        self._dues: Queue[Due | None] = Queue(WAITING * workers + workers)  # an end for each worker always fits
        self._results: Queue[Gathered | None] = Queue(workers)
        self._lock = threading.Lock()
        self._made = 0
        self._workers: list[_Worker] = []
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._stuck = 0
        self._settler = threading.Thread(target=self._settle, name="settle", daemon=True)
        self.fault: Exception | None = None  # why it can't go on

    def start(self) -> None:
        """Start all threads."""
        self._settler.start()
        for _ in range(self._size):
            self._hire()

    def room(self) -> int:
        """Say how many more polls may wait; 0 while as many wait as there are workers."""
        waiting = self._dues.qsize()
        return max(0, WAITING * self._size - waiting) if waiting < self._size else 0

    def submit(self, due: Due) -> None:
        """Hand a claimed source to the workers; never more than `room` at a time."""
        self._dues.put(due)

    def look_after(self) -> None:
        """Give up workers that hang: their sources have failed, and others take their places (R24)."""
        now = monotonic()
        with self._lock:
            stuck = [
                worker
                for worker in self._workers
                if worker.due is not None
                and now - worker.since > STUCK * worker.due.source.timeout.total_seconds() + SPARE_SECONDS
            ]
            for worker in stuck:
                worker.given_up = True
                self._workers.remove(worker)
        for worker in stuck:
            assert worker.due is not None
            log.error("lose_worker", extra={"source": worker.due.source.key, "seconds": round(now - worker.since)})
            self._return(_gone_wrong(worker.due, self._ports, "the poll hung beyond all limits"))
            self._stuck += 1
            self._hire()
        if self._stuck > TOO_MANY_STUCK * self._size:
            self.fault = WorkersLost(f"{self._stuck} of {self._size} workers hang")

    def withdraw(self) -> list[Due]:
        """Take back the claimed sources whose request has not left: they are to be given back to the store."""
        unasked: list[Due] = []
        while True:
            try:
                due = self._dues.get_nowait()
            except Empty:
                return unasked
            if due is not None:
                unasked.append(due)

    def stop(self) -> list[Due]:
        """Let the polls under way end, store them, and end all threads.

        Returns:
            As `withdraw`.
        """
        unasked = self.withdraw()
        with self._lock:
            workers = list(self._workers)
        for _ in workers:
            self._dues.put(None)
        for worker in workers:
            worker.thread.join()
        self._results.put(None)
        self._settler.join()
        return unasked

    def _hire(self) -> None:
        with self._lock:
            self._made += 1
            worker = _Worker(self._made, self._work)
            self._workers.append(worker)
        worker.thread.start()

    def _work(self, worker: _Worker) -> None:
        try:
            while (due := self._dues.get()) is not None:
                with self._lock:
                    worker.due, worker.since = due, monotonic()
                self._on_leave(due)
                result = gather(due, self._ports)
                with self._lock:
                    worker.due = None
                    if worker.given_up:
                        return
                self._return(result)
        except Exception as error:
            log.exception("crash_worker", extra={"source": worker.due.source.key if worker.due else None})
            self._replace(worker, error)

    def _return(self, poll: Gathered) -> None:
        self._on_return(poll)
        self._results.put(poll)

    def _replace(self, worker: _Worker, error: Exception) -> None:
        with self._lock:
            if worker.given_up:
                return
            self._workers.remove(worker)
            self._deaths.append(monotonic())
            often = len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < MINUTE
        if worker.due is not None:
            self._return(_gone_wrong(worker.due, self._ports, type(error).__name__))
        if often:
            self.fault = WorkersLost(f"{DEATHS} workers died within a minute")
        self._hire()

    def _settle(self) -> None:
        ended = False
        while not ended:
            group, ended = self._next_group()
            if not group:
                continue
            changes: Sequence[Changes] = ()
            try:
                changes = settle(group, self._ports)
            except StoreError as error:
                self.fault = error
                log.error("settle_polls", extra={"error": str(error), "polls": len(group)})
            except Exception as error:
                self.fault = error
                log.exception("settle_polls", extra={"polls": len(group)})
            settled = {change.due.id for change in changes}
            self._on_settled(changes, [poll.due for poll in group if poll.due.id not in settled])

    def _next_group(self) -> tuple[list[Gathered], bool]:
        """Wait for a result, and a little for others to share its transaction; True when it was the last."""
        group: list[Gathered] = []
        end: float | None = None
        while len(group) < GROUP and sum(len(poll.feed.entries) for poll in group) < ENTRIES:
            try:
                result = self._results.get(timeout=None if end is None else max(0.0, end - monotonic()))
            except Empty:
                return group, False
            end = end or monotonic() + LINGER_SECONDS
            if result is None:
                return group, True
            group.append(result)
        return group, False


def _gone_wrong(due: Due, ports: Ports, why: str) -> Gathered:
    """Record a poll that ended through a fault of ours."""
    return Gathered(due, Failed.of(RuntimeError(why), Exchange(asked_at=ports.clock())))
