"""An HTTPS 304 on a new connection: our client against plain `requests.get`, and what the guard costs a connection.

Most sources are asked so seldom that their connection is gone by the next poll. Both sides trust certifi's bundle and
an authority of our own. CPU of this process only; the publisher is another, on loopback. Ends with 1 if over a limit.
"""

import argparse
import asyncio
import ipaddress
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import certifi
import requests
import trustme

from aggregator.fetch import Client
from aggregator.fetch.adapter import system_trust
from aggregator.fetch.connection import connect
from aggregator.fetch.flight import Flight
from aggregator.fetch.guard import Guard
from aggregator.model.ask import Ask, Validators
from aggregator.model.poll import NotModified
from aggregator.model.settings import HostRule
from aggregator.urls import Url, normalise

RATIO = 0.5  # of what requests takes
GUARD_MS = 0.1  # a connection
TAG = '"x"'
ANSWER = f"HTTP/1.1 304 Not Modified\r\nETag: {TAG}\r\nDate: Mon, 01 Jun 2026 12:00:00 GMT\r\n\r\n".encode()
LOOPBACK = HostRule(name="127.0.0.0/8", network=ipaddress.ip_network("127.0.0.0/8"), allow_private=True)


def hosts_of(number: int) -> list[str]:
    """Return `number` addresses, each of another host."""
    return [f"127.0.1.{last}" for last in range(1, number + 1)]


def certify(folder: Path, hosts: list[str]) -> None:
    """Write the publisher's key and certificate, and the bundle that both sides trust."""
    authority = trustme.CA()
    authority.issue_cert(*hosts).private_key_and_cert_chain_pem.write_to_path(str(folder / "publisher.pem"))
    bundle = Path(certifi.where()).read_bytes() + authority.cert_pem.bytes()
    (folder / "bundle.pem").write_bytes(bundle)


async def serve(certificate: str, number: int) -> None:
    """Answer 304 until standard input ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()

    port, servers = 0, []
    for host in hosts_of(number):
        servers.append(await asyncio.start_server(answer, host, port, ssl=tls, backlog=512))
        port = servers[0].sockets[0].getsockname()[1]
    plain = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, backlog=512)
    print(port, plain.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def running(folder: Path, number: int) -> Iterator[tuple[int, int]]:
    """Run the publisher; gives its ports, with TLS and without."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.https",
        "--serve",
        str(folder / "publisher.pem"),
        "--hosts",
        str(number),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            secure, plain = map(int, process.stdout.readline().split())
            yield secure, plain
        finally:
            process.communicate()


def cpu_ms(work: Callable[[], None], times: int) -> float:
    """Return the milliseconds of CPU of one step, averaged over `times`."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000 / times


def ours(urls: list[Url], tls: ssl.SSLContext) -> None:
    """Fetch all URLs with a new client of ours."""
    with Client(user_agent="aggregator", clock=lambda: datetime.now(UTC), hosts=(LOOPBACK,), tls=tls) as client:
        for url in urls:
            answer = client.fetch(Ask(url=url, configured=url, host_key="", validators=Validators(url=url, etag=TAG)))
            assert isinstance(answer, NotModified), answer


def theirs(urls: list[Url]) -> None:
    """Fetch all URLs with plain `requests.get`."""
    for url in urls:
        answer = requests.get(url, headers={"If-None-Match": TAG}, timeout=30)
        assert answer.status_code == 304, answer


def guarded(url: Url, host: str, port: int, times: int) -> None:
    """Connect under the guard."""
    guard = Guard((LOOPBACK,), lambda name: ())
    for _ in range(times):
        flight = Flight(guard.permit(url), 30)
        flight.url = url
        sock, _address = connect(host, port, flight, guarded=True)
        flight.let_go()
        sock.close()


def bare(host: str, port: int, times: int) -> None:
    """Connect without it."""
    for _ in range(times):
        sock = socket.create_connection((host, port), 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.close()


def main() -> int:
    """Print the figures; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, options.hosts))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certify(folder, hosts_of(options.hosts))
        os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = str(folder / "bundle.pem")
        tls = system_trust()
        mine, plain, judged, free = [], [], [], []
        with running(folder, options.hosts) as (secure, port):
            urls = [normalise(f"https://{host}:{secure}/feed") for host in hosts_of(options.hosts)]
            address, times = "127.0.0.1", 10 * options.hosts
            url = normalise(f"http://{address}:{port}/")
            ours(urls[:1], tls)
            theirs(urls[:1])
            for _ in range(options.rounds):
                mine.append(cpu_ms(lambda: ours(urls, tls), options.hosts))
                plain.append(cpu_ms(lambda: theirs(urls), options.hosts))
                judged.append(cpu_ms(lambda: guarded(url, address, port, times), times))
                free.append(cpu_ms(lambda: bare(address, port, times), times))
    ratio = statistics.median(mine) / statistics.median(plain)
    guard = max(0.0, statistics.median(judged) - statistics.median(free))
    print(f"HTTPS 304 on a new connection, {options.hosts} hosts, median of {options.rounds} rounds, CPU ms")
    print(f"our client      {statistics.median(mine):6.2f}")
    print(f"requests.get    {statistics.median(plain):6.2f}")
    print(f"ratio           {ratio:6.2f}   (limit: {RATIO})")
    print(f"guard           {guard:6.3f} ms a connection   (limit: {GUARD_MS})")
    return int(ratio > RATIO or guard > GUARD_MS)


if __name__ == "__main__":
    sys.exit(main())
