"""Bodies that are read apart, in processes that can be killed (S15, D24, R13, R54, R59, L5, L6)."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import CutOff, CutShort, NotAFeed, Overran, ParseError, ReadersBusy
from aggregator.model.changes import Changes
from aggregator.model.entry import NO_NEWS, Enclosure, Entry, Feed, Origin, Tag
from aggregator.model.job import unstored_job
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.poll import CRASHES, Fetched, Outcome
from aggregator.model.settings import Reading, Source, SourceKey
from aggregator.model.supplement import Image, Reference, Supplement
from aggregator.poll.pipeline import gather, settle
from aggregator.reader.codec import from_json, to_json
from aggregator.reader.pool import LARGE, Limits, Readers, ReadingCrashed, is_dangerous
from aggregator.reader.reading import read
from tests.answers import answer, rss
from tests.examples import examples
from tests.fake_source import FakeSource
from tests.feed_server import FeedServer
from tests.patience import PATIENCE
from tests.running import Running
from tests.sample_site import LOOPBACK, START, SampleSite

GOLDEN = Path(__file__).parent / "golden"
SOURCE = Source(key=SourceKey("site"), url=answer("").url)
JOB = unstored_job(SOURCE, "site.example", START)
USUAL = JOB.ask()
ISOLATED = replace(USUAL, is_isolated=True)
SMALL = answer(rss("<item><title>One</title><link>/1</link><description>Text</description></item>"))


def long_feed(entries: int, paragraphs: int = 10) -> bytes:
    text = "<p>Some words of a paragraph with <a href='/x'>a link</a> and <em>more</em> words after.</p>" * paragraphs
    date = "<pubDate>Wed, 04 Mar 2026 05:06:07 GMT</pubDate>"
    items = (
        f"<item><title>Title {n}</title><link>/{n}</link><guid>{n}</guid>{date}"
        f"<description><![CDATA[{text}{n}]]></description></item>"
        for n in range(entries)
    )
    return rss("".join(items)).encode()


@contextmanager
def readers(**limits: Any) -> Iterator[Readers]:
    made = Readers(Limits(**limits))
    try:
        yield made
    finally:
        made.close()


def stopped(readers: Readers) -> list[int]:
    """Stop its processes, as a body does that takes for ever.

    Each is waited for: one that is woken by the signal and by input at once would still take the input.
    """
    held = readers.processes
    for process in held:
        os.kill(process, signal.SIGSTOP)
        wait_for(partial(is_stopped, process))
    return held


def is_stopped(process: int) -> bool:
    """Return whether a process has stopped (proc(5): state T)."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def has_input(process: int) -> bool:
    """Return whether bytes wait in the pipe to a process's standard input."""
    waiting = array("i", [0])
    with Path(f"/proc/{process}/fd/0").open("rb", buffering=0) as pipe:
        fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0] > 0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for a condition of which nothing tells."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)


@contextmanager
def meanwhile(process: int, act: Callable[[], None]) -> Iterator[None]:
    """Do something as soon as a body has been handed to a process that was stopped."""

    def wait_and_act() -> None:
        wait_for(lambda: has_input(process))
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    yield
    thread.join()


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


# Records as JSON.

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
st.register_type_strategy(datetime, TIMES)


@settings(max_examples=examples(150))
@given(st.builds(Feed))
def test_s15_a_feed_comes_back_as_it_was(feed: Feed) -> None:
    assert from_json(Feed, json.loads(json.dumps(to_json(feed)))) == feed


@settings(max_examples=examples(100))
@given(
    st.builds(
        Entry,
        origin=st.builds(Origin),
        enclosures=st.lists(st.builds(Enclosure)).map(tuple),
        supplement=st.builds(
            Supplement,
            images=st.lists(st.builds(Image, role=...)).map(tuple),
            transcripts=st.lists(st.builds(Reference, captions=...)).map(tuple),
            chapters=st.builds(Reference),
            explicit=...,
        ),
    )
)
def test_s15_an_entry_with_everything_comes_back_as_it_was(entry: Entry) -> None:
    assert from_json(Entry, json.loads(json.dumps(to_json(entry)))) == entry


