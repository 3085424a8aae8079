"""What polling is compared with, each in a process of its own, perhaps of another Python environment.

`bare STATE`: conditional requests by `requests` and a digest of each body, nothing else. `parse STATE`: the same, and
feedparser reads each body. `add DB` and `update DB`: the library `reader`. All take 16 threads, as ours does, and print
what their work cost without their start-up. Addresses stand in the file `urls` of the working directory.
"""

import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

THREADS = 16


def bare(path: str, take: Callable[[bytes], object]) -> Callable[[], None]:
    """Return what asks each address once, and hands on new bodies; its state is a file."""
    import requests

    state_file = Path(path)
    tags: dict[str, str | None] = json.loads(state_file.read_text()) if state_file.exists() else {}
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=THREADS, pool_maxsize=THREADS))

    def get(url: str) -> None:
        tag = tags.get(url)
        answer = session.get(url, headers={"If-None-Match": tag} if tag else {}, timeout=60)
        assert answer.status_code in (200, 304), answer.status_code
        if answer.status_code == 200:
            take(answer.content)
            tags[url] = answer.headers.get("ETag")

    def work() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(get, Path("urls").read_text().split()))
        state_file.write_text(json.dumps(tags))

    return work


def reader(path: str, *, adds: bool) -> Callable[[], None]:
    """Return what adds all feeds, or updates them."""
    from reader import make_reader  # an environment of its own has it

    library: Any = make_reader(path)

    def add() -> None:
        for url in Path("urls").read_text().split():
            library.add_feed(url)

    return add if adds else lambda: library.update_feeds(scheduled=False, workers=THREADS)


def main() -> None:
    """Do the work that the arguments name, and print its cost as JSON."""
    what, path = sys.argv[1:]
    if what == "bare":
        work = bare(path, lambda body: hashlib.sha256(body).hexdigest())
    elif what == "parse":
        import feedparser

        work = bare(path, feedparser.parse)
    else:
        work = reader(path, adds=what == "add")
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(json.dumps({"cpu": cpu, "wall": time.monotonic() - began}))


if __name__ == "__main__":
    main()
