"""Runs the library `reader` in its own environment: `update --scheduled` every 15 minutes."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from tests.manners.peers.peer import Outside

PYTHON = Path(__file__).parents[3] / ".cache" / "reader" / "bin" / "python"  # where .ci/services installs the library
SCRIPT = Path(__file__).with_name("reader_turns.py")


class Reader:
    """The library with its defaults: a source is due when the next hour begins."""

    name = "reader"
    pause = timedelta(minutes=15)
    has_real_clock = False
    ended_by: ClassVar[Mapping[str, str]] = {"age-overflow": "P54", "retry-endless": "P56"}

    def missing(self) -> str | None:
        """Return the missing program; None if all are installed."""
        return None if PYTHON.exists() else "the library reader"

    @contextmanager
    def runs(self, outside: Outside) -> Iterator["_Turns"]:
        """Yield a `reader` with an empty database."""
        with tempfile.TemporaryDirectory(prefix="aggregator-reader-") as name:
            command = [str(PYTHON), "-P", str(SCRIPT), f"{name}/reader.sqlite"]
            environ = {"REQUESTS_CA_BUNDLE": outside.authority, "HOME": name}
            environ |= {"HTTP_PROXY": outside.proxy, "HTTPS_PROXY": outside.proxy, "NO_PROXY": "127.0.0.0/8"}
            pipe = subprocess.PIPE
            with subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True) as process:
                turns = _Turns(process)
                try:
                    turns.say(list(outside.urls))
                    yield turns
                finally:
                    assert process.stdin is not None
                    process.stdin.close()


class _Turns:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def say(self, what: object) -> None:
        """Send a line, and wait for the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer == "done\n", f"reader: {answer!r}"

    def turn(self, now: datetime) -> None:
        """Update what is due."""
        self.say(now.isoformat())
