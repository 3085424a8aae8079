"""Reads a body in this thread, or in a process that can be killed (S15, D24).

Large bodies, and those of suspect sources, go to one of two processes (L5). These start when they are first needed and
end when they were idle for a while: a run of 304s never pays for them. They are programs of their own, never forked
(R59), without our environment, which holds secrets of the operator; secrets in bodies are removed before.
"""

import json
import os
import site
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from signal import SIGABRT, SIGALRM, Signals
from typing import Any

from aggregator.errors import CutShort, Overran, ReadersBusy
from aggregator.model.ask import Ask
from aggregator.model.entry import Feed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Reading
from aggregator.reader.codec import from_json
from aggregator.reader.reading import read
from aggregator.reader.worker import KNOWN, OUT_OF_MEMORY, READY, request_line

log = getLogger(__name__)

LARGE = 256 * 1024  # bytes; a larger body is read in another process (S15)
SPENT = 64 * 2**20  # bytes of bodies that a process reads before it is replaced, with its memory
START_SECONDS = 30.0  # until a new process must be ready
_KEPT = frozenset("PATH PYTHONPATH PYTHONHOME LD_LIBRARY_PATH DYLD_LIBRARY_PATH LANG LC_ALL TMPDIR".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of reading one body (S15), and of waiting for a process."""

    seconds: float = 30.0
    memory: int = 256 * 2**20  # bytes
    processes: int = 2
    wait: float = 30.0  # seconds until one of them must be free
    idle: float = 60.0  # seconds until idle ones end


class ReadingCrashed(Exception):
    """A fault of ours in a worker process; the text is its traceback."""


class Readers:
    """Reads bodies, for any number of threads. `close` must follow."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._places = threading.Semaphore(self._limits.processes)
        self._lock = threading.Lock()
        self._free: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._ended = False
        self._rest: threading.Timer | None = None

    def read(self, fetched: Fetched, ask: Ask) -> Feed:
        """Read the body of a response, here or in another process.

        Raises:
            ParseError: it can't be read as a feed, or (`Overran`) not within the limits.
            ReadersBusy: it was not read: all processes are busy.
            CutShort: it was not read to the end: the program stops.
        """
        if not is_dangerous(fetched, ask):
            return read(fetched, ask.reading)
        if not self._places.acquire(timeout=self._limits.wait):
            raise ReadersBusy(self._limits.processes, self._limits.wait)
        try:
            return self._read_apart(fetched, ask.reading)
        finally:
            self._places.release()

    @property
    def processes(self) -> list[int]:
        """The ids of the processes that run now."""
        with self._lock:
            return [worker.process.pid for worker in (*self._free, *self._busy)]

    def close(self) -> None:
        """End all processes at once, whatever they read; later bodies are not read (R54)."""
        with self._lock:
            self._ended = True
            free, self._free = self._free, []
            busy = list(self._busy)
            if self._rest is not None:
                self._rest.cancel()
        for worker in busy:
            worker.process.kill()  # the thread that waits for it sees this, and cleans up
        for worker in free:
            worker.end()

    def _read_apart(self, fetched: Fetched, reading: Reading) -> Feed:
        worker = self._take()
        try:
            worker.begin()
            answer = worker.ask(fetched, reading, self._limits.seconds)
        except WorkerLost as lost:
            if self._ended:
                raise CutShort from lost
            if lost.starting:
                raise
            raise self._overran(fetched, lost) from lost
        finally:
            self._give_back(worker)
        return _feed_of(answer)

    def _take(self) -> "_Worker":
        """Return an idle process, or a new one."""
        with self._lock:
            if self._ended:
                raise CutShort
            if self._rest is not None:
                self._rest.cancel()
                self._rest = None
            worker = self._free.pop() if self._free else None
            if worker is None or not worker.is_fit:
                worker = _Worker(self._limits.memory)
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: "_Worker") -> None:
        """Keep a process for the next body, unless it has read too much, or the program stops."""
        with self._lock:
            self._busy.discard(worker)
            keep = worker.is_fit and not self._ended
            if keep:
                self._free.append(worker)
                if not self._busy:
                    self._rest = threading.Timer(self._limits.idle, self._retire)
                    self._rest.daemon = True
                    self._rest.start()
        if not keep:
            worker.end()

    def _retire(self) -> None:
        """End processes that were idle for a while."""
        with self._lock:
            if self._busy:
                return
            free, self._free = self._free, []
        for worker in free:
            worker.end()

    def _overran(self, fetched: Fetched, lost: "WorkerLost") -> Overran:
        if lost.late or lost.code == -SIGALRM:
            return Overran(fetched.url, f"to read it took over {self._limits.seconds:g} s")
        if lost.code in (OUT_OF_MEMORY, -SIGABRT):  # nh3 aborts where Python raises MemoryError
            memory = f"{self._limits.memory / 2**20:g} MiB of memory"
            return Overran(fetched.url, f"to read it took over {memory}", code="too_large")
        how = Signals(-lost.code).name if lost.code < 0 else f"exit code {lost.code}"
        return Overran(fetched.url, f"it ended the process that read it ({how})")


