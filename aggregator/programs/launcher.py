"""The process between us and an operator's program: sets its limits, starts it, and ends everything that it started.

Run as a file by an isolated interpreter, so it imports nothing of this package. Arguments: the descriptor of a socket
to the parent, seconds, bytes of memory, then program and arguments. The program starts in a process group of its own;
processes that leave it are adopted where the system can do that (Linux), and ended as well. The parent's end of the
socket closes when the parent wants the end, or died: then everything is killed at once.

One line about the end goes back through the socket: `exit 3`, `signal 11`, `late`, or `start ENOENT`.
"""

import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from errno import errorcode
from pathlib import Path

SPARE_SECONDS = 2.0  # after which it ends the program by itself; the parent acts first
CLEARING_SECONDS = 5.0  # longest time that killing may take: a process in the kernel can't be killed
MORE_PROCESSES = 64  # that the user may have beside those that run on the machine already
OF_INTEREST = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the parent decides about these
RESET = (*OF_INTEREST, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)
PR_SET_CHILD_SUBREAPER = 36


def main(parent: int, seconds: float, memory: int, command: list[str]) -> None:
    """Run a program until it ends, its time is over, or the parent closes the socket."""
    os.set_inheritable(parent, False)  # the program is not to talk to the parent
    _limit(memory, seconds)
    _adopt_orphans()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in OF_INTEREST:
        signal.signal(number, signal.SIG_IGN)
    told, tell = os.pipe()  # closed by the exec of the program, or says why that failed
    child = os.fork()
    if child == 0:
        _become(command, tell)
    os.close(tell)
    with suppress(OSError):  # the program may have done it already, or ended
        os.setpgid(child, child)
    for ours in (0, 1, 2):
        os.close(ours)
    why = os.read(told, 100).decode()
    said = f"start {why}" if why else _end_of(child, [parent, woken], time.monotonic() + seconds + SPARE_SECONDS)
    _clear(child)
    with suppress(OSError):  # the parent may have gone
        os.write(parent, said.encode())


def _limit(memory: int, seconds: float) -> None:
    """Set the limits that every process of the program inherits, as far as the system knows them."""
    processor = int(seconds) + 5
    wanted = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, processor)]
    with suppress(OSError, ValueError, IndexError):
        running = int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])
        wanted.append((resource.RLIMIT_NPROC, running + MORE_PROCESSES))  # in a container the number may be too large
    for kind, most in wanted:
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (value, value))


def _adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, however they left the process group."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # late: where it is missing, the process group must do

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _become(command: list[str], tell: int) -> None:
    """Replace this process by the program."""
    try:
        os.setpgid(0, 0)
        for number in RESET:
            signal.signal(number, signal.SIG_DFL)
        with suppress(OSError):  # if memory runs out, the system ends this process first
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        os.execv(command[0], command)
    except OSError as error:
        os.write(tell, errorcode.get(error.errno or 0, "for an unknown reason").encode())
    finally:
        os._exit(126)


def _end_of(child: int, wakers: list[int], end: float) -> str:
    """Wait for the end of the program, or for the time or the parent to want it; return the line about it."""
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            code = os.waitstatus_to_exitcode(status)
            return f"signal {-code}" if code < 0 else f"exit {code}"
        left = end - time.monotonic()
        if left <= 0:
            return "late"
        ready, _, _ = select.select(wakers, [], [], left)
        for one in ready:
            if not os.read(one, 1000) and one == wakers[0]:
                return "late"


def _clear(child: int) -> None:
    """Kill the process group of the program, and all other descendants of this process."""
    end = time.monotonic() + CLEARING_SECONDS
    while time.monotonic() < end:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for one in _children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        select.select([], [], [], 0.01)  # those that were killed end soon


def _children() -> list[int]:
    """Return the processes whose parent this is; none where the system does not list them."""
    own = os.getpid()
    found = []
    with suppress(OSError):
        for entry in os.listdir("/proc"):  # noqa: PTH208  # names, not paths: this is asked in a loop
            if not entry.isdigit():
                continue
            with suppress(OSError, IndexError, ValueError):
                fields = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
                if int(fields.rpartition(")")[2].split()[1]) == own:
                    found.append(int(entry))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    os._exit(0)  # its streams are closed: to flush them would fail
