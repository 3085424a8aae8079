"""Through a proxy: names are judged here first, since the proxy does the connecting (S9)."""

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, replace

import pytest

from aggregator.fetch.guard import FORBIDDEN, LOCAL_NAME, PRIVATE, STRANGER
from aggregator.model.settings import Secret
from aggregator.urls import Url, normalise
from tests.feed_server import Asked, FeedServer, Hangs, Reply, Talk, redirect
from tests.fetch.conftest import ATOM, MakeClient, Names, ask_for, failed, fetched, name, network

PUBLIC = "93.184.216.34"


@dataclass
class Tunnel(Reply):
    """Answers CONNECT, and passes bytes to a port on loopback."""

    port: int = 0

    def play(self, asked: Asked, talk: Talk) -> bool:
        with socket.create_connection(("127.0.0.1", self.port)) as target:
            talk.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(target, talk.sock))
            back.start()
            pump(talk.sock, target)
            back.join()
        return False


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one of the two has gone
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def proxied(publisher: FeedServer, credentials: str = "") -> Secret:
    return Secret(f"http://{credentials}127.0.0.1:{publisher.port}/")


def test_s9_a_plain_request_goes_through_the_proxy(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["feeds.example"] = [PUBLIC]
    publisher.says("http://feeds.example/x?a=1", Reply(200, ATOM))
    client = make_client(proxy=proxied(publisher, "me:p%40ss@"))
    for _ in range(2):
        assert fetched(client.fetch(ask_for(Url("http://feeds.example/x?a=1")))).body == ATOM
    assert publisher.asked[0].headers["Host"] == "feeds.example"
    assert publisher.asked[0].headers["Proxy-Authorization"] == "Basic bWU6cEBzcw=="
    assert publisher.connections == 1


def test_s9_a_secure_one_goes_through_a_tunnel(publisher: FeedServer, make_client: MakeClient, names: Names) -> None:
    names["feeds.example"] = [PUBLIC]
    with FeedServer(tls=True, names=("feeds.example",)) as secure:
        secure.serve("/", ATOM)
        publisher.says(f"feeds.example:{secure.port}", Tunnel(port=secure.port))
        tls = ssl.create_default_context(cafile=secure.authority)
        client = make_client(proxy=proxied(publisher, "me:pw@"), tls=tls)
        url = Url(f"https://feeds.example:{secure.port}/")
        assert fetched(client.fetch(ask_for(url))).body == ATOM
        assert publisher.asked[0].headers["Proxy-Authorization"] == "Basic bWU6cHc="
        assert "Proxy-Authorization" not in secure.asked[0].headers
        client.close()


@pytest.mark.parametrize(
    ("addresses", "rule"),
    [
        pytest.param(["127.0.0.1"], PRIVATE, id="private"),
        pytest.param([PUBLIC, "10.0.0.1"], PRIVATE, id="one-of-them-private"),
        pytest.param(["169.254.169.254"], FORBIDDEN, id="metadata"),
    ],
)
def test_s9_names_are_judged_here(
    publisher: FeedServer, make_client: MakeClient, names: Names, addresses: list[str], rule: str
) -> None:
    names["inside.example"] = addresses
    answer = failed(make_client(proxy=proxied(publisher)).fetch(ask_for(Url("http://inside.example/"))))
    assert (answer.code, rule in answer.text) == ("refused", True)
    assert publisher.connections == 0


def test_s9_on_each_hop(publisher: FeedServer, make_client: MakeClient, names: Names) -> None:
    names["feeds.example"], names["inside.example"] = [PUBLIC], ["10.0.0.1"]
    publisher.says("http://feeds.example/", redirect("http://inside.example/"))
    answer = failed(make_client(proxy=proxied(publisher)).fetch(ask_for(Url("http://feeds.example/"))))
    assert answer.code == "refused"
    assert len(publisher.asked) == 1


def test_s9_what_is_allowed_is_allowed_there_too(publisher: FeedServer, make_client: MakeClient, names: Names) -> None:
    names["inside.example"] = ["10.0.0.1"]
    publisher.says("http://inside.example/", Reply(200, ATOM))
    client = make_client(network("10.0.0.0/8"), proxy=proxied(publisher))
    fetched(client.fetch(ask_for(Url("http://inside.example/"))))


def test_s9_a_name_that_only_the_proxy_resolves_is_fetched(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["feeds.example"] = socket.gaierror(-2, "no")
    publisher.says("http://feeds.example/", Reply(200, ATOM))
    with FeedServer(tls=True, names=("feeds.example",)) as secure:
        secure.serve("/", ATOM)
        publisher.says(f"feeds.example:{secure.port}", Tunnel(port=secure.port))
        client = make_client(proxy=proxied(publisher), tls=ssl.create_default_context(cafile=secure.authority))
        for url in (Url("http://feeds.example/"), Url(f"https://feeds.example:{secure.port}/")):
            assert fetched(client.fetch(ask_for(url))).body == ATOM
        client.close()


def test_s9_a_name_server_that_does_not_answer_holds_up_no_proxied_fetch(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    answered = threading.Event()
    names["feeds.example"] = lambda: [PUBLIC] if answered.wait(30) else []
    publisher.says("http://feeds.example/", Reply(200, ATOM))
    try:
        assert fetched(make_client(proxy=proxied(publisher)).fetch(ask_for(Url("http://feeds.example/")))).body == ATOM
    finally:
        answered.set()


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        pytest.param("intranet", LOCAL_NAME, id="no-dot"),
        pytest.param("db.corp", LOCAL_NAME, id="local-suffix"),
        pytest.param("printer.LOCAL.", LOCAL_NAME, id="other-spelling"),
        pytest.param("metadata.google.internal", FORBIDDEN, id="metadata"),
        pytest.param("10.0.0.1", PRIVATE, id="literal"),
        pytest.param("[fd00::1]", PRIVATE, id="literal-ipv6"),
        pytest.param("0x7f.1", PRIVATE, id="literal-in-disguise"),
        pytest.param("169.254.169.254", FORBIDDEN, id="literal-metadata"),
    ],
)
def test_s9_what_is_local_by_its_form_is_refused_unresolved(
    publisher: FeedServer, make_client: MakeClient, names: Names, host: str, rule: str
) -> None:
    for spelling in (host, host.lower(), host.lower().rstrip("."), host.rstrip(".")):
        if not spelling[-1].isdigit() and spelling[-1] != "]":
            names[spelling] = socket.gaierror(-2, "no")
    answer = failed(make_client(proxy=proxied(publisher)).fetch(ask_for(normalise(f"http://{host}/"))))
    assert (answer.code, rule in answer.text) == ("refused", True)
    assert publisher.connections == 0


def test_s9_a_local_name_that_is_allowed_goes_to_the_proxy_unresolved(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["wiki.internal"] = names["feeds.example"] = socket.gaierror(-2, "no")
    publisher.says("http://wiki.internal/", Reply(200, ATOM))
    publisher.says("http://feeds.example/", redirect("http://wiki.internal/"))
    client = make_client(name("wiki.internal"), proxy=proxied(publisher))
    fetched(client.fetch(ask_for(Url("http://wiki.internal/"))))
    answer = failed(client.fetch(ask_for(Url("http://feeds.example/"))))
    assert (answer.code, STRANGER in answer.text) == ("refused", True)


def test_a_proxy_that_is_not_there(make_client: MakeClient, names: Names) -> None:
    names["feeds.example"] = [PUBLIC]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = Secret(f"http://me:hush@127.0.0.1:{taken.getsockname()[1]}/")
        for scheme in ("http", "https"):
            answer = failed(make_client(proxy=proxy).fetch(ask_for(Url(f"{scheme}://feeds.example/"))))
            assert answer.code == "connect"
            assert "proxy" in answer.text
            assert "hush" not in answer.text


def test_a_proxy_that_refuses_a_tunnel(publisher: FeedServer, make_client: MakeClient, names: Names) -> None:
    names["feeds.example"] = [PUBLIC]
    publisher.says("feeds.example:443", Reply(403))
    answer = failed(make_client(proxy=proxied(publisher)).fetch(ask_for(Url("https://feeds.example/"))))
    assert answer.code == "connect", answer.text


def test_p81_a_proxy_that_hangs(publisher: FeedServer, make_client: MakeClient, names: Names) -> None:
    names["feeds.example"] = [PUBLIC]
    publisher.says("feeds.example:443", Hangs())
    client = make_client(proxy=proxied(publisher))
    assert failed(client.fetch(ask_for(Url("https://feeds.example/"), timeout=0.3))).code == "timeout"


def test_a_source_may_have_a_proxy_of_its_own_or_none(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["feeds.example"] = [PUBLIC]
    direct = publisher.says("/plain", Reply(200, b"direct"))
    with FeedServer() as other:
        for server, body in ((publisher, b"usual"), (other, b"own")):
            server.says("http://feeds.example/x", Reply(200, body))
        client = make_client(network("127.0.0.0/8"), proxy=proxied(publisher))
        ask = ask_for(Url("http://feeds.example/x"))
        own = replace(ask, proxy=proxied(other, "me:pw@"))
        assert [fetched(client.fetch(each)).body for each in (ask, own, ask, own)] == [b"usual", b"own"] * 2
        assert other.asked[0].headers["Proxy-Authorization"] == "Basic bWU6cHc="
        assert "Proxy-Authorization" not in publisher.asked[0].headers
        assert (publisher.connections, other.connections) == (1, 1), "each keeps its connections"
        assert fetched(client.fetch(replace(ask_for(direct), proxy=Secret("")))).body == b"direct"
    lost = Secret(f"http://127.0.0.1:{other.port}/")
    answer = failed(client.fetch(replace(ask, proxy=lost)))
    assert "the proxy can't be reached" in answer.text


def test_robots_txt_is_asked_through_the_proxy_of_the_source(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["pages.example"] = [PUBLIC]
    publisher.says("http://pages.example/robots.txt", Reply(404))
    publisher.says("http://pages.example/news", Reply(200, b"<p>news</p>"))
    ask = replace(ask_for(Url("http://pages.example/news")), obeys_robots=True, proxy=proxied(publisher))
    assert fetched(make_client().fetch(ask)).body == b"<p>news</p>"
    assert [asked.path for asked in publisher.asked] == ["http://pages.example/robots.txt", "http://pages.example/news"]
