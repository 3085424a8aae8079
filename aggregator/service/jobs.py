"""How the jobs of a service fare: what stands in their way is said once, and a fault of ours that goes on ends it."""

from collections import deque
from collections.abc import Callable
from logging import getLogger
from time import monotonic

from apscheduler.events import JobExecutionEvent

from aggregator.errors import AggregatorError

log = getLogger(__name__)

DEATHS = 3  # jobs in a minute that a fault of ours ended: then it is no accident (R25)
MINUTE = 60.0


class JobWatch:
    """Watches the jobs of a service. Threads may share it: of one job, one run at a time ends."""

    def __init__(self, give_up: Callable[[str], None]) -> None:
        """Make a watch.

        Args:
            give_up: called with the reason when jobs go on ending by a fault of ours.
        """
        self._give_up = give_up
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._hindered: set[str] = set()  # jobs whose last run something stood in the way of

    def see(self, event: JobExecutionEvent) -> None:
        """Take in that a job has ended, well or not."""
        job, error = event.job_id, event.exception
        if error is None:
            if job in self._hindered:
                self._hindered.discard(job)
                log.warning("resume_job", extra={"job": job})
        elif isinstance(error, AggregatorError):  # the disk is full, say: it is tried again (R7)
            if job not in self._hindered:
                self._hindered.add(job)
                facts = {"job": job, "error": str(error), "advice": "it is tried again; resume_job says when it works"}
                log.error("hinder_job", extra=facts)
        else:
            log.error("crash_job", extra={"job": job, "error": str(error)}, exc_info=error)
            self._deaths.append(monotonic())
            if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < MINUTE:
                self._give_up(f"{DEATHS} jobs ended by a fault of ours within a minute")
