"""One process that reads bodies, as its parent sees it (S15). `worker.py` is what runs in it.

It is a program of its own, never forked (R59), without our environment, which holds secrets of the operator. It reads
what strangers wrote, and may have been taken over by it: so its answers are JSON, from which records of known types are
made. Pickle and marshal would let it run code in the parent, or crash it.
"""

import fcntl
import json
import os
import select
import site
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.reader.worker import READY, request_line

SPENT = 64 * 2**20  # bytes of bodies that a process reads before it is replaced, with its memory
START_SECONDS = 30.0  # until a new process must be ready
PIPE_BYTES = 2**20  # that an answer may fill before the process waits for the parent; the system gives 64 KiB
_KEPT = frozenset("PATH PYTHONPATH PYTHONHOME LD_LIBRARY_PATH DYLD_LIBRARY_PATH LANG LC_ALL TMPDIR".split())


class ProcessLost(Exception):
    """A process ended before it answered: because of a body, or (`starting`) before it had one, which is our fault."""

    def __init__(self, code: int, *, late: bool, starting: bool) -> None:
        super().__init__(f"a worker process ended with {code}; `python -m aggregator.reader` may say why")
        self.code, self.late, self.starting = code, late, starting


class ReaderProcess:
    """A process that reads one body after the other; one thread at a time has it.

    Args:
        memory: its limit, in bytes.
    """

    def __init__(self, memory: int) -> None:
        self._is_ready = False
        self._bytes = 0  # that it has read
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aggregator.reader", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(os.environ),
            start_new_session=True,  # an interrupt from the terminal reaches only the parent
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._asked, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # all that a user may have is taken
                fcntl.fcntl(self._answers, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    @property
    def id(self) -> int:
        """Its number in the system."""
        return self._process.pid

    @property
    def is_fit(self) -> bool:
        """True if the process may read another body."""
        return self._bytes < SPENT and self._process.poll() is None

    @property
    def is_up(self) -> bool:
        """True if `begin` would not wait."""
        with suppress(TimeoutError):
            if not self._is_ready:
                _wait_for(self._answers, select.POLLIN, 0.0)
            return True
        return False

    def begin(self) -> None:
        """Wait until the process is ready; the time limit of a body counts from then on.

        Raises:
            ProcessLost: it does not start.
        """
        if not self._is_ready and self._heard((), START_SECONDS, starting=True) != READY:
            raise ProcessLost(self._process.wait(), late=False, starting=True)
        self._is_ready = True

    def ask(self, fetched: Fetched, reading: Reading, seconds: float) -> dict[str, Any]:
        """Have a body read.

        Raises:
            ProcessLost: the process ended, by itself or killed because its time was over.
        """
        self._bytes += len(fetched.body)
        line = self._heard(request_line(fetched, reading, seconds), seconds, starting=False)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End the process; the thread that waits for it sees this, and releases it."""
        self._process.kill()

    def end(self) -> None:
        """End the process, if it has not ended, and release its pipes."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _heard(self, said: Iterable[bytes], seconds: float, *, starting: bool) -> bytes:
        """Write to the process, and return the line that it answers.

        The pipes are waited for, since a timer beside each body would be a thread each time.
        """
        end = monotonic() + seconds
        try:
            for part in said:
                self._write(part, end)
            return self._line(end)
        except (BrokenPipeError, EOFError, TimeoutError) as error:
            self._process.kill()
            late = isinstance(error, TimeoutError)
            raise ProcessLost(self._process.wait(), late=late, starting=starting) from error

    def _write(self, data: bytes, end: float) -> None:
        left = memoryview(data)
        while left:
            _wait_for(self._asked, select.POLLOUT, end)
            left = left[os.write(self._asked, left) :]

    def _line(self, end: float) -> bytes:
        parts = [b""]
        while not parts[-1].endswith(b"\n"):  # one answer is a line, and nothing follows it unasked
            _wait_for(self._answers, select.POLLIN, end)
            parts.append(os.read(self._answers, PIPE_BYTES))
            if not parts[-1]:
                raise EOFError
        return b"".join(parts)


def _wait_for(pipe: int, event: int, end: float) -> None:
    """Wait until a pipe can be used, or was closed.

    Raises:
        TimeoutError: it was not until `end`.
    """
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, end - monotonic()) * 1000):
        raise TimeoutError


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Python needs, without secrets, and the path of this package if it is not installed."""
    kept = {name: value for name, value in ours.items() if name in _KEPT}
    home = str(Path(__file__).parents[2])
    if home not in site.getsitepackages():
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), home)))
    return kept
