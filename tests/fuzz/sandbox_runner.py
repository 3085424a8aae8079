"""The process in which cases are judged: one that hangs, or takes too much memory, is a finding and not our end."""

import json
import resource
import subprocess
import sys
import threading
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from tests.fuzz.cases import Case, read_case, write_case
from tests.fuzz.verdict import SLOW, Finding, judge

MEMORY = 300 * 2**20  # bytes
PATIENCE = 4 * SLOW  # seconds, for a machine that is busy; `judge` itself says what was slow
RENEW = 2000  # cases after which a new process begins: what piles up in one must not look like the fault of the last


class SandboxRunner:
    """Judges cases in a process of its own. A context manager.

    Args:
        patience: seconds that a case may take.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self.process: subprocess.Popen[bytes] | None = None
        self._judged = 0

    def judge(self, case: Case) -> Finding | None:
        """Judge a case; the end of the process is a finding too."""
        if self.process is None or self._judged >= RENEW:
            self.close()
            command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.sandbox_runner"]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._judged = 0
        self._judged += 1
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        hung = threading.Event()

        def give_up() -> None:
            hung.set()
            process.kill()

        limit = threading.Timer(self._patience, give_up)
        limit.start()
        try:
            write_case(case, process.stdin)
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        limit.cancel()
        if not line:
            code = process.wait()
            self.close()
            return Finding("hang" if hung.is_set() else f"the process ended with {code}")
        found: dict[str, Any] | None = json.loads(line)
        return Finding(**found) if found else None

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def main() -> None:
    """Judge what comes in, a line of JSON for each."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (case := read_case(sys.stdin.buffer)) is not None:
        found = judge(case)
        sys.stdout.write(json.dumps(asdict(found) if found else None) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