def is_dangerous(fetched: Fetched, ask: Ask) -> bool:
    """Return whether a body is read in another process: a large one, one of a risky source, or a page.

    The cost of selectors on a deeply nested page can't be bounded beforehand (S64).
    """
    if ask.reading.is_article or ask.reading.kind in (Kind.HTML, Kind.SITEMAP):  # a sitemap may be compressed
        return True
    return len(fetched.body) > LARGE or ask.is_isolated


class WorkerLost(Exception):
    """A process ended before it answered: because of a body, or (`starting`) before it had one, which is our fault."""

    def __init__(self, code: int, *, late: bool, starting: bool) -> None:
        super().__init__(f"a worker process ended with {code}; `python -m aggregator.reader` may say why")
        self.code, self.late, self.starting = code, late, starting


class _Worker:
    """One process; one thread at a time has it."""

    def __init__(self, memory: int) -> None:
        self._is_ready = False
        self._bytes = 0  # that it has read
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aggregator.reader", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(os.environ),
            start_new_session=True,  # an interrupt from the terminal reaches only the parent
        )

    @property
    def is_fit(self) -> bool:
        """True if the process may read another body."""
        return self._bytes < SPENT and self.process.poll() is None

    def begin(self) -> None:
        """Wait until the process is ready; the time limit of a body counts from then on.

        Raises:
            WorkerLost: it does not start.
        """
        if not self._is_ready and self._heard((), START_SECONDS, starting=True) != READY:
            raise WorkerLost(self.process.wait(), late=False, starting=True)
        self._is_ready = True

    def ask(self, fetched: Fetched, reading: Reading, seconds: float) -> dict[str, Any]:
        """Have a body read.

        Raises:
            WorkerLost: the process ended, by itself or killed because its time was over.
        """
        self._bytes += len(fetched.body)
        line = self._heard(request_line(fetched, reading, seconds), seconds, starting=False)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """End the process, if it has not ended, and release its pipes."""
        self.process.kill()
        self.process.communicate()

    def _heard(self, said: Iterable[bytes], seconds: float, *, starting: bool) -> bytes:
        """Write to the process, and return the line that it answers."""
        asked, answers = self.process.stdin, self.process.stdout
        assert asked is not None
        assert answers is not None
        late = threading.Event()

        def kill() -> None:
            late.set()
            self.process.kill()

        limit = threading.Timer(seconds, kill)
        limit.daemon = True
        limit.start()
        try:
            for part in said:
                asked.write(part)
            asked.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = b""
        finally:
            limit.cancel()
        if not line.endswith(b"\n"):
            self.process.kill()
            raise WorkerLost(self.process.wait(), late=late.is_set(), starting=starting)
        return line


def _feed_of(answer: dict[str, Any]) -> Feed:
    if "feed" in answer:
        return from_json(Feed, answer["feed"])
    if "error" in answer:
        raise KNOWN[answer["error"]](*answer["arguments"])
    raise ReadingCrashed(answer["crash"])


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Python needs, without secrets, and the path of this package if it is not installed."""
    kept = {name: value for name, value in ours.items() if name in _KEPT}
    home = str(Path(__file__).parents[2])
    if home not in site.getsitepackages():
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), home)))
    return kept
