"""The pool: threads that gather, and one that settles. It has no clock and no rule of its own.

Both queues are bounded (R42): parsing threads would starve the storing one, and results pile up. The settling thread
ends last, or the workers would wait for ever on a full queue.
"""

import threading
from collections.abc import Callable, Sequence
from logging import getLogger
from queue import Empty, Queue

from aggregator.errors import StoreError
from aggregator.model.changes import Changes
from aggregator.model.poll import Due, Gathered
from aggregator.pipeline import Ports, gather, settle

log = getLogger(__name__)

GROUP = 64  # polls that are settled in one transaction, at most
WAITING = 4  # claimed polls a worker may have before it, at most (R42)


class Runner:
    """A pool of workers for polls that were claimed.

    Args:
        ports: the outside world.
        workers: how many polls run at once.
        on_leave: called in the worker as a request is about to leave.
        on_settled: called after each group that was stored, with its changes and with the polls that were cut.
    """

    def __init__(
        self,
        ports: Ports,
        workers: int,
        *,
        on_leave: Callable[[Due], None],
        on_settled: Callable[[Sequence[Changes], Sequence[Due]], None],
    ) -> None:
        self._ports, self._workers = ports, workers
        self._on_leave, self._on_settled = on_leave, on_settled
        self._dues: Queue[Due | None] = Queue(WAITING * workers)
        self._results: Queue[Gathered | None] = Queue(workers)
        self._threads = [threading.Thread(target=self._work, name=f"poll-{n}", daemon=True) for n in range(workers)]
        self._settler = threading.Thread(target=self._settle, name="settle", daemon=True)
        self.fault: Exception | None = None  # why nothing can be stored any more

    def start(self) -> None:
        """Start all threads."""
        self._settler.start()
        for thread in self._threads:
            thread.start()

    def room(self) -> int:
        """Say how many more polls may wait; 0 while as many wait as there are workers."""
        waiting = self._dues.qsize()
        return max(0, WAITING * self._workers - waiting) if waiting < self._workers else 0

    def submit(self, due: Due) -> None:
        """Hand a claimed source to the workers; never more than `room` at a time."""
        self._dues.put(due)

    def stop(self) -> list[Due]:
        """Let the polls under way end, store them, and end all threads.

        Returns:
            The claimed sources whose request did not leave: to be given back.
        """
        unasked = []
        while True:
            try:
                due = self._dues.get_nowait()
            except Empty:
                break
            if due is not None:
                unasked.append(due)
        for _ in self._threads:
            self._dues.put(None)
        for thread in self._threads:
            thread.join()
        self._results.put(None)
        self._settler.join()
        return unasked

    def _work(self) -> None:
        while (due := self._dues.get()) is not None:
            self._on_leave(due)
            self._results.put(gather(due, self._ports))

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
        """Wait for a result, and take what else is there; True when it was the last."""
        group: list[Gathered] = []
        while len(group) < GROUP:
            try:
                result = self._results.get(block=not group)
            except Empty:
                return group, False
            if result is None:
                return group, True
            group.append(result)
        return group, False
