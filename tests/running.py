"""A running `serve`, as an operator starts it: a process of its own, ended by its id."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.patience import PATIENCE
from tests.ports import free_port


class Running:
    """`aggregator serve` over a folder with a feeds.yaml. A context manager; its end is a SIGTERM."""

    def __init__(self, folder: Path, yaml: str, *, before: Callable[[], None] | None = None) -> None:
        self.folder, self._before = folder, before
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/"
        self.write(yaml)
        self.process: subprocess.Popen[bytes] | None = None
        self.arguments: tuple[str, ...] = ("serve",)

    def write(self, yaml: str) -> None:
        """Write feeds.yaml, whole, as an editor does."""
        draft = self.folder / "draft"
        draft.write_text(f"serve: {{bind: 127.0.0.1:{self.port}}}\n{yaml}", encoding="utf-8")
        draft.replace(self.folder / "feeds.yaml")

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of any command over this folder."""
        return [sys.executable, "-m", "aggregator", "-c", str(self.folder / "feeds.yaml"), *arguments]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(self.command(*self.arguments), stdout=log, stderr=log, preexec_fn=self._before)
        log.close()
        self.wait_for(lambda: self.get("healthz")[0] == 200)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill() if kind else self.process.terminate()
            self.process.wait(PATIENCE)
        if kind:
            print(self.log())  # noqa: T201 - what pytest shows of a failure

    def log(self) -> str:
        """Return the log of the service."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; give exit code and seconds."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE), time.monotonic() - began

    def kill(self) -> None:
        """Kill it, as the kernel would."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Request a path and return the status; 0 while nothing listens."""
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.base + path, headers=headers), timeout=PATIENCE
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def status(self) -> dict[str, Any]:
        """Run `status --json` beside it."""
        done = subprocess.run(self.command("status", "--json"), capture_output=True, check=True, timeout=PATIENCE)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def wait_for(self, happened: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until something is so."""
        end = time.monotonic() + patience
        while not happened():
            assert time.monotonic() < end, f"it did not happen within {patience:g} s:\n{self.log()[-4000:]}"
            assert self.process is None or self.process.poll() is None, f"it ended:\n{self.log()[-4000:]}"
            time.sleep(0.05)  # another process: there is no event to wait on
