"""Chooses where a body is read: in the thread that has it, or in a process (S15, D24).

Large bodies, and those of suspect sources, are read in a process that can be killed, two at a time (L5). Others are
read in their threads, of which the interpreter runs one at a time. So when many bodies wait (a first poll, an import, a
restore), they are read in processes too, on all processors, and this one has its time for storing.

Processes start when they are needed and end when they were idle for a while: a run of 304s, or of a few sources, never
pays for them. Secrets in bodies are removed before.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from logging import getLogger
from signal import SIGABRT, SIGALRM, Signals
from time import monotonic, thread_time
from typing import Any

from aggregator.container import has_room, memory_of, usable_processors
from aggregator.errors import CutShort, Overran, ReadersBusy
from aggregator.model.ask import Ask
from aggregator.model.entry import Feed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind
from aggregator.reader.codec import from_json
from aggregator.reader.process import ProcessLost, ReaderProcess
from aggregator.reader.reading import read, read_new
from aggregator.reader.worker import KNOWN, OUT_OF_MEMORY

log = getLogger(__name__)

LARGE = 256 * 1024  # bytes; a larger body is read in another process (S15)
MOST = 4  # processes: what they read keeps the one thread busy that stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of reading one body (S15), and of processes."""

    seconds: float = 30.0
    memory: int = 256 * 2**20  # bytes
    processes: int = 2  # that read dangerous bodies at a time (L5)
    wait: float = 30.0  # seconds until one of them must be free
    idle: float = 60.0  # seconds until idle ones end
    busy: float = 0.5  # seconds that bodies must wait before one more starts; to start one costs 0.24 s of a processor
    spare: float = 2.0  # seconds that another body waits for one of them, before it is read here after all
    processors: int | None = None  # that may be kept busy; None: as many as the system gives us


class ReadingCrashed(Exception):
    """A fault of ours in a worker process; the text is its traceback."""


