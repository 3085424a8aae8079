"""Runs one program of the operator within limits: of time, output, memory, and what it finds in its environment.

No shell reads its arguments. It gets none of our environment variables but the few that programs need to work, since
ours may hold secrets. `launcher.py` stands between: it ends whatever the program started, also if we are killed.
"""

import os
import selectors
import signal
import socket
import stat
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from aggregator.errors import Problem
from aggregator.model.settings import Program, Settings

MEMORY: Final = 512 * 2**20  # bytes of data of each of its processes
MAX_ERROR: Final = 4096  # bytes of its stderr that are kept, the last ones
TICK: Final = 0.2  # seconds until a stop of ours is noticed
ENDING: Final = 8.0  # seconds that the launcher has to end everything
CHUNK: Final = 64 * 1024
LAUNCHER: Final = str(Path(__file__).with_name("launcher.py"))
KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
USUAL: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
REASONS: Final = {
    "ENOENT": "it, or the interpreter that its first line names, is missing",
    "EACCES": "it is not executable",
    "ENOEXEC": "it is no program; a script needs a first line such as #!/bin/sh",
}

Cause = Literal["missing", "late", "large", "failed", "cut"]


class ProgramEnded(Exception):
    """A program gave no result. `why` is a clause that calls the program "it"."""

    def __init__(self, cause: Cause, why: str) -> None:
        super().__init__(cause, why)
        self.cause, self.why = cause, why


