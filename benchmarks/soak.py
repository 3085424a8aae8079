"""A long run of `serve` over sources that change, fail and recover: memory stays flat, every entry is published once.

Each source gains an entry at its own pace and edits its newest one now and then; a part of the answers is an error, a
broken connection, half a body, or garbage. In the end the publisher falls silent, everything is polled once more, and
what is published is held against what was told.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from lxml import etree

from benchmarks.measure import memory_of

LISTED = 300  # entries that a feed shows: more than are told while a source is left alone after a failure
FAULTS = 0.02  # of all answers
ATOM = "{http://www.w3.org/2005/Atom}"


class Teller:
    """The publisher: what each source lists is a function of time alone, until it falls silent."""

    def __init__(self, sources: int, pace: float, speed: float) -> None:
        self.chance = random.Random(7)
        self.paces = [pace * self.chance.uniform(0.5, 2.0) for _ in range(sources)]
        self.began, self.speed = time.monotonic(), speed
        self.frozen: float | None = None
        self.faults = True
        self.answers: Counter[str] = Counter()

    def told(self, source: int) -> int:
        """Return the number of entries that a source has published so far."""
        age = ((self.frozen or time.monotonic()) - self.began) * self.speed
        return 1 + int(age / self.paces[source])

    def feed(self, source: int) -> bytes:
        """Write what a source lists now; its newest entry is edited when the next but one is half due."""
        count = self.told(source)
        items = []
        for number in range(count - 1, max(-1, count - 1 - LISTED), -1):
            edited = " It was edited since." if number < count - 1 and number % 3 == 0 else ""
            text = f"Entry {number} of source {source} says this at some length, to be told from others.{edited}"
            items.append(f"<item><title>{source}/{number}</title><guid isPermaLink='false'>{source}-{number}</guid>")
            items.append(f"<description>{text}</description></item>")
        return f"<rss version='2.0'><channel><title>{source}</title>{''.join(items)}</channel></rss>".encode()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                source = int(head.split(b" ", 2)[1].strip(b"/"))
                body = self.feed(source)
                tag = hashlib.sha256(body).hexdigest()[:16].encode()
                fault = self.chance.random() if self.faults else 1.0
                if fault < FAULTS / 4:
                    self.answers["500"] += 1
                    writer.write(b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n")
                elif fault < FAULTS / 2:
                    self.answers["half"] += 1
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])
                    writer.close()
                    return
                elif fault < FAULTS * 3 / 4:
                    self.answers["reset"] += 1
                    writer.transport.abort()
                    return
                elif fault < FAULTS:
                    self.answers["garbage"] += 1
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<garbage>")
                elif b'"' + tag + b'"' in head:
                    self.answers["304"] += 1
                    writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "%s"\r\n\r\n' % tag)
                else:
                    self.answers["200"] += 1
                    writer.write(
                        b'HTTP/1.1 200 OK\r\nETag: "%s"\r\nContent-Length: %d\r\n\r\n' % (tag, len(body)) + body
                    )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def walk(folder: Path) -> Counter[str]:
    """Count the titles of all documents of the category, walking back through its archive."""
    found: Counter[str] = Counter()
    path: str | None = "category/general.atom"
    while path:
        root = etree.fromstring((folder / "public" / path).read_bytes())
        found.update(str(title.text) for title in root.iterfind(f"{ATOM}entry/{ATOM}title"))
        before = [str(link.get("href")) for link in root.iterfind(f"{ATOM}link") if link.get("rel") == "prev-archive"]
        path = re.sub(r"^https?://[^/]+/", "", before[0]) if before else None
    return found


async def soak(options: argparse.Namespace, folder: Path) -> None:
    """Run it, and print what became of it."""
    teller = Teller(options.sources, options.pace, options.speed)
    server = await asyncio.start_server(teller.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = "".join(f"  - 'http://127.0.0.1:{port}/{n}'\n" for n in range(options.sources))
    (folder / "feeds.yaml").write_text(
        "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s, parallel: 16}}\nserve: {bind: 127.0.0.1:0}\n"
        f"defaults: {{every: {options.every}, initial: 5000}}\n"  # a source may fail at first, for an hour
        f"sources:\n{lines}"
    )
    command = [sys.executable, "-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml")]
    faster = {"LD_PRELOAD": options.library, "FAKETIME": f"+0d x{options.speed:g}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    environ = os.environ | (faster if options.speed != 1 else {})
    process = subprocess.Popen([*command, "serve"], env=environ, stderr=(folder / "log").open("w"))
    memory = []
    try:
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            await asyncio.sleep(min(30.0, options.minutes * 6))
            memory.append(memory_of(process.pid))
            print(f"{time.strftime('%H:%M:%S')} {memory[-1]:.0f} MB, {dict(teller.answers)}", flush=True)
        teller.frozen, teller.faults = time.monotonic(), False
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 20)
    last = await asyncio.create_subprocess_exec(*command, "poll", "--all", "--json", stdout=asyncio.subprocess.PIPE)
    report = json.loads((await last.communicate())[0])
    server.close()
    published = walk(folder)
    expected = {f"{source}/{number}" for source in range(options.sources) for number in range(teller.told(source))}
    print(f"serve ended with {code}; the last poll: {report['failed']} failed, {report['new']} new")
    print(f"told {len(expected)}, published {len(published)}, missing {len(expected - set(published))}")
    print(f"more than once {sum(count > 1 for count in published.values())}, strange {len(set(published) - expected)}")
    half = len(memory) // 2
    if half:
        print(f"memory: first half {max(memory[:half]):.0f} MB at most, second half {max(memory[half:]):.0f} MB")
    print("lines in the log:", (folder / "log").read_text().count("\n"))


def main() -> None:
    """Soak for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--pace", type=float, default=60.0, help="seconds between two entries of a source, on average")
    parser.add_argument("--speed", type=float, default=1.0, help="of its clock, through libfaketime")
    parser.add_argument("--library", default="/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
    parser.add_argument("--every", default="20s", help="how often each source is polled")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(soak(options, Path(name)))


if __name__ == "__main__":
    main()
