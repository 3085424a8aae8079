"""A PostgreSQL of our own, from Debian's package, that is gone after the test."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """Run a server on a free port of 127.0.0.1; gives the address of an empty database."""
    with tempfile.TemporaryDirectory(prefix="aggregator-postgres-") as name:  # pytest's own folders are only for root
        folder, port = Path(name), free_port()
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        data = str(folder / "data")
        initdb = [f"{programs}/initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"]
        Program(initdb, folder, user=USER).run()
        place = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        server = Program([f"{programs}/postgres", "-D", data, *place, *FAST], folder, user=USER)
        is_ready = [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        try:
            server.start(lambda: subprocess.run(is_ready, check=False).returncode == 0)
            yield f"postgres://test@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            server.stop(signal.SIGINT, within=STOP)  # its fast shutdown
