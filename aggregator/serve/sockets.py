"""Finds and closes the connections that another library accepted in this process, by its open files.

granian's listener runs in Rust and offers no way to look at its connections. `/dev/fd` names every open file of the
process; a socket tells its own address and its client's, and Linux how far its requests and answers have come.
"""

import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aggregator.serve.channel import RESET

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ

OPEN_FILES = Path("/dev/fd")
FAMILIES = (socket.AF_INET, socket.AF_INET6)
_TIMES, _BYTES = 44, 120  # where they stand in struct tcp_info (linux/tcp.h); its beginning never changes


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that a client opened."""

    number: int  # of the open file
    host: str
    port: int  # the client's


def can_look() -> bool:
    """Return whether this system lists the open files of a process."""
    return OPEN_FILES.is_dir()


def open_files() -> list[int]:
    """Return the numbers of all open files of this process."""
    return [int(path.name) for path in OPEN_FILES.iterdir()]


def connections_to(port: int) -> list[Connection]:
    """Return the connections to a port that this process listens on."""
    return [found for number in open_files() if (found := _connection(number, port)) is not None]


@dataclass(frozen=True, slots=True)
class Progress:
    """Byte counts of the requests and answers on a connection, as the kernel reports them."""

    is_sending: bool = False  # a part of an answer waits for the client to take it
    is_asking: bool = True  # bytes have arrived since the last answer; or there was none yet
    taken_bytes: int = 0  # of all answers
    age_seconds: float = 0.0  # of the request, or of the connection if it was never answered


def progress_of(connection: Connection) -> Progress:
    """Return what the kernel knows of a connection; the defaults where the system does not tell."""
    if sys.platform != "linux":
        return Progress()
    try:
        unsent = struct.unpack("i", ioctl(connection.number, TIOCOUTQ, bytes(4)))[0]
        borrowed = socket.socket(fileno=connection.number)
    except OSError:  # ended
        return Progress()
    try:
        info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        sent_ago, _, received_ago = struct.unpack_from("3I", info, _TIMES)  # milliseconds
        taken = struct.unpack_from("Q", info, _BYTES)[0]
    except (OSError, struct.error):
        return Progress(is_sending=unsent > 0)
    finally:
        borrowed.detach()
    is_answered = taken > 0 or unsent > 0
    return Progress(
        is_sending=unsent > 0,
        is_asking=not is_answered or received_ago < sent_ago,
        taken_bytes=taken,
        age_seconds=(received_ago if is_answered else sent_ago) / 1000,
    )


def shut(connection: Connection, port: int) -> None:
    """End a connection, and discard what the client has not taken. The server sees the end at once and closes it.

    The number may be another file's by now, so the connection is looked up again just before.
    """
    if _connection(connection.number, port) != connection:
        return
    with suppress(OSError):  # ended meanwhile
        borrowed = socket.socket(fileno=connection.number)
        try:
            borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


def _connection(number: int, port: int) -> Connection | None:
    # Never by a duplicate of the number: closing one that is a file of SQLite's would drop SQLite's locks on that file.
    try:
        borrowed = socket.socket(fileno=number)  # no socket: an error, and the file stays open
    except OSError:
        return None
    try:
        if borrowed.family not in FAMILIES or borrowed.getsockname()[1] != port:
            return None
        host, client_port = borrowed.getpeername()[:2]
    except OSError:  # it listens, or has ended
        return None
    finally:
        borrowed.detach()
    return Connection(number, host, client_port)
