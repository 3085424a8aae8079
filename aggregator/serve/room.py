"""Keeps room for new connections beside a server that accepts them by itself (granian), by closing others (S67)."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.serve.crowd import MAX_CONNECTIONS, Wait, client_of, crowded_out
from aggregator.serve.sockets import Connection, Progress, connections_to, open_files, progress_of, shut

SPARE_CONNECTIONS = 300  # accepted beyond the limit, until the next look closes as many
LOOK_SECONDS = 0.2  # between two looks at the connections
CROWDED_LOOK_SECONDS = 0.03  # the same, while there are too many
MAX_CLOSED = 100  # at a look: each one lets a new one in, and what it asks for has to be answered meanwhile


@dataclass(frozen=True, slots=True)
class _Seen:
    progress: Progress
    since: float  # monotonic seconds


class Room:
    """Looks at all connections to a port, and closes those that finish no request when there are too many.

    Only the kernel's counts are known here. While the server makes an answer, the request counts as unfinished; it has
    begun only a moment ago, so that its connection is closed last.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._seen: dict[Connection, _Seen] = {}

    def keep(self, ended: threading.Event) -> None:
        """Make room again and again, until the server has ended."""
        is_crowded = False
        while not ended.wait(CROWDED_LOOK_SECONDS if is_crowded else LOOK_SECONDS):
            is_crowded = len(open_files()) > MAX_CONNECTIONS and self.make()

    def make(self) -> bool:
        """Close connections that are too many; return whether there were any."""
        connections = connections_to(self._port)
        excess = len(connections) - MAX_CONNECTIONS
        for connection in crowded_out(self._waits(connections), min(excess, MAX_CLOSED)):
            shut(connection, self._port)
        return excess > 0

    def _waits(self, connections: Sequence[Connection]) -> list[tuple[Connection, Wait]]:
        before, self._seen = self._seen, {}
        waits = []
        for connection in connections:
            progress = progress_of(connection)
            seen = before.get(connection)
            if seen is None or _has_moved(seen.progress, progress):
                since = time.monotonic() - progress.age_seconds  # by the clock of now: a look may take a while
            else:
                since = seen.since
            self._seen[connection] = _Seen(progress, since)
            is_idle = not progress.is_sending and not progress.is_asking
            waits.append((connection, Wait(client_of(connection.host), since, is_idle=is_idle)))
        return waits


def _has_moved(before: Progress, now: Progress) -> bool:
    """Return whether a connection has progressed: an answer was taken, or a request has begun."""
    if now.is_sending:  # what was asked for then, or since
        return not before.is_sending and not before.is_asking
    return (before.is_sending, before.is_asking, before.taken_bytes) != (False, now.is_asking, now.taken_bytes)
