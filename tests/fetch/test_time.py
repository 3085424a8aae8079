"""Nothing takes longer than it may, and a stop is a stop (P81, R54)."""

import gc
import queue
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from urllib3.util import Timeout

from aggregator.errors import TimedOut
from aggregator.fetch import Client, connection
from aggregator.fetch import client as module
from aggregator.fetch.flight import Flight
from aggregator.model.ask import Ask
from aggregator.model.poll import Answer, Cut
from aggregator.model.settings import Kind, Reading
from aggregator.urls import Url
from tests.feed_server import Chunked, FeedServer, Hangs, Held, Reply, Slow, UntilClose
from tests.fetch.conftest import ATOM, LOOPBACK, MakeClient, Names, ask_for, failed, fetched
from tests.patience import PATIENCE


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Hangs(), id="no-answer"),
        pytest.param(Hangs(first=b"HTTP/1.1 200 OK\r\nX-H"), id="half-a-head"),
        pytest.param(Hangs(first=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<feed"), id="half-a-body"),
        pytest.param(Hangs(first=b"HTTP/1.1 200 OK\r\n\r\n<feed/>"), id="a-body-that-looks-whole-when-it-is-shut"),
        pytest.param(Hangs(first=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<f"), id="half-a-chunk"),
        pytest.param(Slow(200, ATOM, pause=0.02, head_too=True), id="dripping-head"),
        pytest.param(Slow(200, ATOM * 10, pause=0.02), id="dripping-body"),
        pytest.param(Slow(200, ATOM * 10, {"Connection": "close"}, pause=0.02), id="dripping-body-that-closes"),
    ],
)
def test_p81_the_whole_poll_has_an_end(publisher: FeedServer, client: Client, reply: Reply) -> None:
    start = time.monotonic()
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", reply), timeout=0.3)))
    assert 0.29 < time.monotonic() - start < 10
    assert (answer.code, answer.seconds > 0.29) == ("timeout", True)
    assert isinstance(answer.error, TimedOut)
    assert "timeout in feeds.yaml" in answer.text


def test_p81_redirects_count(publisher: FeedServer, client: Client) -> None:
    publisher.says("/b", Hangs())
    url = publisher.says("/a", Reply(302, b"", {"Location": "/b"}))
    answer = failed(client.fetch(ask_for(url, timeout=0.3)))
    assert answer.code == "timeout"
    assert len(answer.hops) == 1


def test_p81_between_bytes(publisher: FeedServer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", Timeout(connect=0.1, read=0.1))
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", Hangs()))))
    assert answer.code == "timeout"
    assert "further byte" in answer.text


def test_a_timeout_leaves_the_connection_to_nobody(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Hangs(), Reply(200, ATOM))
    failed(client.fetch(ask_for(url, timeout=0.2)))
    fetched(client.fetch(ask_for(url)))
    assert publisher.connections == 2


# --- Connecting ------------------------------------------------------------------------------------------------------


@pytest.fixture
def full_port() -> Iterator[int]:
    """Return a port where connecting hangs: its queue is full, and nothing accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(address)
            waiting.append(sock)
        yield address[1]
        for sock in waiting:
            sock.close()


def test_p81_connecting_has_an_end(client: Client, full_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.2)
    start = time.monotonic()
    answer = failed(client.fetch(ask_for(Url(f"http://127.0.0.1:{full_port}/"))))
    assert answer.code == "timeout"
    assert time.monotonic() - start < 10


def test_p81_connecting_counts_for_the_whole(client: Client, full_port: int) -> None:
    start = time.monotonic()
    answer = failed(client.fetch(ask_for(Url(f"http://127.0.0.1:{full_port}/"), timeout=0.2)))
    assert answer.code == "timeout"
    assert time.monotonic() - start < 10


def test_a_dead_address_leaves_time_for_the_next(
    publisher: FeedServer, client: Client, names: Names, full_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that swallows everything, as a broken IPv6 does, must not take all of the time."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(connection, "LEAST_CONNECT_SECONDS", 0.1)
    with socket.socket() as listener:  # the dead one has the publisher's port, on another address
        listener.bind(("127.0.0.7", publisher.port))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.7", publisher.port))
        names["two.example"] = ["127.0.0.7", "127.0.0.1"]
        publisher.serve("/", ATOM)
        fetched(client.fetch(ask_for(publisher.url(host="two.example"))))
        for sock in waiting:
            sock.close()


def test_a_refused_address_gives_way_to_the_next(publisher: FeedServer, client: Client, names: Names) -> None:
    names["two.example"] = ["127.0.0.8", "127.0.0.1"]
    publisher.serve("/", ATOM)
    fetched(client.fetch(ask_for(publisher.url(host="two.example"))))


def test_nobody_there(client: Client) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and never listening
        answer = failed(client.fetch(ask_for(Url(f"http://127.0.0.1:{taken.getsockname()[1]}/"))))
    assert answer.code == "connect"
    assert "refused" in answer.text


def test_p81_a_name_server_that_is_silent(client: Client, names: Names) -> None:
    over = threading.Event()
    names["slow.example"] = lambda: over.wait(10) and ["127.0.0.1"]
    start = time.monotonic()
    answer = failed(client.fetch(ask_for(Url("http://slow.example/"), timeout=0.2)))
    over.set()
    assert answer.code == "timeout"
    assert time.monotonic() - start < 10


# --- Cutting ---------------------------------------------------------------------------------------------------------


class Fetching:
    """A fetch in a thread of its own."""

    def __init__(self, client: Client, ask: Ask) -> None:
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._thread = threading.Thread(target=lambda: self._answers.put(client.fetch(ask)), daemon=True)
        self._thread.start()

    def answer(self) -> Answer:
        """Wait for its answer."""
        return self._answers.get(timeout=PATIENCE)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Hangs(), id="no-answer"),
        pytest.param(Hangs(first=b"HTTP/1.1 200 OK\r\n\r\n<feed/>"), id="half-a-body"),
        pytest.param(Hangs(first=b"HTTP/1.1 404 Not Found\r\n\r\nhalf"), id="half-an-error"),
    ],
)
def test_r54_cut_ends_what_is_under_way(publisher: FeedServer, client: Client, reply: Reply) -> None:
    fetching = Fetching(client, ask_for(publisher.says("/feed.xml", reply)))
    publisher.wait_until_asked()
    client.cut()
    assert isinstance(fetching.answer(), Cut)


def test_r54_cut_ends_all_of_them(publisher: FeedServer, client: Client) -> None:
    under_way = [Fetching(client, ask_for(publisher.says(f"/{number}", Hangs()))) for number in range(20)]
    publisher.wait_until_asked(20)
    client.cut()
    assert all(isinstance(fetching.answer(), Cut) for fetching in under_way)


def test_r54_cut_ends_connecting(client: Client, full_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    connecting, really = threading.Event(), Flight.watch

    def watch(flight: Flight, sock: socket.socket) -> None:
        really(flight, sock)
        connecting.set()

    monkeypatch.setattr(Flight, "watch", watch)
    fetching = Fetching(client, ask_for(Url(f"http://127.0.0.1:{full_port}/")))
    assert connecting.wait(PATIENCE)
    client.cut()  # it may come before the socket connects, or while it does
    assert isinstance(fetching.answer(), Cut)


def test_r54_cut_ends_the_wait_for_a_name(client: Client, names: Names) -> None:
    asked, over = threading.Event(), threading.Event()

    def answer() -> list[str]:
        asked.set()
        over.wait(10)
        return ["127.0.0.1"]

    names["slow.example"] = answer
    fetching = Fetching(client, ask_for(Url("http://slow.example/")))
    assert asked.wait(PATIENCE)
    client.cut()
    assert isinstance(fetching.answer(), Cut)
    over.set()


def test_r54_later_fetches_are_cut_at_once(publisher: FeedServer, client: Client) -> None:
    client.cut()
    assert isinstance(client.fetch(ask_for(publisher.serve("/feed.xml", ATOM))), Cut)
    assert publisher.connections == 0


def test_r54_files_too(client: Client) -> None:
    client.cut()
    ask = ask_for(Url("file:///nowhere"), reading=Reading(kind=Kind.FILE))
    assert isinstance(client.fetch(ask), Cut)


def test_r54_what_was_finished_counts(publisher: FeedServer, client: Client) -> None:
    answer = client.fetch(ask_for(publisher.serve("/feed.xml", ATOM)))
    client.cut()
    fetched(answer)


def test_close_leaves_no_thread_and_no_connection(publisher: FeedServer, make_client: MakeClient) -> None:
    before = set(threading.enumerate())
    client = make_client(LOOPBACK)
    fetched(client.fetch(ask_for(publisher.serve("/feed.xml", ATOM))))
    client.close()
    client.close()
    publisher.wait_until_open(0)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("fetch")]


# --- Many at once ----------------------------------------------------------------------------------------------------


def flights() -> list[Flight]:
    """Return all fetches that anything refers to, those of earlier tests included."""
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, Flight)]


def test_threads_share_a_client(publisher: FeedServer, client: Client) -> None:
    """Each answer goes to who asked for it, on whatever connection it came."""
    kinds = (Reply, UntilClose, Chunked)
    urls = [publisher.says(f"/{number}", kinds[number % 3](200, b"%d" % number * 500)) for number in range(60)]
    found: dict[int, bytes] = {}
    before = flights()

    def work(start: int) -> None:
        for number in range(start, 60, 6):
            for _ in range(5):
                found[number] = fetched(client.fetch(ask_for(urls[number]))).body

    workers = [threading.Thread(target=work, args=(start,)) for start in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {number: b"%d" % number * 500 for number in range(60)}
    left = [each for each in flights() if not any(each is known for known in before)]
    assert not left, "a client forgets what is over"


def test_a_held_answer_comes_when_it_is_let_go(publisher: FeedServer, client: Client) -> None:
    fetching = Fetching(client, ask_for(publisher.says("/feed.xml", Held(200, ATOM))))
    publisher.wait_until_asked()
    publisher.release()
    assert fetched(fetching.answer()).body == ATOM
