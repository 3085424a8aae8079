"""Response times of a page and of the health check beside many slow connections, for both of our servers.

The slow connections come from one address: some say nothing, some send the head of a request a byte at a time, some
never send its body, some take a long answer a byte at a time. What the server closes is opened again within a second.
Reader and health check come from the same address, or from another one. The health check connects anew each time; the
reader keeps its connection while the server does.

    python -m benchmarks.crowd --connections 300 1000
"""

import argparse
import http.client
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aggregator.publish.folder import Folder
from benchmarks.serving import serving

FEED, LARGE = "category/harbour.atom", "category/large.atom"
LARGE_BYTES = 2**20  # more than the sockets of both sides hold
SEGMENT_BYTES = 1400  # as on a real network: on loopback a socket would take megabytes that its reader has no room for
HOST = b" HTTP/1.1\r\nHost: planet.example\r\n"
KINDS = {
    "silent": b"",
    "head": b"GET /" + FEED.encode() + HOST,  # and a field that never ends
    "body": b"POST /search" + HOST + b"Content-Length: 1\r\n\r\n",  # the byte never comes
    "reader": b"GET /" + LARGE.encode() + HOST + b"\r\n",
}
SERVERS = ("waitress", "granian")
CROWD_ADDRESS, OTHER_ADDRESS = "127.0.0.1", "127.0.0.2"
GOAL_SECONDS = 1.0  # (issue: part 8)
TICK_SECONDS = 0.02
BYTE_SECONDS = 1.0  # between the bytes of a slow connection
PAUSE_SECONDS = 0.1  # between questions


def hold(port: int, number: int, kinds: Sequence[str]) -> None:
    """Hold that many slow connections, open anew each second what was closed, until this process is ended."""
    held: dict[int, tuple[socket.socket, str]] = {}
    poll = select.poll()
    opened, due = 0, time.monotonic()
    while True:
        while len(held) < number:
            kind = kinds[opened % len(kinds)]
            opened += 1
            sock = slow_socket(port, KINDS[kind])
            poll.register(sock, select.POLLRDHUP | (0 if kind == "reader" else select.POLLIN))
            held[sock.fileno()] = sock, kind
        if opened == number:
            print("holding", flush=True)
        due += BYTE_SECONDS
        closed: set[int] = set()
        while time.monotonic() < due:
            time.sleep(TICK_SECONDS)
            for handle, _ in poll.poll(0):
                closed.add(handle)
                poll.unregister(handle)
        for handle, (sock, kind) in held.items():
            try:
                if kind == "head":
                    sock.send(b"X")
                elif kind == "reader":
                    sock.recv(1)
            except BlockingIOError:
                pass
            except OSError:
                closed.add(handle)
        for handle in closed:
            with suppress(KeyError):
                poll.unregister(handle)
            held.pop(handle)[0].close()


def slow_socket(port: int, begins: bytes) -> socket.socket:
    """Open a connection that says this and has little room for an answer."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    sock.bind((CROWD_ADDRESS, 0))
    sock.settimeout(10)
    with suppress(OSError):
        sock.connect(("127.0.0.1", port))
        sock.sendall(begins)
    sock.setblocking(False)
    return sock


@contextmanager
def crowd(port: int, number: int, kinds: Sequence[str]) -> Iterator[None]:
    """Run `hold` in a process of its own; it holds them all when the block begins."""
    code = "import sys; from benchmarks.crowd import hold; hold(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])"
    command = [sys.executable, "-c", code, str(port), str(number), *kinds]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"holding\n"
            yield
        finally:
            process.terminate()


@dataclass
class Asker:
    """Asks for one path again and again, and keeps the longest time to a whole answer."""

    port: int
    path: str
    address: str
    keeps: bool
    worst_seconds: float = 0.0
    answers: int = 0
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(self, patience_seconds: float) -> None:
        """Send requests until one is answered, each on a new connection after one that was closed."""
        begun = time.monotonic()
        while time.monotonic() - begun < patience_seconds:
            connection = self._connection or http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=patience_seconds, source_address=(self.address, 0)
            )
            self._connection = None
            try:
                connection.request("GET", "/" + self.path)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            if answer.status == 200:
                self.answers += 1
                if self.keeps:
                    self._connection = connection
                else:
                    connection.close()
                break
            connection.close()
        self.worst_seconds = max(self.worst_seconds, time.monotonic() - begun)

    def close(self) -> None:
        """Close the kept connection."""
        if self._connection is not None:
            self._connection.close()


def worst(port: int, *, address: str, seconds: float, patience_seconds: float = 30.0) -> dict[str, float]:
    """Return the longest time to an answer, in seconds, of a reader and of a health check from this address."""
    askers = {
        "reader": Asker(port, FEED, address, keeps=True),
        "health": Asker(port, "healthz", address, keeps=False),
    }
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for asker in askers.values():
            asker.ask(patience_seconds)
        time.sleep(PAUSE_SECONDS)
    for asker in askers.values():
        asker.close()
    return {name: asker.worst_seconds for name, asker in askers.items()}


def publish(folder: Path) -> None:
    """Write the two documents that are asked for."""
    files = Folder(folder)
    files.replace(FEED, b"<feed>" + b"<entry>0123456789</entry>" * 4000 + b"</feed>", gzip=True)
    files.replace(LARGE, b"x" * LARGE_BYTES, gzip=False)


def main() -> None:
    """Print the worst answers; exit code 1 if one took longer than the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[300])
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS, "mixed"], default=[*KINDS, "mixed"])
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each measurement")
    options = parser.parse_args()
    missed = 0
    print(f"{'':10}{'':>6} {'':8}{'same address':>24}{'another address':>24}")
    print(f"{'':10}{'slow':>6} {'kind':8}{'reader':>12}{'health':>12}{'reader':>12}{'health':>12}  worst answer in s")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        publish(home / "public")
        for server in options.servers:
            for number in options.connections:
                for kind in options.kinds:
                    with serving(server, home / "public", home) as (port, _):
                        found: list[float] = []
                        with crowd(port, number, list(KINDS) if kind == "mixed" else [kind]):
                            for address in (CROWD_ADDRESS, OTHER_ADDRESS):
                                found += worst(port, address=address, seconds=options.seconds / 2).values()
                    missed += max(found) >= GOAL_SECONDS
                    print(f"{server:10}{number:>6} {kind:8}" + "".join(f"{each:>12.3f}" for each in found), flush=True)
    print("ok" if not missed else f"{missed} over {GOAL_SECONDS:g} s")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
