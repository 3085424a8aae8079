"""A publisher for benchmarks: a process of its own, so that its CPU is not ours. Loopback only; ends with its parent.

`/N.xml` is a feed of 20 entries with an ETag; `/N.xml?edition=K` has K entries more. It may play many hosts, each an
address, and wait before each answer. As a module it prints its port.
"""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ENTRIES = 20
TEXT = (
    "What is said here at some length stands for an article as a feed carries it, long enough to be worth cleaning. "
    * 8
)


def feed(name: str, edition: int) -> bytes:
    """Write a feed, the newest entry first."""
    items = "".join(
        f"<item><title>Entry {number} of {name}</title><guid isPermaLink='false'>{name}-{number}</guid>"
        f"<link>http://127.0.0.1/{name}/{number}</link><description>{number}: {TEXT}</description></item>"
        for number in range(ENTRIES + edition - 1, -1, -1)
    )
    return f"<rss version='2.0'><channel><title>{name}</title><link>http://127.0.0.1/</link>{items}</channel></rss>".encode()


async def serve(edition_file: str, latency: float, hosts: int) -> None:
    """Answer until standard input ends."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if latency:
                    await asyncio.sleep(latency)
                path = head.split(b" ", 2)[1].decode()
                with open(edition_file) as file:  # noqa: PTH123 - a few bytes, read at each request on purpose
                    edition = int(file.read() or 0)
                tag = hashlib.sha256(f"{path} {edition}".encode()).hexdigest()[:16]
                if f'if-none-match: "{tag}"'.encode() in head.lower():
                    writer.write(f'HTTP/1.1 304 Not Modified\r\nETag: "{tag}"\r\n\r\n'.encode())
                else:
                    body = feed(path.strip("/"), edition)
                    head_out = f'HTTP/1.1 200 OK\r\nETag: "{tag}"\r\nContent-Type: application/rss+xml\r\n'
                    writer.write(f"{head_out}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for host in range(2, hosts + 1):
        await asyncio.start_server(answer, address_of(host), port)
    print(port, flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def address_of(host: int) -> str:
    """Return the address of a host, counted from 0."""
    return f"127.0.0.{host}"


@contextmanager
def running(edition_file: str, *, latency: float = 0.0, hosts: int = 1) -> Iterator[int]:
    """Run the publisher; gives its port, the same on all hosts.

    Args:
        edition_file: holds the number of the edition.
        latency: seconds before each answer.
        hosts: how many addresses it answers on, 254 at most.
    """
    command = [sys.executable, "-m", "benchmarks.origin", edition_file, str(latency), str(hosts)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
