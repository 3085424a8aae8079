"""A `serve` beside two feeds made to be dear to compare: are the others polled, and does it end when told? (R40, R54)

Both feeds have a new entry at each poll. It comes in both with nearly the same title of 30,000 characters, all of them
one; or with a text of 1,500 tokens, half of them one word, which takes the cube of that to compare.

    python -m benchmarks.hostile --seconds 90
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.trouble import Net, address_of

EVERY = 5.0  # seconds
MAX_GAP, MAX_STOP = EVERY + 60.0, 10.0
TITLE = "漢" * 29_999
ITEM = "<item><title>{title}</title><guid>{side}-{number}</guid><description>{text}</description></item>"
HOSTILE = 2  # sources, the first ones


class HostileNet(Net):
    """Publishers, of which the first two tell the same in words that are dear to compare."""

    async def answer(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, in the way of this source."""
        if number >= HOSTILE:
            await super().answer(number, reader, writer)
            return
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked[number].append(time.monotonic())
                body = _document(number, len(self.asked[number])).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def _document(side: int, polls: int) -> str:
    """Write what one of the two says at its poll of this number."""
    common = " ".join(f"word {_letters(polls, side, place)}" for place in range(750))
    like = ITEM.format(title=f"{TITLE}{'漢字'[side]}", side=side, number=polls, text="the same text " * 20 + str(polls))
    dear = ITEM.format(title=f"A story of poll {polls}", side=f"t{side}", number=polls, text=common)
    return f"<rss version='2.0'><channel><title>Hostile {side}</title>{like}{dear}</channel></rss>"


def _letters(*numbers: int) -> str:
    """Write numbers without figures: a word, for the comparison."""
    return "x".join(map(str, numbers)).translate(str.maketrans("0123456789", "abcdefghij"))


async def watch(options: argparse.Namespace, folder: Path) -> None:
    """Run `serve` for a while; print the polls of all sources, the CPU time of decisions, and the exit code."""
    net = HostileNet(options.sources + HOSTILE, 0)
    port = await net.listen()
    lines = "".join(f"  - {{key: s{n}, url: 'http://{address_of(n)}:{port}/'}}\n" for n in range(net.sources))
    (folder / "feeds.yaml").write_text(
        "hosts: {127.0.0.0/8: {allow_private: true}}\nserve: {bind: 127.0.0.1:0}\n"
        f"defaults: {{every: {EVERY:.0f}s}}\nsources:\n{lines}"
    )
    command = [sys.executable, "-m", "aggregator", "-v", "--log", "json", "-c", str(folder / "feeds.yaml"), "serve"]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stderr=log)
    begun = time.monotonic()
    await asyncio.sleep(options.seconds)
    end = time.monotonic()
    good = [list(times) for number, times in net.asked.items() if number >= HOSTILE]
    process.send_signal(signal.SIGTERM)
    try:
        code: int | None = await asyncio.wait_for(process.wait(), 60)
    except TimeoutError:
        process.kill()
        code = None
    stopped = time.monotonic() - end
    gaps = [after - before for times in good for before, after in pairwise((begun, *times, end))]
    longest = max(gaps)
    said = "ok" if longest <= MAX_GAP else "MISSED"
    print(f"{len(good)} good sources: {sum(map(len, good))} polls, the longest gap {longest:.1f} s: {said}")
    print(f"hostile ones: {[len(net.asked[number]) for number in range(HOSTILE)]} polls")
    groups = [json.loads(line) for line in (folder / "log").read_text().splitlines() if '"settle_group"' in line]
    cpu = [float(group["cpu_seconds"]) for group in groups]
    print(f"deciding: {len(cpu)} groups of polls, {sum(cpu):.1f} s of CPU, the longest {max(cpu, default=0.0):.2f} s")
    print(f"ended with {code} {stopped:.1f} s after SIGTERM: {'ok' if code == 0 and stopped <= MAX_STOP else 'MISSED'}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--sources", type=int, default=200, help="good ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(watch(options, Path(name)))


if __name__ == "__main__":
    main()
