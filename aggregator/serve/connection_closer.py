"""Closes connections that another library (granian) accepted, when there are too many (S67)."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.serve.connection_limit import MAX_CONNECTIONS, WaitingConnection, client_of, connections_to_close
from aggregator.serve.sockets import Connection, Progress, close_connection, connections_to, open_files, progress_of

SPARE_CONNECTIONS = 300  # accepted beyond the limit until the next check
CHECK_SECONDS = 0.2  # between two checks
CROWDED_CHECK_SECONDS = 0.03  # between two checks while there are too many connections
MAX_CLOSED = 100  # per check: each closed connection admits a new one, whose request needs time before the next check


@dataclass(frozen=True, slots=True)
class _Observation:
    progress: Progress
    since: float  # monotonic seconds


class ConnectionCloser:
    """Checks all connections to a port, and closes those that finish no request when there are too many.

    Only the kernel's counters are known here. While the server prepares a response, its request counts as unfinished;
    such a request is recent, so its connection is closed last.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._seen: dict[Connection, _Observation] = {}

    def run(self, ended: threading.Event) -> None:
        """Close excess connections repeatedly until the server has ended."""
        is_crowded = False
        while not ended.wait(CROWDED_CHECK_SECONDS if is_crowded else CHECK_SECONDS):
            is_crowded = len(open_files()) > MAX_CONNECTIONS and self.close_excess()

    def close_excess(self) -> bool:
        """Close connections beyond the limit; return True if there were any."""
        connections = connections_to(self._port)
        excess = len(connections) - MAX_CONNECTIONS
        for connection in connections_to_close(self._waits(connections), min(excess, MAX_CLOSED)):
            close_connection(connection, self._port)
        return excess > 0

    def _waits(self, connections: Sequence[Connection]) -> list[tuple[Connection, WaitingConnection]]:
        before, self._seen = self._seen, {}
        waits = []
        for connection in connections:
            progress = progress_of(connection)
            seen = before.get(connection)
            if seen is None or _has_moved(seen.progress, progress):
                since = time.monotonic() - progress.age_seconds  # the current time, since a check may take a while
            else:
                since = seen.since
            self._seen[connection] = _Observation(progress, since)
            is_idle = not progress.is_sending and not progress.is_asking
            waits.append((connection, WaitingConnection(client_of(connection.host), since, is_idle=is_idle)))
        return waits


def _has_moved(before: Progress, now: Progress) -> bool:
    """Return True if a connection has progressed: the client has read, or a request has begun."""
    if now.is_sending:  # a response to a request of that moment, or of a later one
        return not before.is_sending and not before.is_asking
    return (before.is_sending, before.is_asking, before.taken_bytes) != (False, now.is_asking, now.taken_bytes)
