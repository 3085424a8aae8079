"""Other programs, as processes of their own: started on loopback, waited for, and ended by their pid."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.patience import PATIENCE

PAUSE = 0.1  # seconds between two looks


class Program:
    """One program that may be started, ended and started again.

    Args:
        command: what is run.
        folder: its working directory, its home, and where its log is (`<name>.log`).
        environ: its environment, beside PATH, HOME and LC_ALL; nothing else is passed on, proxies above all.
        user: whom it runs as, if we are root; else we are who runs it.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.command, self.folder, self.user = list(command), folder, user
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"} | dict(environ or {})
        self.log = folder / f"{Path(self.command[0]).name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *, within: float = PATIENCE) -> str:
        """Run it to its end, in so many seconds, and give what it prints; anything but success is a failure."""
        process = self._open(subprocess.PIPE)
        try:
            printed = process.communicate(timeout=within)[0].decode(errors="replace")
        finally:
            process.kill()  # nothing happens if it has ended
            process.wait()
        assert process.returncode == 0, f"{self.command}: exit {process.returncode}\n{printed}"
        return printed

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start it and wait until it can be of use."""
        assert self._process is None, f"{self.command[0]} runs already"
        with self.log.open("ab") as log:
            self._process = self._open(log)
        self.wait_until(is_ready, f"{self.command[0]} to be ready")

    def wait_until(self, happens: Callable[[], bool], what: str) -> None:
        """Look again and again until something has happened; too late is a failure, and so is its end."""
        assert self._process is not None, f"{self.command[0]} does not run"
        late = time.monotonic() + PATIENCE
        while True:
            code = self._process.poll()
            assert code is None, f"{self.command[0]}: exit {code}\n{self._said()}"
            if happens():
                return
            assert time.monotonic() < late, f"waited {PATIENCE:g} s for {what}\n{self._said()}"
            time.sleep(PAUSE)  # somebody else's process has no event for us

    def stop(self, how: signal.Signals = signal.SIGTERM, *, within: float) -> None:
        """Stop the program by SIGTERM; it must end in time, with exit code 0. Does nothing if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            code = process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command[0]} did not end within {within:g} s\n{self._said()}") from None
        finally:
            process.kill()
            process.wait()
        assert code == 0, f"{self.command[0]}: exit {code}\n{self._said()}"

    def kill(self) -> None:
        """End it as the kernel would: one that knows no other way, and has nothing to lose."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _open(self, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if self.user and os.geteuid() == 0:
            user = pwd.getpwnam(self.user)
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **identity,
        )

    def _said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