def run_program(
    program: Program,
    given: Iterable[bytes],
    facts: Mapping[str, str],
    *,
    most: int,
    is_over: Callable[[], bool],
    grow: Callable[[int], None] = lambda _: None,
) -> bytes:
    """Run a program to its end, and return what it wrote to stdout.

    Args:
        program: the program and its settings.
        given: what it reads from stdin; it need not read it.
        facts: further environment variables.
        most: largest number of bytes of its stdout.
        is_over: whether we stop; asked five times a second.
        grow: called with the size that the output is about to have.

    Raises:
        ProgramEnded: it did not start, wrote too much, took too long, or ended with a fault.
    """
    if fault := fault_of(program):
        raise ProgramEnded("missing", fault)
    ours, theirs = socket.socketpair()
    seconds = program.timeout.total_seconds()
    end = monotonic() + seconds
    command = [sys.executable, "-I", "-S", LAUNCHER, str(theirs.fileno()), str(seconds), str(MEMORY)]
    with ours, theirs:
        try:
            process = subprocess.Popen(
                [*command, str(program.path), *map(str.__str__, program.arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(program, facts),
                cwd=program.folder,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # an interrupt from the terminal reaches only us
            )
        except OSError as error:  # the folder is gone, or this machine has no room for a process
            raise ProgramEnded("failed", f"could not be started: {error.strerror}") from error
        theirs.close()
        talk = _Talk(process, ours, iter(given), most, grow)
        try:
            cause = talk.hear(end, is_over)
        finally:
            talk.end()
    return talk.result(cause, seconds, most)


def fault_of(program: Program) -> str | None:
    """Return why a program can't be started, as far as its file tells; None if nothing speaks against it."""
    try:
        if not program.path.exists():
            return f"there is no file {program.path}"
        if not program.path.is_file():
            return f"{program.path} is no file"
    except OSError as error:
        return f"{program.path} can't be looked at: {error.strerror}"
    return None if os.access(program.path, os.X_OK) else f"{program.path} is not executable; run chmod +x on it"


def faults_in(settings: Settings, file: str) -> list[Problem]:
    """Return what is wrong with the files of the programs that feeds.yaml names: their sources or hooks will fail."""
    programs = {source.program for source in settings.sources if source.program is not None}
    programs |= {hook for source in settings.sources for hook in source.hooks}
    faults = []
    for program in programs:
        fault = fault_of(program)
        if fault is None and program.path.stat().st_mode & stat.S_IWOTH:
            fault = f"any user of this machine may change {program.path}; run chmod o-w on it"
        if fault is not None:
            faults.append(Problem(file, program.line, 1, fault))
    return sorted(faults)


def _environment(program: Program, facts: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {name: str.__str__(value) for name, value in program.environment}
    return USUAL | kept | own | dict(facts)


class _Talk:
    """One run: what is written to the program, and what is read from it. Belongs to one thread."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        launcher: socket.socket,
        given: Iterator[bytes],
        most: int,
        grow: Callable[[int], None],
    ) -> None:
        self._process, self._launcher = process, launcher
        self._given, self._left = given, b""
        self._most, self._grow = most, grow
        self._output, self._size, self._is_full = [b""], 0, False
        self._errors: deque[bytes] = deque()
        self._said = b""
        self._selector = selectors.DefaultSelector()
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
        launcher.setblocking(False)
        self._selector.register(self._stdin, selectors.EVENT_WRITE, self._write)
        self._selector.register(self._stdout, selectors.EVENT_READ, self._read)
        self._selector.register(self._stderr, selectors.EVENT_READ, self._read_errors)
        self._selector.register(launcher, selectors.EVENT_READ, self._listen)

    def hear(self, end: float, is_over: Callable[[], bool]) -> Cause | None:
        """Talk until the program has ended; return why it must be ended instead."""
        while self._selector.get_map():
            if is_over():
                return "cut"
            left = end - monotonic()
            if left <= 0:
                return "late"
            self._turn(min(left, TICK))
            if self._is_full:
                return "large"
        return None

    def end(self) -> None:
        """End whatever still runs, and wait until it has ended."""
        with suppress(OSError):
            self._launcher.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:  # a launcher that was stopped
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        with suppress(OSError):
            self._listen()
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self._stderr):
            pipe.close()

    def result(self, cause: Cause | None, seconds: float, most: int) -> bytes:
        """Return the output of a program that ended well.

        Raises:
            ProgramEnded: it did not.
        """
        if cause == "late" or (cause is None and self._said == b"late"):
            raise ProgramEnded("late", f"took over {seconds:g} s")
        if cause == "large":
            raise ProgramEnded("large", f"wrote over {most:,} bytes")
        if cause == "cut":
            raise ProgramEnded("cut", "was ended, because we stop")
        what, _, number = self._said.decode("ascii", "replace").partition(" ")
        if what == "exit" and number == "0":
            return b"".join(self._output)
        if what == "start":
            raise ProgramEnded("failed", f"could not be started: {REASONS.get(number, number)}")
        how = f"ended with exit code {number}" if what == "exit" else "was ended from outside"
        if what == "signal":
            with suppress(ValueError):
                how = f"was ended by {signal.Signals(int(number)).name}"
        raise ProgramEnded("failed", f"{how}{self._last_words()}")

    def _last_words(self) -> str:
        """Return the last line that the program wrote to stderr."""
        lines = b"".join(self._errors)[-MAX_ERROR:].decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        shown = " ".join("".join(one if one.isprintable() else " " for one in last).split())[:200]
        return f': "{shown}"' if shown else ""

    def _turn(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            with suppress(BlockingIOError):
                key.data()

    def _write(self) -> None:
        try:
            while True:
                if not self._left:
                    self._left = next(self._given)
                self._left = self._left[os.write(self._stdin.fileno(), self._left) :]
        except (StopIteration, BrokenPipeError):
            self._selector.unregister(self._stdin)
            self._stdin.close()

    def _read(self) -> None:
        data = os.read(self._stdout.fileno(), CHUNK)
        if not data:
            self._selector.unregister(self._stdout)
            return
        self._size += len(data)
        self._is_full = self._size > self._most
        if not self._is_full:
            self._grow(self._size)
            self._output.append(data)

    def _read_errors(self) -> None:
        data = os.read(self._stderr.fileno(), CHUNK)
        if not data:
            self._selector.unregister(self._stderr)
            return
        self._errors.append(data[-MAX_ERROR:])
        while len(self._errors) > 2 and sum(map(len, self._errors)) > 2 * MAX_ERROR:
            self._errors.popleft()

    def _listen(self) -> None:
        data = self._launcher.recv(100)
        self._said += data
        if not data and self._launcher in self._selector.get_map():
            self._selector.unregister(self._launcher)
