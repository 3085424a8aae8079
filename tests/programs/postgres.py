"""A PostgreSQL of our own, from Debian's package, that is gone after the test."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.ports import free_port
from tests.programs.program import Program

USER = "postgres"  # of the machine: initdb refuses root
FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
STOP = 30.0  # seconds


def postgres_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server on this machine; None if there is none."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda folder: float(folder.parent.name), default=None)


class Cluster:
    """A PostgreSQL server on a free port of 127.0.0.1 that may be stopped, crashed and started again.

    Args:
        programs: folder of its programs.
        folder: of its data and its log; the user `postgres` owns it.
        options: more arguments of the server.
    """

    def __init__(self, programs: Path, folder: Path, options: list[str]) -> None:
        self._programs, self._port, self._data = programs, free_port(), folder / "data"
        initdb = [f"{programs}/initdb", "-D", str(self._data), "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"]
        Program(initdb, folder, user=USER).run()
        place = ["-p", str(self._port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self._server = Program([f"{programs}/postgres", "-D", str(self._data), *place, *options], folder, user=USER)
        self.url = f"postgres://test@127.0.0.1:{self._port}/postgres?sslmode=disable"

    def is_ready(self) -> bool:
        """Return whether the server takes connections."""
        asked = [f"{self._programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        return subprocess.run(asked, check=False).returncode == 0

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        self._server.start(self.is_ready)

    def stop(self) -> None:
        """End the server and its sessions in good order: PostgreSQL's fast shutdown."""
        self._server.stop(signal.SIGINT, within=STOP)

    def crash(self) -> None:
        """End the server at once, as after a failure of power: the next start recovers from its log."""
        self._server.stop(signal.SIGQUIT, within=STOP)

    def kill_a_session(self, chance: random.Random) -> None:
        """Kill one process of the server; then the server ends all sessions and recovers by itself."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        with suppress(ProcessLookupError):
            os.kill(int(chance.choice(children)), signal.SIGKILL)


@contextmanager
def cluster(programs: Path, options: list[str] = FAST) -> Iterator[Cluster]:
    """Run a server of its own."""
    with tempfile.TemporaryDirectory(prefix="aggregator-postgres-") as name:  # pytest's own folders are only for root
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        server = Cluster(programs, folder, options)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """Run a server of its own; gives the address of an empty database."""
    with cluster(programs) as server:
        yield server.url
