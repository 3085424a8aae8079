"""Bodies in memory are bounded, whoever waits for room is not to blame, and nobody waits for ever (R42)."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest

from aggregator.fetch import Bodies, Client
from aggregator.fetch.bodies import LARGE_BODIES, MAX_BODIES_BYTES, SMALL_BYTES
from aggregator.fetch.coding import MAX_DECODED_BYTES
from aggregator.fetch.flight import Ended, Flight, Watch
from aggregator.fetch.guard import Guard
from aggregator.model.ask import Ask
from aggregator.model.poll import Answer, Cut
from aggregator.model.settings import Kind, Reading
from aggregator.urls import Url, file_url
from tests.feed_server import Asked, Chunked, FeedServer, Reply, Talk, Truncated
from tests.fetch.conftest import ATOM, LOOPBACK, MakeClient, ask_for, failed, fetched
from tests.patience import PATIENCE
from tests.sample_site import SampleSite, item, rss

LARGE = bytes(300_000)


@dataclass
class Streamed(Reply):
    """An answer that is sent without a copy of the body, and that says its length only if `told`."""

    told: bool = False

    def play(self, asked: Asked, talk: Talk) -> bool:
        length = b"Content-Length: %d\r\n" % len(self.body) if self.told else b""
        talk.send(b"HTTP/1.1 200 OK\r\n%b\r\n" % length)
        talk.send(self.body)
        return self.told


@pytest.mark.parametrize("workers", [1, 2, 16, 25, 64, 1000])
def test_r42_all_together_are_within_the_limit(workers: int) -> None:
    small = Bodies(workers).small_bytes
    assert 0 < small <= SMALL_BYTES
    assert workers * small + LARGE_BODIES * MAX_DECODED_BYTES <= MAX_BODIES_BYTES


@pytest.mark.parametrize("told", [True, False])
def test_r42_sixteen_bodies_of_ten_mib(publisher: FeedServer, make_client: MakeClient, told: bool) -> None:
    """Without a bound they are 160 MiB; the publisher's own copy is in this process, too."""
    body = bytes(10 << 20)
    bodies = Bodies(16)
    client = make_client(LOOPBACK, bodies=bodies)
    asks = [ask_for(publisher.says("/", Streamed(200, body, told=told), host=f"127.0.0.{n}")) for n in range(2, 18)]
    holding, most, lock = 0, 0, threading.Lock()

    def poll(ask: Ask) -> int:
        nonlocal holding, most
        answer = fetched(client.fetch(ask))
        with lock:
            holding += 1
            most = max(most, holding)
        size = len(answer.body)
        del answer
        with lock:
            holding -= 1
        bodies.release(ask)
        return size

    tracemalloc.start()
    try:
        with ThreadPoolExecutor(16) as pool:
            sizes = list(pool.map(poll, asks))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sizes == [len(body)] * 16
    assert most <= LARGE_BODIES
    assert peak < MAX_BODIES_BYTES


@pytest.fixture
def narrow() -> Bodies:
    """Return memory for one body over 1,000 bytes."""
    return Bodies(16, small_bytes=1000, places=1)