@settings(max_examples=examples(50))
@given(st.builds(Fetched), st.builds(Reading))
def test_s15_so_does_what_a_worker_is_told(fetched: Fetched, reading: Reading) -> None:
    assert from_json(Fetched, json.loads(json.dumps(to_json(fetched)))) == fetched
    assert from_json(Reading, json.loads(json.dumps(to_json(reading)))) == reading


def test_what_has_its_default_is_not_written() -> None:
    assert to_json(Entry(title="One", tags=(Tag(term="a"),))) == {"title": "One", "tags": [{"term": "a"}]}


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="has no form in JSON"):
        to_json(SOURCE)


# Where a body is read.


@pytest.mark.parametrize(
    ("size", "overran", "claims", "apart"),
    [
        pytest.param(LARGE, False, 0, False, id="small"),
        pytest.param(LARGE + 1, False, 0, True, id="large"),
        pytest.param(10, True, 0, True, id="overran-before"),
        pytest.param(10, False, CRASHES - 1, False, id="two-crashes"),
        pytest.param(10, False, CRASHES, True, id="three-crashes-r13"),
    ],
)
def test_s15_what_is_read_apart(size: int, overran: bool, claims: int, apart: bool) -> None:
    observed = replace(NOTHING_OBSERVED, overran=overran)
    job = replace(JOB, observed=observed, claim=replace(JOB.claim, crashes=claims))
    assert is_dangerous(answer(b"x" * size), job.ask()) is apart


def test_s15_a_small_body_starts_no_process() -> None:
    with readers() as pool:
        assert len(pool.read(SMALL, USUAL).entries) == 1
        assert pool.processes == []


def test_s15_a_process_reads_what_this_one_reads() -> None:
    bodies = [path.read_bytes() for path in sorted(GOLDEN.glob("*/feed.*"))]
    assert len(bodies) > 30
    with readers() as pool:
        for body in bodies:
            fetched = replace(answer(body), content_type="text/xml; charset=utf-8", content_language="de")
            assert pool.read(fetched, ISOLATED) == read(fetched, SOURCE.reading)
        assert len(pool.processes) == 1, "one after the other needs one"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"<!doctype html><html><body><p>Back soon</p></body></html>", NotAFeed, id="page"),
        pytest.param(b"<rss version='2.0'><channel><item><title>x", CutOff, id="cut"),
    ],
)
def test_s15_errors_come_back_as_they_were(body: bytes, error: type[ParseError]) -> None:
    page = answer(body)
    with pytest.raises(error) as here:
        read(page, SOURCE.reading)
    with readers() as pool, pytest.raises(error) as apart:
        pool.read(page, ISOLATED)
    assert (str(apart.value), apart.value.args, apart.value.code) == (str(here.value), here.value.args, here.value.code)


def test_a_fault_of_ours_in_a_process_is_told_with_its_traceback() -> None:
    odd = replace(ISOLATED, reading=Reading(timezone="No/Where"))
    with pytest.raises(Exception) as here:  # noqa: PT011 - whatever it is, it is the same there
        read(SMALL, odd.reading)
    with readers() as pool:
        with pytest.raises(ReadingCrashed, match=type(here.value).__name__):
            pool.read(SMALL, odd)
        assert len(pool.read(SMALL, ISOLATED).entries) == 1, "it goes on"


def test_r13_a_claim_knows_how_many_before_it_had_no_outcome(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{url: 'https://a.example/', key: a}]\n")
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        assert [fake_source.claim("a").claim.crashes for _ in range(CRASHES + 1)] == [0, 1, 2, 3]
        fake_source.unchanged(["a"])
        assert fake_source.claim("a").claim.crashes == 0


# Limits.


