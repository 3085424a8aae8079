"""Every exception of the libraries is mapped to an error of ours."""

import http.client
import inspect
import socket
import ssl
from collections.abc import Iterator
from types import ModuleType

import pytest
import requests
import urllib3.exceptions

from aggregator.errors import FetchError, NameUnknown
from aggregator.fetch.faults import RAISED, translate
from aggregator.fetch.head import Fault
from aggregator.urls import Url

URL = Url("http://a.example/feed?token=hush")
CODES = {
    # requests
    "ConnectTimeout": "timeout",
    "ReadTimeout": "timeout",
    "Timeout": "timeout",
    "SSLError": "tls",
    "ProxyError": "connect",
    "InvalidProxyURL": "connect",
    "TooManyRedirects": "redirect",
    "ChunkedEncodingError": "short",
    "ContentDecodingError": "http",
    "InvalidURL": "http",
    # urllib3
    "NameResolutionError": "dns",
    "NewConnectionError": "connect",
    "ConnectTimeoutError": "timeout",
    "ReadTimeoutError": "timeout",
    "TimeoutError": "timeout",
    "IncompleteRead": "short",
    "InvalidChunkLength": "short",
    "ProtocolError": "reset",
    "ConnectionError": "reset",
    "DecodeError": "http",
    "InvalidHeader": "http",
    "LocationParseError": "http",
    # http.client
    "RemoteDisconnected": "reset",
    "BadStatusLine": "http",
    "LineTooLong": "http",
}


def raised(module: ModuleType) -> Iterator[type[Exception]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind.__module__ == module.__name__:
            yield kind


EVERYTHING = sorted(
    {*raised(requests.exceptions), *raised(urllib3.exceptions), *raised(http.client), *raised(ssl)},
    key=lambda kind: (kind.__module__, kind.__name__),
)


def made(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    error.args = ("secret 10.0.0.1",)
    return error


@pytest.mark.parametrize("kind", EVERYTHING, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_exception_of_the_libraries_is_ours_afterwards(kind: type[Exception]) -> None:
    assert issubclass(kind, RAISED)
    error = translate(made(kind), URL)
    assert isinstance(error, FetchError)
    assert error.url == URL
    assert "secret" not in str(error)
    assert "10.0.0.1" not in str(error)
    assert "hush" not in str(error)
    if kind.__name__ in CODES:
        assert error.code == CODES[kind.__name__]


def test_the_cause_is_what_counts() -> None:
    pool: object = None
    cause = urllib3.exceptions.NameResolutionError("a.example", pool, socket.gaierror(-2, "no"))  # type: ignore[arg-type]  # no pool is needed
    outer = urllib3.exceptions.MaxRetryError(pool, "/", cause)  # type: ignore[arg-type]  # as above
    assert isinstance(translate(requests.exceptions.ConnectionError(outer), URL), NameUnknown)


def test_our_own_errors_come_through() -> None:
    own = NameUnknown(URL, "a.example")
    outer = requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("aborted", Fault(own)))
    assert translate(outer, URL) is own


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "reset", "connection reset by peer"),
        (BrokenPipeError(32, "Broken pipe"), "reset", "broken pipe"),
        (OSError(113, "No route to host"), "reset", "no route to host"),
        (TimeoutError(), "timeout", "20 s"),
        (ssl.SSLError(1, "x"), "tls", "handshake"),
        (UnicodeError("label too long"), "dns", "a.example"),
        (RecursionError(), "reset", ""),
    ],
)
def test_the_systems_errors(error: Exception, code: str, text: str) -> None:
    found = translate(error, URL)
    assert found.code == code
    assert text in str(found)


def test_causes_in_a_circle_end() -> None:
    one, two = OSError("a"), OSError("b")
    one.__cause__, two.__cause__ = two, one
    assert translate(one, URL).code == "reset"
