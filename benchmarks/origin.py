"""A publisher for benchmarks: a process of its own, so that its CPU is not ours. Loopback only; ends with its parent.

`/N.xml` is the feed N of `benchmarks.feeds`, with an ETag. A file holds the edition that all feeds are at; with the
word `bare` behind it, answers have no ETag and are never a 304. It may play many hosts, each an address, and wait
before each answer. As a module it prints its port.
"""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from benchmarks.feeds import Feed


class Publisher:
    """All feeds, each written once an edition."""

    def __init__(self, edition_file: Path) -> None:
        self._edition_file = edition_file
        self._newest = datetime.combine(datetime.now(UTC).date() - timedelta(days=2), time(), UTC)
        self._feeds: dict[int, Feed] = {}
        self._written: dict[int, tuple[int, bytes, str]] = {}  # edition, body, ETag

    def answer(self, head: bytes) -> bytes:
        """Return the response to a request."""
        number = int(head.split(b" ", 2)[1].strip(b"/").partition(b".")[0])
        edition, *bare = self._edition_file.read_text().split() or ["0"]
        feed = self._feeds.setdefault(number, Feed(number, self._newest))
        if self._written.get(number, (-1,))[0] != int(edition):
            body = feed.body(int(edition))
            self._written[number] = int(edition), body, hashlib.sha256(body).hexdigest()[:16]
        _, body, tag = self._written[number]
        tag_line = "" if bare else f'ETag: "{tag}"\r\n'
        if tag_line and f'if-none-match: "{tag}"'.encode() in head.lower():
            return f"HTTP/1.1 304 Not Modified\r\n{tag_line}\r\n".encode()
        told = f"HTTP/1.1 200 OK\r\n{tag_line}Content-Type: {feed.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return told.encode() + body


async def serve(edition_file: str, latency: float, hosts: int) -> None:
    """Answer until standard input ends."""
    publisher = Publisher(Path(edition_file))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if latency:
                    await asyncio.sleep(latency)
                writer.write(publisher.answer(head))
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


def sample_site(folder: Path, port: int, sources: int, *, dedupe: str = "exact") -> None:
    """Write a feeds.yaml for so many sources of the publisher, in ten categories of four formats."""
    lines = "".join(f"  - {{url: 'http://127.0.0.1:{port}/{n}.xml', category: c{n % 10}}}\n" for n in range(sources))
    (folder / "feeds.yaml").write_text(
        "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s, parallel: 16}}\n"
        "publish: {entry_pages: false}\nserve: {bind: 127.0.0.1:0}\n"
        f"defaults: {{dedupe: {dedupe}}}\nsources:\n{lines}"
    )


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
