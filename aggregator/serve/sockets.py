"""Finds and closes the connections that another library accepted in this process, by the process's open files.

granian's listener runs in Rust and does not give access to its connections. `/dev/fd` names every open file of the
process. A socket reports its own address and its client's; Linux also reports the progress of requests and responses.
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
_TIMES, _BYTES = 44, 120  # offsets in struct tcp_info (linux/tcp.h), which is only ever extended at its end


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that a client opened."""

    number: int  # file descriptor
    host: str
    port: int  # port of the client


def can_list_open_files() -> bool:
    """Return True if this system lists the open files of a process."""
    return OPEN_FILES.is_dir()


def open_files() -> list[int]:
    """Return the file descriptors of this process."""
    return [int(path.name) for path in OPEN_FILES.iterdir()]


def connections_to(port: int) -> list[Connection]:
    """Return the connections to a port on which this process listens."""
    return [found for number in open_files() if (found := _connection(number, port)) is not None]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the requests and responses on a connection, as the kernel reports it."""

    is_sending: bool = False  # the client has not yet read a part of a response
    is_asking: bool = True  # bytes have arrived since the last response, or there was no response yet
    taken_bytes: int = 0  # bytes of all responses that the client has received
    age_seconds: float = 0.0  # of the request, or of the connection if it has no response yet


def progress_of(connection: Connection) -> Progress:
    """Return the kernel's view of a connection; the defaults on systems without this information."""
    if sys.platform != "linux":
        return Progress()
    try:
        unsent = struct.unpack("i", ioctl(connection.number, TIOCOUTQ, bytes(4)))[0]
        borrowed = socket.socket(fileno=connection.number)
    except OSError:  # the connection has ended
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


def close_connection(connection: Connection, port: int) -> None:
    """Close a connection, and discard what the client has not read. The server notices the end and closes its socket.

    The descriptor may belong to another file by now, so it is checked again just before.
    """
    if _connection(connection.number, port) != connection:
        return
    with suppress(OSError):  # the connection has ended meanwhile
        borrowed = socket.socket(fileno=connection.number)
        try:
            borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


def _connection(number: int, port: int) -> Connection | None:
    # Never duplicate the descriptor: if it is a file of SQLite, closing the duplicate would drop SQLite's locks on it.
    try:
        borrowed = socket.socket(fileno=number)  # OSError if the file is not a socket; the file stays open
    except OSError:
        return None
    try:
        if borrowed.family not in FAMILIES or borrowed.getsockname()[1] != port:
            return None
        host, client_port = borrowed.getpeername()[:2]
    except OSError:  # a listening socket, or the connection has ended
        return None
    finally:
        borrowed.detach()
    return Connection(number, host, client_port)
