"""Threads: workers that gather, and one thread that settles. No rule of polling is decided here.

Both queues are bounded (R42), that of jobs by `room`: otherwise parsing threads would starve the storing one, and
results pile up. The settling thread ends last, or workers would wait for ever on a full buffer. A worker that dies is
replaced; one that hangs beyond all limits is given up and replaced, since a thread can't be killed (R24, R25).
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from logging import getLogger
from time import monotonic, thread_time

from aggregator.errors import CutShort, DiskFailed, StoreError
from aggregator.model.ask import Ask
from aggregator.model.changes import Settled
from aggregator.model.job import Gathered, Job
from aggregator.model.poll import Answer, Cut, Exchange, Failed, Unreached
from aggregator.model.settings import Source
from aggregator.poll.pipeline import Ports, gather, settle
from aggregator.poll.queues import ResultBuffer, WorkQueue

log = getLogger(__name__)

GROUP = 64  # largest number of polls in one transaction
ENTRIES = 500  # and, roughly, of entries: no other writer waits long (R3)
WAITING = 4  # claimed jobs for each worker, at most (R42)
LINGER_SECONDS = 0.05  # a transaction costs as much as several polls: polls that end together share one
STUCK = 2.0  # times the timeout of a poll, since its last request: then the worker is given up (R24)
SPARE_SECONDS = 75.0  # to wait for a reader, to read (30 each: S15) and to store, on top of that
DEATHS = 3  # within a minute, before the process is given up (R25)
MINUTE = 60.0
TOO_MANY_STUCK = 0.25  # share of the workers (R24)
PATIENCE = 6.5  # seconds that polls under way get at a stop; fetches are cut before that (R54)


class WorkersLost(Exception):
    """So many workers died or hang that only a new process helps; the supervisor starts it (R24, R25)."""


class _Worker:
    """One thread and the job that it works on."""

    def __init__(self, number: int, work: Callable[["_Worker"], None]) -> None:
        self.job: Job | None = None
        self.since = 0.0  # when its last request left
        self.given_up = False  # its result is discarded
        self.thread = threading.Thread(target=work, args=(self,), name=f"poll-{number}", daemon=True)


class Runner:
    """A pool of workers for claimed jobs.

    Args:
        ports: the outside world.
        workers: how many polls run at once.
        on_leave: called in the worker as a request is about to leave.
        on_return: called as soon as the poll sends no more requests.
        judge: returns the polls to settle now that one came back: it, others that were held, or none.
        on_settled: called after each group, with the changes that were stored and the jobs of which nothing was.
        patience: seconds that polls under way get at a stop.
    """

    def __init__(
        self,
        ports: Ports,
        workers: int,
        *,
        on_leave: Callable[[Job], None],
        on_return: Callable[[Gathered[Job]], None],
        judge: Callable[[Gathered[Job]], Sequence[Gathered[Job]]],
        on_settled: Callable[[Sequence[Settled], Sequence[Job]], None],
        patience: float = PATIENCE,
    ) -> None:
        self._ports, self._size, self._patience = ports, workers, patience
        self._on_leave, self._on_return, self._on_settled = on_leave, on_return, on_settled
        self._judge = judge
        self._jobs: WorkQueue[Job | None] = WorkQueue()  # `room` bounds it
        self._results: ResultBuffer[Gathered[Job]] = ResultBuffer(workers, GROUP, lambda poll: not poll.is_quiet)
        self._lock = threading.Lock()
        self._made = 0
        self._wanted = 0  # workers: one for each job, up to `workers`
        self._workers: list[_Worker] = []
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._stuck = 0  # workers given up that have not come back
        self._settler = threading.Thread(target=self._settle, name="settle", daemon=True)
        self._settling_since: float | None = None  # when it began to settle the current group
        self.store_error: StoreError | None = None  # why a group was not stored; may pass (R7)
        self.fault: Exception | None = None  # why only a new process helps

    def start(self) -> None:
        """Start the thread that settles. Workers are started by the first jobs."""
        self._settler.start()

    def room(self) -> int:
        """Return how many more jobs may wait; 0 while as many wait as there are workers."""
        waiting = len(self._jobs)
        return max(0, WAITING * self._size - waiting) if waiting < self._size else 0

    def submit(self, job: Job) -> None:
        """Hand a claimed job to the workers; never more than `room` at a time."""
        if self._wanted < self._size:
            self._wanted += 1
            self._fill()
        self._jobs.put(job)

    def look_after(self) -> None:
        """Replace workers that died or hang; the polls of those that hang have failed (R24)."""
        if not self._settler.is_alive():
            self.fault = WorkersLost("the thread that settles died")
            return
        now = monotonic()
        with self._lock:
            stuck = [
                (worker, worker.job)
                for worker in self._workers
                if worker.job is not None and now - worker.since > _longest(worker.job.source)
            ]
            self._give_up([worker for worker, _ in stuck])
        for worker, job in stuck:
            log.error("lose_worker", extra={"source": job.source.key, "seconds": round(now - worker.since)})
            self._return(_gone_wrong(job, self._ports, "the poll hung beyond all limits"))
        if self._stuck and self._stuck >= TOO_MANY_STUCK * self._size:
            self.fault = WorkersLost(f"{self._stuck} of {self._size} workers hang")
        self._fill()

    def withdraw(self) -> list[Job]:
        """Take back the claimed jobs whose request has not left; their claims are to be undone."""
        return [job for job in self._jobs.withdraw() if job is not None]

    def deliver(self, polls: Iterable[Gathered[Job]]) -> None:
        """Hand over polls to be settled; waits while the settling thread is busy, unless it died."""
        for poll in polls:
            self._put(poll)

    def stop(self) -> list[Job]:
        """End all workers after the polls under way; `close` must follow.

        A worker that hangs is left behind: its claim stands, as after a crash (R13).

        Returns:
            As `withdraw`.
        """
        unasked = self.withdraw()
        with self._lock:
            workers = list(self._workers)
        for _ in workers:
            self._jobs.put(None)
        end = monotonic() + self._patience
        for worker in workers:
            worker.thread.join(max(0.0, end - monotonic()))
        with self._lock:
            left = [(worker, worker.job) for worker in workers if worker.thread.is_alive()]
            self._give_up([worker for worker, _ in left])
        for _, job in left:
            log.error("leave_worker", extra={"source": job.source.key if job else None})
        return unasked

    def close(self) -> None:
        """Store what was gathered or delivered, and end the settling thread."""
        self._results.close()
        self._settler.join()

    def _fill(self) -> None:
        """Start as many workers as are missing."""
        with self._lock:
            while len(self._workers) < self._wanted:
                self._made += 1
                worker = _Worker(self._made, self._work)
                worker.thread.start()
                self._workers.append(worker)

    def _give_up(self, workers: Iterable[_Worker]) -> None:
        for worker in workers:
            worker.given_up = True
            self._stuck += 1
            if worker in self._workers:
                self._workers.remove(worker)

    def _work(self, worker: _Worker) -> None:
        try:
            rested = True
            ports = replace(self._ports, fetch=partial(self._fetch, worker))
            while (job := self._jobs.take(rested=rested)) is not None:
                with self._lock:
                    worker.job, worker.since = job, monotonic()
                self._on_leave(job)
                result = gather(job, ports)
                with self._lock:
                    worker.job = None
                    if worker.given_up:
                        self._stuck -= 1  # it hangs no longer, but it was replaced
                        return
                self._return(result)
                rested = False
        except Exception as error:
            job = worker.job
            log.exception("crash_worker", extra={"source": job.source.key if job else None})
            self._bury(worker, error)

    def _fetch(self, worker: _Worker, ask: Ask) -> Answer:
        """Fetch one document of a poll; each request starts the time limit of hanging anew."""
        worker.since = monotonic()
        return self._ports.fetch(ask)

    def _return(self, poll: Gathered[Job]) -> None:
        ready: Sequence[Gathered[Job]] = (poll,)  # whatever goes wrong here, a claimed job is settled
        try:
            self._on_return(poll)
            ready = self._judge(poll)
        finally:
            self.deliver(ready)

    def _put(self, result: Gathered[Job]) -> None:
        while self._settler.is_alive() and not self._results.put(result, seconds=1.0, is_last=self._is_idle()):
            pass

    def _is_idle(self) -> bool:
        """Return whether no other poll is under way, or about to be."""
        with self._lock:
            return not len(self._jobs) and not any(worker.job for worker in self._workers)

    def _bury(self, worker: _Worker, error: Exception) -> None:
        """Remove a worker that died; `look_after` starts another (R25)."""
        with self._lock:
            if worker.given_up:
                self._stuck -= 1
                return
            self._workers.remove(worker)
            job, worker.job = worker.job, None
            self._deaths.append(monotonic())
            if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < MINUTE:
                self.fault = WorkersLost(f"{DEATHS} workers died within a minute")
        if job is not None:
            self._return(_gone_wrong(job, self._ports, type(error).__name__))

    def settling_seconds(self) -> float:
        """Return for how many seconds the current group of polls has been decided and stored; 0 if there is none."""
        since = self._settling_since
        return 0.0 if since is None else monotonic() - since

    def _settle(self) -> None:
        while results := self._results.take(linger=LINGER_SECONDS):
            for group in _groups(results):
                self._settling_since, worked = monotonic(), thread_time()
                try:
                    changes = self._stored(group)
                    settled = {change.job.id for change in changes}
                    self._on_settled(changes, [poll.job for poll in group if poll.job.id not in settled])
                except Exception as error:  # the buffer must be emptied, or workers wait for ever
                    self.fault = error
                    log.exception("settle_polls", extra={"polls": len(group)})
                finally:
                    facts = {"polls": len(group), "seconds": round(self.settling_seconds(), 3)}
                    log.debug("settle_group", extra=facts | {"cpu_seconds": round(thread_time() - worked, 3)})
                    self._settling_since = None

    def _stored(self, group: Sequence[Gathered[Job]]) -> Sequence[Settled]:
        """Settle a group, or its polls one by one if that fails; return the changes that were stored (R40).

        Polls that are not decided when the program is cut are put back, as if they had not been sent (R54).
        """
        try:
            return settle(group, self._ports)
        except CutShort:
            return self._put_back(group)
        except DiskFailed as error:  # not the fault of a poll, and no other poll can be stored either (R7)
            self._put_off(group, error)
            return []
        except Exception as error:
            trace = None if isinstance(error, StoreError) else error
            log.error("settle_polls", extra={"error": str(error), "polls": len(group)}, exc_info=trace)
        changes: list[Settled] = []
        for place, poll in enumerate(group):
            try:
                changes += self._stored_alone(poll)
            except StoreError as error:  # even the failure can't be stored: the store is at fault
                self._put_off(group[place:], error)
                break
        return changes

    def _stored_alone(self, poll: Gathered[Job]) -> Sequence[Settled]:
        """Settle one poll; if that fails, settle it as failed."""
        try:
            return settle([poll], self._ports)
        except CutShort:
            return self._put_back([poll])
        except DiskFailed:
            raise
        except Exception as error:
            failed = settle([_gone_wrong(poll.job, self._ports, type(error).__name__)], self._ports)
            log.exception("settle_poll", extra={"source": poll.job.source.key})
            return failed

    def _put_back(self, polls: Sequence[Gathered[Job]]) -> Sequence[Settled]:
        """Undo the claims of these polls: the next run polls their sources first (R54)."""
        return settle([Gathered(poll.job, Cut(asked_at=poll.answer.asked_at)) for poll in polls], self._ports)

    def _put_off(self, polls: Sequence[Gathered[Job]], error: StoreError) -> None:
        """Put polls that can't be stored off to the next turn of their sources, without charging them (R7).

        This small write may succeed on a full disk. If not, the claims remain; they have moved the due times (R13).
        """
        self.store_error = error
        asked = [poll for poll in polls if not isinstance(poll.answer, Cut)]
        with suppress(StoreError):
            settle(
                [Gathered(poll.job, Unreached(asked_at=poll.answer.asked_at, waits=True)) for poll in asked],
                self._ports,
            )


def _longest(source: Source) -> float:
    """Return the seconds after its last request that a poll may take (R24)."""
    own = sum(hook.timeout.total_seconds() for hook in source.hooks)
    return STUCK * source.timeout.total_seconds() + SPARE_SECONDS + own


def _groups(polls: Iterable[Gathered[Job]]) -> Iterator[list[Gathered[Job]]]:
    """Divide polls into groups that are settled in one transaction each."""
    group: list[Gathered[Job]] = []
    entries = 0
    for poll in polls:
        group.append(poll)
        entries += len(poll.feed.entries)
        if len(group) == GROUP or entries >= ENTRIES:
            yield group
            group, entries = [], 0
    if group:
        yield group


def _gone_wrong(job: Job, ports: Ports, why: str) -> Gathered[Job]:
    """Return a poll that failed through a fault of ours."""
    return Gathered(job, Failed.of(RuntimeError(why), Exchange(asked_at=ports.clock())))
