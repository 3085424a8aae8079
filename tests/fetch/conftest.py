"""A client that may reach loopback, sources to ask, and a name server that says what the test wants."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aggregator.fetch import Client
from aggregator.model.ask import Ask, Validators
from aggregator.model.job import SourceJob, unstored_job
from aggregator.model.poll import Failed, Fetched, NotModified
from aggregator.model.settings import HostRule, Source, SourceKey
from aggregator.urls import Url, host_key_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AGENT = "aggregator/0.1 (+https://planet.example.org/; ops@example.org)"
ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:x</id><title>T</title></feed>'


def network(text: str, **manners: Any) -> HostRule:
    """Return an entry under `hosts:` for a network, with allow_private by default."""
    return HostRule(name=text, network=ipaddress.ip_network(text), **{"allow_private": True, **manners})


def name(text: str, **manners: Any) -> HostRule:
    """Return an entry under `hosts:` for a host name, likewise."""
    return HostRule(name=text, **{"allow_private": True, **manners})


LOOPBACK = network("127.0.0.0/8")

MakeClient = Callable[..., Client]


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Make clients that end with the test."""
    made: list[Client] = []

    def make(*hosts: HostRule, **options: Any) -> Client:
        client = Client(**{"user_agent": AGENT, "clock": lambda: NOW, "hosts": hosts, **options})
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    """Return a client for which all of loopback is open."""
    return make_client(LOOPBACK)


def ask_for(url: Url, **fields: Any) -> Ask:
    """Return the request of a poll, made from fields of a `SourceJob` or of its `Source`, or of a further page."""
    is_further = fields.pop("is_further", False)
    of_job = {key: fields.pop(key) for key in list(fields) if key in SourceJob.__dataclass_fields__ and key != "source"}
    if isinstance(fields.get("timeout"), int | float):
        fields["timeout"] = timedelta(seconds=fields["timeout"])
    source = Source(**{"key": SourceKey("it"), "url": url, **fields})
    job = replace(unstored_job(source, host_key_of(url), NOW), **of_job)
    return replace(job.ask(), is_further=is_further)


def again(ask: Ask, answer: object) -> Ask:
    """Return the request of the next poll, after a poll that was stored (P3, P5)."""
    assert isinstance(answer, Fetched)
    validators = Validators(url=answer.url, etag=answer.etag, last_modified=answer.last_modified)
    return replace(ask, validators=validators, body_digest=answer.body_digest)


def fetched(answer: object) -> Fetched:
    """Take an answer for a body, or fail with what it is instead."""
    assert isinstance(answer, Fetched), answer
    return answer


def failed(answer: object) -> Failed:
    """Take an answer for a failure; its error must hold nothing of the fetch alive."""
    assert isinstance(answer, Failed), answer
    assert answer.error is not None
    assert not any((answer.error.__traceback__, answer.error.__context__, answer.error.__cause__))
    return answer


def not_modified(answer: object) -> NotModified:
    """Take an answer for a 304, or fail with what it is instead."""
    assert isinstance(answer, NotModified), answer
    return answer


Names = dict[str, Any]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Be the name server: a name leads to a list of addresses, to an error, or to what a function gives each time."""
    table: Names = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any, **more: Any) -> Any:
        found = table.get(host)
        if found is None:
            return real(host, port, *rest, **more)
        if callable(found):
            found = found()
        if isinstance(found, Exception):
            raise found
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table
