"""A `serve` among sources of which many hang, break off or talk nonsense: are the others asked in time? (R24, R40)

Each source has an address of its own on loopback, as on the net each has a host. A good one may be asked as late as its
interval and a minute after the last time; `status` has to say of the others what is wrong with each.

    python -m benchmarks.trouble --minutes 5
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

KINDS = ("hang", "reset", "garbage")
EVERY, LATE = 60.0, 60.0  # seconds: how often each is asked, and how much later it may be
EXPECTED = {"hang": "timeout", "reset": "reset", "garbage": "not_a_feed"}
FEED = "<rss version='2.0'><channel><title>{0}</title><item><title>{0}</title><guid>{0}</guid></item></channel></rss>"


def address_of(number: int) -> str:
    """Return the loopback address of a source."""
    return f"127.0.{1 + number // 200}.{1 + number % 200}"


class Net:
    """All publishers: how each behaves, and when it was requested."""

    def __init__(self, sources: int, bad: int) -> None:
        self.kind = {number: KINDS[number % 3] for number in range(3 * bad)}  # the first ones; the rest is good
        self.sources = sources
        self.asked: dict[int, list[float]] = {number: [] for number in range(sources)}
        self.over = asyncio.Event()

    async def listen(self) -> int:
        """Listen on all addresses; give the port."""
        port = 0
        for number in range(self.sources):

            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int = number) -> None:
                await self.answer(number, reader, writer)

            server = await asyncio.start_server(answer, address_of(number), port, backlog=20)
            port = port or server.sockets[0].getsockname()[1]
        return port

    async def answer(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, in the way of this source."""
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked[number].append(time.monotonic())
                match self.kind.get(number):
                    case "hang":
                        await self.over.wait()
                        break
                    case "reset":
                        writer.transport.abort()
                        return
                    case kind:
                        body = (b"\x89PNG " * 400) if kind else FEED.format(number).encode()
                        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


async def watch(options: argparse.Namespace, folder: Path) -> None:
    """Run `serve` for some minutes; print the polls of good sources, and the errors of bad ones."""
    net = Net(options.sources, options.bad)
    port = await net.listen()
    lines = "".join(f"  - {{key: s{n}, url: 'http://{address_of(n)}:{port}/'}}\n" for n in range(options.sources))
    (folder / "feeds.yaml").write_text(
        "hosts: {127.0.0.0/8: {allow_private: true}}\nserve: {bind: 127.0.0.1:0}\n"
        f"defaults: {{every: {EVERY:.0f}s}}\nsources:\n{lines}"
    )
    command = [sys.executable, "-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml")]
    process = subprocess.Popen([*command, "serve"], stderr=subprocess.DEVNULL)
    try:
        await asyncio.sleep(60 * options.minutes)
        end = time.monotonic()
        said = await asyncio.create_subprocess_exec(*command, "status", "--json", stdout=asyncio.subprocess.PIPE)
        status = json.loads((await said.communicate())[0])
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 20)
        net.over.set()
    good = [times for number, times in net.asked.items() if number not in net.kind]
    gaps = [after - before for times in good for before, after in zip(times, [*times[1:], end], strict=True)]
    longest = max(gaps, default=float("inf")) if all(good) else float("inf")
    verdict = "ok" if longest <= EVERY + LATE else "MISSED"
    print(f"{len(good)} good sources: {sum(map(len, good))} polls, the longest gap {longest:.1f} s: {verdict}")
    errors = {source["key"]: (source["error"] or "").partition(":")[0] for source in status["sources"]}
    for kind in KINDS:
        found = Counter(errors[f"s{number}"] for number, its in net.kind.items() if its == kind)
        verdict = "ok" if set(found) == {EXPECTED[kind]} else "MISSED"
        print(f"{kind}: {dict(found)}: {verdict}")
    blamed = Counter(errors[f"s{number}"] for number in range(options.sources) if number not in net.kind)
    print(f"good: {dict(blamed)}: {'MISSED' if any(blamed) else 'ok'}")
    print(f"serve ended with {code}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--sources", type=int, default=300)
    parser.add_argument("--bad", type=int, default=30, help="of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(watch(options, Path(name)))


if __name__ == "__main__":
    main()
