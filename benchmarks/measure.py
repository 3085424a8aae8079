"""CPU, time and memory of commands and of running processes, by the kernel's own count."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
# Where Python may not keep what it compiled, each start compiles an editable install anew: half a second of nobody's.
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Cost(NamedTuple):
    """What a command cost."""

    cpu: float  # seconds, user and system, children included
    wall: float  # seconds
    mb: float  # peak memory of the process
    output: str


def cost_of(*command: str, python: str = sys.executable, cwd: Path | None = None) -> Cost:
    """Run a Python command to its end."""
    began = time.monotonic()
    with subprocess.Popen([python, *command], cwd=cwd, env=ENVIRON, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024, output)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds so far of a process, its living children, and those that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return sum(map(int, fields[11:15])) / TICKS + sum(
        cpu_of(int(child)) for task in tasks for child in task.read_text().split()
    )


def memory_of(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    (line,) = [row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def settle(pid: int) -> float:
    """Wait until a process has hardly worked for a while; return its CPU seconds so far."""
    seen = cpu_of(pid)
    while True:
        time.sleep(7)
        before, seen = seen, cpu_of(pid)
        if seen - before < 0.1:
            return seen
