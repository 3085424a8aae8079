"""Jobs of a service: what one is, and what follows when one fails."""

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from logging import getLogger
from time import monotonic
from typing import NamedTuple

from apscheduler.events import JobExecutionEvent

from aggregator.errors import AggregatorError

log = getLogger(__name__)

DEATHS = 3  # unexpected errors of jobs within a minute: then the service ends (R25)
MINUTE = 60.0


class Job(NamedTuple):
    """A function that the service calls at an interval."""

    name: str  # as the log shows it
    run: Callable[[], object]
    every: timedelta


class JobWatch:
    """Logs when jobs fail and recover. Threads may share it: of one job, one run at a time ends."""

    def __init__(self, give_up: Callable[[str], None]) -> None:
        """Make a watch.

        Args:
            give_up: called with the reason when unexpected errors of jobs repeat.
        """
        self._give_up = give_up
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._hindered: set[str] = set()  # jobs whose last run failed with an expected error

    def see(self, event: JobExecutionEvent) -> None:
        """Record the end of a run."""
        job, error = event.job_id, event.exception
        if error is None:
            if job in self._hindered:
                self._hindered.discard(job)
                log.warning("resume_job", extra={"job": job})
        elif isinstance(error, AggregatorError):  # a full disk, for example: the next run tries again (R7)
            if job not in self._hindered:
                self._hindered.add(job)
                facts = {"job": job, "error": str(error), "advice": "it is tried again; resume_job says when it works"}
                log.error("hinder_job", extra=facts)
        else:
            log.error("crash_job", extra={"job": job, "error": str(error)}, exc_info=error)
            self._deaths.append(monotonic())
            if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < MINUTE:
                self._give_up(f"{DEATHS} jobs ended by a fault of ours within a minute")