@pytest.fixture
def holder(publisher: FeedServer, make_client: MakeClient, narrow: Bodies) -> tuple[Client, Ask]:
    """Return a client, and the request that has the one place."""
    client = make_client(LOOPBACK, bodies=narrow)
    ask = ask_for(publisher.says("/held", Reply(200, LARGE)))
    fetched(client.fetch(ask))
    return client, ask


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Return a semaphore that each fetch releases which queues for a place."""
    queued, really = threading.Semaphore(0), Flight.wait_for_mail

    def wait_for_mail(flight: Flight, mail: SimpleQueue[object], seconds: float) -> object:
        queued.release()
        return really(flight, mail, seconds)

    monkeypatch.setattr(Flight, "wait_for_mail", wait_for_mail)
    return queued


def test_r42_small_ones_need_no_place(publisher: FeedServer, holder: tuple[Client, Ask]) -> None:
    fetched(holder[0].fetch(ask_for(publisher.says("/small", Reply(200, ATOM)))))


@pytest.mark.parametrize("reply", [Reply(200, LARGE), Chunked(200, LARGE)])
def test_r42_a_large_one_waits_for_the_place(
    publisher: FeedServer, holder: tuple[Client, Ask], narrow: Bodies, queued: threading.Semaphore, reply: Reply
) -> None:
    client, ask = holder
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.fetch, ask_for(publisher.says("/large", reply)))
        assert queued.acquire(timeout=PATIENCE)
        narrow.release(ask)
        assert fetched(waiting.result(PATIENCE)).body == LARGE


def test_r42_whoever_waits_too_long_is_given_back(
    publisher: FeedServer, holder: tuple[Client, Ask], narrow: Bodies
) -> None:
    client, ask = holder
    late = ask_for(publisher.says("/large", Reply(200, LARGE)), timeout=0.2)
    answer = client.fetch(late)
    assert isinstance(answer, Cut)
    assert answer.seconds < 0.2, "the wait was ours"
    narrow.release(ask)
    fetched(client.fetch(late))


def test_r42_r54_a_stop_ends_the_waiting(
    publisher: FeedServer,
    make_client: MakeClient,
    holder: tuple[Client, Ask],
    narrow: Bodies,
    queued: threading.Semaphore,
) -> None:
    client, ask = holder
    with ThreadPoolExecutor() as pool:
        waiting = [
            pool.submit(client.fetch, ask_for(publisher.says(f"/{number}", Reply(200, LARGE)))) for number in range(4)
        ]
        for _ in range(4):
            assert queued.acquire(timeout=PATIENCE)
        client.cut()
        answers: list[Answer] = [each.result(PATIENCE) for each in waiting]
    assert all(isinstance(answer, Cut) for answer in answers)
    narrow.release(ask)  # to nobody: those who queued have left
    fetched(make_client(LOOPBACK, bodies=narrow).fetch(ask_for(publisher.says("/large", Reply(200, LARGE)))))


def test_r42_a_fetch_that_fails_keeps_no_place(publisher: FeedServer, make_client: MakeClient, narrow: Bodies) -> None:
    client = make_client(LOOPBACK, bodies=narrow)
    failed(client.fetch(ask_for(publisher.says("/cut", Truncated(200, LARGE)))))
    fetched(client.fetch(ask_for(publisher.says("/large", Reply(200, LARGE)), timeout=1)))


def test_r42_files_count_too(tmp_path: Path, holder: tuple[Client, Ask], narrow: Bodies) -> None:
    client, ask = holder
    path = tmp_path / "feed.xml"
    path.write_bytes(LARGE)
    file = ask_for(file_url(path), path=path, reading=Reading(kind=Kind.FILE), timeout=0.1)
    assert isinstance(client.fetch(file), Cut)
    narrow.release(ask)
    assert fetched(client.fetch(file)).body == LARGE


def test_r42_a_place_that_comes_too_late_goes_on_to_the_next(narrow: Bodies) -> None:
    first, second = ask_for(Url("http://a.example/")), ask_for(Url("http://b.example/"))
    permit = Guard((), lambda host: ()).permit(first.url)
    ended, flight = Flight(permit, 5), Flight(permit, 5)
    ended.end(Ended.CUT)
    assert narrow.take(first, flight, 0)
    assert not narrow.take(second, ended, 5)
    narrow.release(first)
    assert narrow.take(second, flight, 0)


def test_r42_the_clock_of_a_flight_stands_still_meanwhile() -> None:
    flight = Flight(Guard((), lambda host: ()).permit(Url("http://a.example/")), 0.1)
    watch = Watch(lambda: False)
    with watch.over(flight):
        with watch.paused(flight):
            threading.Event().wait(0.2)  # the time passes in which it would have been ended
        assert flight.ended is None
        assert flight.waited >= 0.2
        assert flight.deadline == pytest.approx(flight.started + 0.1 + flight.waited)
        assert flight.patience() == 0
        threading.Event().wait(0.3)
        assert flight.ended is Ended.OVERDUE, "and goes on afterwards"
    watch.close()


def test_r42_whole_polls_let_go_of_their_bodies(sample_site: SampleSite, publisher: FeedServer) -> None:
    body = rss(item(1)).replace(b"<channel>", b"<channel><!--" + b"x" * SMALL_BYTES + b"-->")
    urls = [publisher.serve("/", body, host=f"127.0.0.{n}") for n in range(2, 6)]
    sample_site.writes("sources:\n" + "".join(f"  - {{url: '{url}', timeout: 5s}}\n" for url in urls))
    report = sample_site.poll()
    assert (report["fetched"], report["failed"]) == (4, 0)