def test_s15_a_body_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    with readers(seconds=0.3) as pool:
        with pytest.raises(Overran, match=r"over 0\.3 s") as error:
            pool.read(answer(long_feed(4000)), USUAL)
        assert error.value.code == "unreadable"
        assert pool.processes == []
    with readers() as pool:
        pool.read(SMALL, ISOLATED)
        [first] = stopped(pool)
        with meanwhile(first, lambda: os.kill(first, signal.SIGKILL)), pytest.raises(Overran, match="SIGKILL"):
            pool.read(SMALL, ISOLATED)
        assert len(pool.read(SMALL, ISOLATED).entries) == 1
        assert pool.processes != [first]


def test_s15_a_body_that_takes_too_much_memory_is_given_up() -> None:
    with readers(memory=64 * 2**20) as pool, pytest.raises(Overran, match="over 64 MiB of memory") as error:
        pool.read(answer(long_feed(4000, paragraphs=22)), USUAL)
    assert error.value.code == "too_large"


@pytest.mark.slow
def test_l6_a_normal_feed_of_10_mib_with_5000_entries_passes() -> None:
    body = long_feed(5000, paragraphs=22)
    assert len(body) > 10 * 2**20
    began = time.monotonic()
    with readers() as pool:
        assert len(pool.read(answer(body), USUAL).entries) == 5000
    assert time.monotonic() - began < 30


def test_l5_no_more_than_two_are_read_at_once_and_who_waits_too_long_is_put_off() -> None:
    with readers(wait=0.01, seconds=PATIENCE) as pool, ThreadPoolExecutor() as threads:
        pool.read(SMALL, ISOLATED)
        [first] = stopped(pool)
        waiting = [threads.submit(pool.read, SMALL, ISOLATED)]
        wait_for(lambda: has_input(first))
        pool.read(SMALL, ISOLATED)  # by a second process
        [second] = [process for process in stopped(pool) if process != first]
        waiting.append(threads.submit(pool.read, SMALL, ISOLATED))
        wait_for(lambda: has_input(second))
        with pytest.raises(ReadersBusy, match="all 2 processes"):
            pool.read(SMALL, ISOLATED)
        assert sorted(pool.processes) == sorted((first, second))
        for process in (first, second):
            os.kill(process, signal.SIGCONT)
        assert [len(each.result(PATIENCE).entries) for each in waiting] == [1, 1]
        assert len(pool.read(SMALL, ISOLATED).entries) == 1


def test_s15_processes_that_have_nothing_to_do_end() -> None:
    with readers(idle=0.3) as pool:
        pool.read(SMALL, ISOLATED)
        [process] = pool.processes
        end = time.monotonic() + PATIENCE
        while is_running(process) and time.monotonic() < end:
            time.sleep(0.01)
        assert pool.processes == []
        assert not is_running(process)


def test_r54_a_reading_that_we_cut_is_no_failure() -> None:
    with readers() as pool:
        pool.read(SMALL, ISOLATED)
        [process] = stopped(pool)
        with meanwhile(process, pool.close), pytest.raises(CutShort):
            pool.read(SMALL, ISOLATED)
        assert not is_running(process)
        with pytest.raises(CutShort):
            pool.read(SMALL, ISOLATED)


def test_r54_signals_that_stop_us_do_not_stop_what_is_being_read() -> None:
    with readers() as pool:
        pool.read(SMALL, ISOLATED)
        [process] = pool.processes
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(process, number)
        assert len(pool.read(SMALL, ISOLATED).entries) == 1
        assert pool.processes == [process]


def test_s44_a_process_does_not_know_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-s3cr3t")
    with readers() as pool:
        pool.read(SMALL, ISOLATED)
        [process] = pool.processes
        assert b"s3cr3t" not in Path(f"/proc/{process}/environ").read_bytes()


# When many bodies wait.


