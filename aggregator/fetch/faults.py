"""Maps exceptions of requests, urllib3, http.client and sockets to our own errors."""

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

import requests
import urllib3.exceptions as wire

from aggregator.errors import (
    BadRedirect,
    BodyCut,
    ConnectFailed,
    ConnectionLost,
    FetchError,
    NameUnknown,
    ProtocolFault,
    TimedOut,
    TlsFailed,
)
from aggregator.fetch.connection import CONNECT_SECONDS
from aggregator.fetch.head import Fault
from aggregator.urls import Url, host_of

READ_SECONDS: Final = 20.0  # P81: between bytes

# All that may come out of a request. UnicodeError: a host that IDNA can't take; the last one is a plain ValueError.
RAISED: Final = (
    requests.exceptions.RequestException,
    wire.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
    wire.ProxySchemeUnsupported,
)


Maker = Callable[[BaseException, Url], FetchError]


def _tls_text(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is no good: {getattr(error, 'verify_message', 'it can not be verified')}"
    text = getattr(error, "reason", None)  # OpenSSL's own word, in capitals
    return text.lower().replace("_", " ") if isinstance(text, str) else "the handshake failed"


def _os_text(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).lower()


# What comes first is what tells most: a lost connection is also a ProtocolError, a refused one also a timeout.
_TRANSLATIONS: Final[tuple[tuple[tuple[type[BaseException], ...], Maker], ...]] = (
    (
        (wire.NameResolutionError, socket.gaierror, UnicodeError),
        lambda error, url: NameUnknown(url, host_of(url)),
    ),
    (
        (wire.ProxyError, requests.exceptions.ProxyError, wire.ProxySchemeUnknown, wire.ProxySchemeUnsupported),
        lambda error, url: ConnectFailed(url, "the proxy does not let us through"),
    ),
    (
        (requests.exceptions.InvalidProxyURL,),
        lambda error, url: ConnectFailed(url, "the proxy's address is not a URL"),
    ),
    (
        (ssl.SSLCertVerificationError,),
        lambda error, url: TlsFailed(url, _tls_text(error)),
    ),
    (
        (ssl.SSLError, wire.SSLError, requests.exceptions.SSLError),
        lambda error, url: TlsFailed(url, _tls_text(error)),
    ),
    (
        (wire.NewConnectionError,),
        lambda error, url: ConnectFailed(url, "it was not accepted"),
    ),
    (
        (wire.ConnectTimeoutError, requests.exceptions.ConnectTimeout),
        lambda error, url: TimedOut(url, TimedOut.CONNECTION, CONNECT_SECONDS),
    ),
    (
        (wire.TimeoutError, requests.exceptions.Timeout, TimeoutError),
        lambda error, url: TimedOut(url, "further byte", READ_SECONDS),
    ),
    (
        (http.client.IncompleteRead, wire.IncompleteRead, wire.InvalidChunkLength),
        lambda error, url: BodyCut(url, "the connection ended before it did"),
    ),
    (
        (http.client.RemoteDisconnected,),
        lambda error, url: ConnectionLost(url, "it was closed without an answer"),
    ),
    (
        (ConnectionError,),
        lambda error, url: ConnectionLost(url, _os_text(error)),
    ),
    (
        (http.client.HTTPException, wire.InvalidHeader, requests.exceptions.InvalidHeader, wire.HeaderParsingError),
        lambda error, url: ProtocolFault(url, "what answers there is no sound HTTP"),
    ),
    (
        (requests.exceptions.ChunkedEncodingError, wire.ResponseNotChunked, wire.BodyNotHttplibCompatible),
        lambda error, url: BodyCut(url, "its chunks are broken"),
    ),
    (
        (wire.DecodeError, requests.exceptions.ContentDecodingError, requests.exceptions.InvalidJSONError),
        lambda error, url: ProtocolFault(url, "the body is not packed as it says"),
    ),
    (
        (requests.exceptions.TooManyRedirects, wire.HostChangedError),
        lambda error, url: BadRedirect(url, "there are too many"),
    ),
    (
        (
            wire.LocationValueError,
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
            requests.exceptions.URLRequired,
        ),
        lambda error, url: ProtocolFault(url, "it is no URL that can be fetched"),
    ),
    (
        (wire.PoolError, wire.ProtocolError, requests.exceptions.ConnectionError),
        lambda error, url: ConnectionLost(url, "it ended in the middle"),
    ),
    (
        (requests.exceptions.RequestException, wire.HTTPError),
        lambda error, url: ProtocolFault(url, f"it could not be fetched ({type(error).__name__})"),
    ),
)


def translate(error: Exception, url: Url) -> FetchError:
    """Return our error for an exception. The text contains nothing of a response, and no address (S10).

    Args:
        error: one of `RAISED`, with its causes.
        url: of the request.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, Fault):
            return cause.error
    for kinds, make in _TRANSLATIONS:
        for cause in causes:
            if isinstance(cause, kinds):
                return make(cause, url)
    return ConnectionLost(url, _os_text(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps: as `reason`, among its arguments, or as its cause."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo and len(seen) < 20:
        part = todo.pop(0)
        if not isinstance(part, BaseException) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        todo += [getattr(part, "reason", None), getattr(part, "original_error", None), *part.args]
        todo.append(part.__cause__ or part.__context__)
