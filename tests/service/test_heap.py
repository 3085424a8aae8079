"""Memory that is free is given back, also from the middle of the heap."""

import ctypes
import platform
import subprocess
import sys
import threading

import pytest

from aggregator import container
from aggregator.cli import main
from tests.sample_site import SampleSite

PROGRAM = """
import re
from aggregator import container as heap

def held_kib():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1])

heap.use_one_heap()
texts = [bytes(1000) for _ in range(60_000)]
last = bytes(1000)  # above them all, so that glibc would keep what is below
del texts
before = held_kib()
heap.give_back()
print(before - held_kib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that keeps what is free")
def test_what_is_free_below_something_that_is_not_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 40 * 1024  # of some 60 MB


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str | None) -> ctypes.CDLL:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    container.use_one_heap()
    container.give_back()


def test_a_one_shot_poll_uses_one_heap_before_its_threads_start(
    sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    monkeypatch.setattr("aggregator.cli.poll.use_one_heap", lambda: threads.append(threading.active_count()))
    sample_site.writes("sources: [{kind: file, url: own.xml}]\n")
    before = threading.active_count()
    assert main(["-c", str(sample_site.folder / "feeds.yaml"), "poll"], {}) == 0
    assert threads == [before]