class Crowd:
    """Bodies that are read at once: one here, for as long as the test wants, others while it is.

    A reading here costs `cost` seconds of a processor, by the clock of the pool.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, cost: float = 0.0) -> None:
        self.here: list[Fetched] = []  # what was read in this process
        self.cost, self._clock = cost, 0.0
        self._held, self._let_go = threading.Event(), threading.Event()
        monkeypatch.setattr("aggregator.reader.pool.read", self._read)

    def worked(self) -> float:
        return self._clock

    @contextmanager
    def body_under_way(self, pool: Readers) -> Iterator[None]:
        self._held.clear()
        self._let_go.clear()
        with ThreadPoolExecutor() as threads:
            held = threads.submit(pool.read, HELD, USUAL)
            assert self._held.wait(PATIENCE)
            try:
                yield
            finally:
                self._let_go.set()
            assert held.result(PATIENCE) == NO_NEWS

    def _read(self, fetched: Fetched, reading: Reading) -> Feed:
        self.here.append(fetched)
        if fetched is HELD:
            self._held.set()
            assert self._let_go.wait(PATIENCE)
            return NO_NEWS
        self._clock += self.cost
        return read(fetched, reading)


HELD = answer(b"held")
ROOM = 256 * 2**20


@contextmanager
def crowded(crowd: Crowd, *, room: int = ROOM, processors: int = 2, **limits: Any) -> Iterator[Readers]:
    made = Readers(Limits(processors=processors, **limits), has_room=lambda size: size <= room, worked=crowd.worked)
    try:
        yield made
    finally:
        made.close()


def start_one(crowd: Crowd, pool: Readers) -> int:
    """Read bodies beside another one until a process has started, and has read one; no other starts."""
    while not pool.processes:
        pool.read(SMALL, USUAL)
    crowd.cost = 0.0
    while SMALL in crowd.here:  # until it is up, bodies are read here
        crowd.here.clear()
        pool.read(SMALL, USUAL)
    (process,) = pool.processes
    return process


def test_bodies_that_wait_are_read_in_a_process_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, cost=0.3)
    with crowded(crowd) as pool, crowd.body_under_way(pool):
        here = pool.read(SMALL, USUAL)
        assert pool.processes == [], "0.3 s: to start one would cost as much"
        start_one(crowd, pool)
        crowd.here.clear()
        assert pool.read(SMALL, USUAL) == here
        assert crowd.here == []


def test_one_body_after_the_other_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, cost=10.0)
    with crowded(crowd) as pool:
        for _ in range(5):
            pool.read(SMALL, USUAL)
        with crowd.body_under_way(pool):
            pass
        assert pool.processes == []


def test_what_waited_before_a_pause_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, cost=0.3)
    with crowded(crowd) as pool:
        for _ in range(3):
            with crowd.body_under_way(pool):
                pool.read(SMALL, USUAL)
        assert pool.processes == []


@pytest.mark.parametrize(
    ("processors", "room", "most"),
    [
        pytest.param(1, ROOM, 0, id="one-processor"),
        pytest.param(2, ROOM - 1, 0, id="no-room-in-the-container-r68"),
        pytest.param(2, ROOM, 2, id="two-processors"),
        pytest.param(3, ROOM, 3, id="three-processors"),
    ],
)
def test_no_more_processes_than_processors(
    monkeypatch: pytest.MonkeyPatch, processors: int, room: int, most: int
) -> None:
    crowd = Crowd(monkeypatch, cost=1.0)
    with crowded(crowd, processors=processors, room=room, spare=0.0) as pool, crowd.body_under_way(pool):
        for _ in range(8):
            for process in pool.processes:
                os.kill(process, signal.SIGSTOP)  # so that bodies wait, and are read here after all
            pool.read(SMALL, USUAL)
        assert len(pool.processes) == most


def test_a_body_that_waits_long_for_a_process_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, cost=0.6)
    with (
        crowded(crowd, spare=0.01, seconds=PATIENCE) as pool,
        crowd.body_under_way(pool),
        ThreadPoolExecutor() as threads,
    ):
        process = start_one(crowd, pool)
        stopped(pool)
        waiting = threads.submit(pool.read, SMALL, USUAL)
        wait_for(lambda: has_input(process))
        assert len(pool.read(SMALL, USUAL).entries) == 1
        assert crowd.here == [SMALL]
        os.kill(process, signal.SIGCONT)
        assert len(waiting.result(PATIENCE).entries) == 1


def test_where_no_process_starts_all_are_read_here(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    crowd = Crowd(monkeypatch, cost=0.6)
    with crowded(crowd) as pool, crowd.body_under_way(pool):
        while "lose_reader" not in caplog.messages:
            assert len(pool.read(SMALL, USUAL).entries) == 1
        assert len(pool.read(SMALL, USUAL).entries) == 1
        assert caplog.messages == ["lose_reader"]


def test_r54_a_body_that_a_process_reads_is_cut_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, cost=0.6)
    with crowded(crowd) as pool, crowd.body_under_way(pool):
        process = start_one(crowd, pool)
        stopped(pool)
        with meanwhile(process, pool.close), pytest.raises(CutShort):
            pool.read(SMALL, USUAL)
        assert len(pool.read(SMALL, USUAL).entries) == 1, "what is read here is not cut"


# In a poll.


def polled(fake_source: FakeSource, key: str) -> list[Changes]:
    settled = settle([gather(fake_source.claim(key), fake_source.app.poller.ports)], fake_source.app.poller.ports)
    return [one for one in settled if isinstance(one, Changes)]


def test_s15_a_poll_whose_body_overran_fails_alone_and_is_remembered(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = rss("<item><title>One</title><guid>1</guid><description>Text</description></item>").encode()
    large = publisher.serve("/large", long_feed(4000), host="127.0.0.2")
    other = publisher.serve("/small", small, host="127.0.0.3")
    sample_site.writes(f"sources:\n  - {{url: '{large}', key: large}}\n  - {{url: '{other}', key: small}}\n")
    monkeypatch.setattr("aggregator.reader.pool.Readers", lambda: Readers(Limits(seconds=0.3)))
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        [change] = polled(fake_source, "large")
        assert (change.update.outcome, change.update.code) == (Outcome.FAILED, "unreadable")
        assert change.update.observed.overran
        [change] = polled(fake_source, "small")
        assert change.update.outcome is Outcome.FETCHED
        assert not change.update.observed.overran
        sample_site.clock.move(days=1)
        assert fake_source.claim("large").observed.overran, "a restart does not forget it"


@pytest.mark.slow
def test_r54_a_service_that_is_told_to_stop_ends_what_reads_for_it(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/large", long_feed(4000))
    with Running(tmp_path, f"{LOOPBACK}sources: [{{url: '{url}', key: large}}]\n") as running:
        assert running.process is not None
        tasks = Path(f"/proc/{running.process.pid}/task")

        def readers_of_it() -> list[int]:
            found = " ".join(path.read_text(encoding="utf-8") for path in tasks.glob("*/children")).split()
            return [int(n) for n in found if b"aggregator.reader" in Path(f"/proc/{n}/cmdline").read_bytes()]

        running.wait_for(lambda: bool(readers_of_it()))
        [reader] = readers_of_it()
        os.kill(reader, signal.SIGSTOP)
        code, seconds = running.stop()
        assert (code, seconds < 10) == (0, True)
        assert not is_running(reader)
        source = running.status()["sources"][0]
        assert (source["state"], source["error"]) == ("never", None), "it was no poll"


def test_s15_a_process_that_reads_loads_nothing_of_network_or_store() -> None:
    code = "import sys, aggregator.reader.worker; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(ran.stdout.split())
    assert "nh3" in loaded
    assert loaded.isdisjoint({"requests", "urllib3", "sqlalchemy", "yaml", "feedgen", "jinja2"})
