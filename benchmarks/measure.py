"""CPU of a command, by the kernel's own count."""

import os
import subprocess
import sys
from pathlib import Path


def cpu_seconds(*command: str, cwd: Path | None = None) -> tuple[float, float]:
    """Run a Python command to its end.

    Returns:
        CPU seconds, user and system, and peak memory in MB.
    """
    process = subprocess.Popen([sys.executable, *command], cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
