"""Responses per second of our two servers and of nginx (docs/nginx.md) over the same folder, in one run.

A feed of 100 kB is asked for over eight kept connections, by wrk on the same machine: as a 304, and as a 200 packed by
gzip. Rates shrink with whatever else the machine does; the CPU of the server for each answer hardly does.

    python -m benchmarks.serving
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.publish.folder import Folder
from benchmarks.measure import cpu_of
from tests.ports import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
FEED = "category/harbour.atom"
GOALS = {"waitress": 0.08, "granian": 0.3}  # of nginx's rate (issue: part 6)
PAGE = Path(__file__).parents[1] / "docs" / "nginx.md"
OURS = """
import sys, threading
from pathlib import Path
from aggregator.cli.serve import server
from aggregator.serve.application import Application
from aggregator.serve.published_folder import PublishedFolder as Shelf
application = Application(Shelf(Path(sys.argv[2]), lambda name: 450), health=lambda: True, ready=lambda: True)
server(sys.argv[1])(application, "127.0.0.1", int(sys.argv[3])).start()
threading.Event().wait()
"""


@contextmanager
def serving(name: str, folder: Path, home: Path) -> Iterator[tuple[int, list[int]]]:
    """Run one server; give its port, and the processes that answer."""
    port = free_port()
    if name == "nginx":
        site = re.search(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
        assert site is not None
        text = site[1].replace("listen 80;", f"listen 127.0.0.1:{port};").replace("    listen [::]:80;\n", "")
        rest = " ".join(f"{each}_temp_path {home};" for each in "client_body proxy fastcgi uwsgi scgi".split())
        (home / "nginx.conf").write_text(
            f"daemon off; user root; worker_processes 1; pid {home}/pid; error_log stderr warn; events {{}}\n"
            f"http {{ access_log off; {rest}\n{text.replace('/srv/planet/public', str(folder))} }}\n"
        )
        command = [str(NGINX), "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf")]
    else:
        command = [sys.executable, "-c", OURS, name, str(folder), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{FEED}", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, f"{name} ended"
                time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield port, [process.pid, *map(int, children)]
    finally:
        process.terminate()
        process.wait()


def rate(port: int, seconds: int, *headers: str) -> tuple[float, float]:
    """Send requests with wrk; return responses per second, and their number."""
    fields = [part for header in headers for part in ("-H", header)]
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", *fields, f"http://127.0.0.1:{port}/{FEED}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    per_second, number = re.search(r"Requests/sec: +([\d.]+)", said), re.search(r"(\d+) requests in", said)
    assert per_second is not None, said
    assert number is not None, said
    assert "Socket errors" not in said, said
    return float(per_second[1]), float(number[1])


def measure(port: int, pids: list[int], seconds: int) -> dict[str, tuple[float, float]]:
    """Return the rate, and the CPU of a response in microseconds, for both kinds."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{FEED}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        tag = answer.headers["ETag"]
    measured = {}
    for kind, headers in (("304", [f"If-None-Match: {tag}"]), ("200", [])):
        before = cpu_of(pids[0])
        per_second, number = rate(port, seconds, "Accept-Encoding: gzip", *headers)
        measured[kind] = per_second, (cpu_of(pids[0]) - before) / number * 1e6
    return measured


def main() -> None:
    """Print rates, CPU and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="of each server in turn; the best of each counts")
    options = parser.parse_args()
    if NGINX is None or shutil.which("wrk") is None:
        raise SystemExit("nginx and wrk are needed (Debian: nginx-light, wrk)")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        folder = home / "public"
        entries = "".join(f"<entry><title>Story {n}</title><p>{hash((n, n)) % 10**40}</p></entry>" for n in range(1600))
        Folder(folder).replace(FEED, f"<feed>{entries[:100_000]}</feed>".encode(), gzip=True)
        best: dict[tuple[str, str], tuple[float, float]] = {}  # answers a second, CPU of one in microseconds
        for _ in range(options.rounds):
            for server in ("nginx", *GOALS):
                with serving(server, folder, home) as (port, pids):
                    for kind, measured in measure(port, pids, options.seconds).items():
                        old = best.get((server, kind), (0.0, float("inf")))
                        best[server, kind] = max(old[0], measured[0]), min(old[1], measured[1])
        print(f"{'':10}{'304/s':>10}{'us CPU':>8}{'200 gzip/s':>12}{'us CPU':>8}")
        for server in ("nginx", *GOALS):
            (known, known_cpu), (sent, sent_cpu) = best[server, "304"], best[server, "200"]
            print(f"{server:10}{known:>10.0f}{known_cpu:>8.0f}{sent:>12.0f}{sent_cpu:>8.0f}")
        for server, goal in GOALS.items():
            for kind in ("304", "200"):
                ratio = best[server, kind][0] / best["nginx", kind][0]
                verdict = "ok" if ratio >= goal else "MISSED"
                print(f"{server} {kind}: {ratio:.3f} of nginx's rate (goal {goal}): {verdict}")


if __name__ == "__main__":
    main()