class Readers:
    """Reads bodies, for any number of threads. `close` must follow.

    Args:
        limits: of bodies and processes; None: the usual ones.
        has_room: returns whether the container has room for one more process, with so many bytes.
        worked: returns the seconds of a processor that the calling thread has had.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        has_room: Callable[[int], bool] = lambda size: has_room(size, memory_of()),
        worked: Callable[[], float] = thread_time,
    ) -> None:
        self._limits = limits or Limits()
        self._has_room, self._worked = has_room, worked
        processors = self._limits.processors or usable_processors()
        self._most = min(processors, MOST) if processors > 1 else 0  # processes that start because bodies wait
        self._dangerous = threading.Semaphore(self._limits.processes)
        self._changed = threading.Condition()  # of all below
        self._free: list[ReaderProcess] = []
        self._busy: set[ReaderProcess] = set()
        self._readings = 0  # of bodies that are not dangerous, here or in processes
        self._spare: set[ReaderProcess] = set()  # the busy ones that read such a body
        self._waited = 0.0  # seconds of processors that bodies took while others waited, since the last start
        self._ended = False
        self._rest: threading.Timer | None = None
        self._used_at = 0.0  # when a process was last given back

    def read(self, fetched: Fetched, ask: Ask) -> Feed:
        """Read the body of a response, here or in another process.

        Raises:
            ParseError: it can't be read as a feed, or (`Overran`) not within the limits.
            ReadersBusy: it was not read: all processes are busy.
            CutShort: it was not read to the end: the program stops.
        """
        return read_new(fetched, ask, lambda body: self._read(body, ask))

    def _read(self, fetched: Fetched, ask: Ask) -> Feed:
        """Read a body, or what is left of it, here or in another process."""
        if is_dangerous(fetched, ask):
            if not self._dangerous.acquire(timeout=self._limits.wait):
                raise ReadersBusy(self._limits.processes, self._limits.wait)
            try:
                return self._read_apart(self._take(), fetched, ask)
            finally:
                self._dangerous.release()
        with self._changed:
            self._readings += 1
            process = self._take_spare()
        began = self._worked()
        try:
            if process is not None:
                return self._read_apart(process, fetched, ask)
            return read(fetched, ask.reading)
        finally:
            with self._changed:
                self._note(self._worked() - began)
                self._readings -= 1

    @property
    def processes(self) -> list[int]:
        """The ids of the processes that run now."""
        with self._changed:
            return [process.id for process in (*self._free, *self._busy)]

    def close(self) -> None:
        """End all processes at once, whatever they read; later bodies are not read in processes (R54)."""
        with self._changed:
            self._ended = True
            free, self._free = self._free, []
            if self._rest is not None:
                self._rest.cancel()
            for process in self._busy:
                process.kill()  # the thread that waits for it sees this, and cleans up
            self._changed.notify_all()
        for process in free:
            process.end()

    def _take(self) -> ReaderProcess:
        """Return a process for a dangerous body: an idle one, or a new one if all were busy for a while.

        Raises:
            ReadersBusy: no process was free for long.
            CutShort: the program stops.
        """
        most = max(self._most, self._limits.processes)
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._free or not self._busy, self._limits.busy)
            may_take = self._changed.wait_for(
                lambda: self._ended or self._free or len(self._busy) < most, self._limits.wait
            )
            if self._ended:
                raise CutShort
            if not may_take:
                raise ReadersBusy(most, self._limits.wait)
            process = self._idle_one() or (self._free.pop() if self._free else ReaderProcess(self._limits.memory))
            self._busy.add(process)
        return process

    def _take_spare(self) -> ReaderProcess | None:
        """Return a process for a body that would wait for other bodies in this interpreter; None: read it here.

        If all such processes are busy, wait for one: this interpreter stores in the meantime what they have read.
        """
        if self._readings == 1 or not self._most:
            return None
        self._changed.wait_for(lambda: self._ended or self._free or not self._spare, self._limits.spare)
        process = None if self._ended else self._idle_one()
        if process is not None:
            self._busy.add(process)
            self._spare.add(process)
        return process

    def _idle_one(self) -> ReaderProcess | None:
        """Take an idle process that has started, and end those that can read no more."""
        for process in [process for process in self._free if process.is_up]:
            self._free.remove(process)
            try:
                process.begin()
            except ProcessLost as lost:
                self._start_no_more(lost)
            if process.is_fit:
                return process
            process.end()
        return None

    def _read_apart(self, process: ReaderProcess, fetched: Fetched, ask: Ask) -> Feed:
        try:
            process.begin()
            answer = process.ask(fetched, ask.reading, self._limits.seconds)
        except ProcessLost as lost:
            if self._ended:
                raise CutShort from lost
            if lost.starting:
                raise
            raise self._overran(fetched, lost) from lost
        finally:
            self._give_back(process)
        with self._changed:
            self._note(answer["seconds"])
        return _feed_of(answer)

    def _give_back(self, process: ReaderProcess) -> None:
        """Keep a process for the next body, unless it has read too much, or the program stops."""
        with self._changed:
            self._busy.discard(process)
            self._spare.discard(process)
            keep = process.is_fit and not self._ended
            if keep:
                self._free.append(process)
                self._rest_later()
            self._changed.notify()
        if not keep:
            process.end()

    def _note(self, seconds: float) -> None:
        """Count what a body took while others waited, and start one more process if that was long."""
        if self._readings < 2 or self._ended:
            self._waited = 0.0
            return
        self._waited += seconds
        if self._waited < self._limits.busy or len(self._free) + len(self._busy) >= self._most:
            return
        self._waited = 0.0
        if not self._has_room(self._limits.memory):
            return
        try:
            self._free.append(ReaderProcess(self._limits.memory))
        except OSError as error:
            self._start_no_more(error)
        else:
            self._rest_later()

    def _start_no_more(self, error: Exception) -> None:
        """Read all bodies that are not dangerous here, as on one processor."""
        if self._most:
            log.error("lose_reader", extra={"error": str(error)})
        self._most = 0

    def _rest_later(self) -> None:
        """Have idle processes ended later: a timer is a thread, so there is one, not one for each body."""
        self._used_at = monotonic()
        if self._rest is None:
            self._rest = self._timer(self._limits.idle)

    def _timer(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._retire)
        timer.daemon = True
        timer.start()
        return timer

    def _retire(self) -> None:
        """End processes that were idle for a while."""
        with self._changed:
            left = self._used_at + self._limits.idle - monotonic()
            if self._ended:
                return
            if self._busy or left > 0:
                self._rest = self._timer(self._limits.idle if self._busy else left)
                return
            self._rest = None
            free, self._free = self._free, []
        for process in free:
            process.end()

    def _overran(self, fetched: Fetched, lost: ProcessLost) -> Overran:
        if lost.late or lost.code == -SIGALRM:
            return Overran(fetched.url, f"to read it took over {self._limits.seconds:g} s")
        if lost.code in (OUT_OF_MEMORY, -SIGABRT):  # nh3 aborts where Python raises MemoryError
            memory = f"{self._limits.memory / 2**20:g} MiB of memory"
            return Overran(fetched.url, f"to read it took over {memory}", code="too_large")
        how = Signals(-lost.code).name if lost.code < 0 else f"exit code {lost.code}"
        return Overran(fetched.url, f"it ended the process that read it ({how})")


def is_dangerous(fetched: Fetched, ask: Ask) -> bool:
    """Return whether a body must be read in a process: a large one, one of a risky source, or a page.

    The cost of selectors on a deeply nested page can't be bounded beforehand (S64).
    """
    if ask.reading.is_article or ask.reading.kind in (Kind.HTML, Kind.SITEMAP):  # a sitemap may be compressed
        return True
    return len(fetched.body) > LARGE or ask.is_isolated


def _feed_of(answer: dict[str, Any]) -> Feed:
    if "feed" in answer:
        return from_json(Feed, answer["feed"])
    if "error" in answer:
        raise KNOWN[answer["error"]](*answer["arguments"])
    raise ReadingCrashed(answer["crash"])
