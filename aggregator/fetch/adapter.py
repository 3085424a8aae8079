"""Transport adapter of requests, with our connections and without the work that `Session` repeats for each request.

A plain `Session.get` costs twice what `send` of a prepared request does: it looks for proxies and .netrc, merges
settings and asks the cookie jar. So there is no session, and with it no cookie jar (P79), no environment (P85) and no
redirect that isn't ours. What is overridden are the hooks that HTTPAdapter has for it.
"""

import logging
import ssl
import threading
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import PoolManager, ProxyManager
from urllib3.response import HTTPResponse
from urllib3.util import Retry, Timeout, make_headers

from aggregator.fetch.connection import GuardedHTTPPool, GuardedHTTPSPool, WatchedSocket
from aggregator.fetch.request import Headers
from aggregator.fetch.trip import origin_of
from aggregator.model.settings import Request
from aggregator.urls import Url, normalise, split_credentials

POOLS = 128  # hosts whose connections are kept; 40 kB each over TLS (measured), less without
POOL_SIZE = 16  # connections kept for one host: the most that `parallel` allows

# It would write down whole URLs, and with them what must not be (S44); what matters of it, our errors say.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_POOL_CLASSES: dict[str, Any] = {"http": GuardedHTTPPool, "https": GuardedHTTPSPool}


def system_trust() -> ssl.SSLContext:
    """Return the one TLS context: verification is always on, against the system's trust store (P84).

    OpenSSL finds the store, `SSL_CERT_FILE` and `SSL_CERT_DIR` included. On a machine without one, certifi's is used,
    which comes with requests.
    """
    context = ssl.create_default_context()
    folder = (
        ssl.get_default_verify_paths().capath
    )  # read when a certificate is needed, so it may hold what isn't counted
    if not context.cert_store_stats()["x509_ca"] and not (folder and any(Path(folder).glob("*.0"))):
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


class Adapter(HTTPAdapter):
    """The transport that all fetches share.

    Args:
        tls: the context for all connections; loading a trust store for each costs 5 ms and 1 MB. None: the system's,
            which is loaded at the first https request, since most commands send none.
        proxy: address of an HTTP proxy; the guard does not check this address.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, proxy: str | None = None) -> None:
        self._tls, self._trusting = tls, threading.Lock()
        self._trusts = False  # the pools have their context
        self.proxy = proxy
        super().__init__(POOLS, POOL_SIZE)
        self.max_retries = Retry(total=False)  # errors come as they are, not as "max retries exceeded"

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **rest: Any) -> None:
        """Make the pools (a hook of HTTPAdapter)."""
        manager: PoolManager
        if self.proxy is None:
            manager = PoolManager(connections, maxsize=maxsize, block=block)
        else:
            address, credentials = split_credentials(normalise(self.proxy))
            manager = ProxyManager(
                address,
                connections,
                proxy_headers=make_headers(proxy_basic_auth=":".join(credentials)) if credentials else None,
                proxy_ssl_context=self._context(),
                maxsize=maxsize,
                block=block,
            )
        manager.pool_classes_by_scheme = _POOL_CLASSES
        manager.key_fn_by_scheme = dict.fromkeys(("http", "https"), _key_of)  # type: ignore[arg-type]  # a smaller key: all else is the same for all
        self.poolmanager = manager

    def _context(self) -> ssl.SSLContext:
        context = self._tls = self._tls or system_trust()
        context.sslsocket_class = WatchedSocket
        return context

    def _trust(self) -> None:
        """Set the shared TLS context on pools of https hosts; once."""
        with self._trusting:
            if not self._trusts:
                self.poolmanager.connection_pool_kw["ssl_context"] = self._context()
                self._trusts = True

    def ask(self, url: Url, headers: Headers, timeout: Timeout, sent: Request) -> HTTPResponse:
        """Send a request and read the head of the response; the caller reads the body and closes the response.

        Raises:
            Exception: one of `faults.RAISED`.
        """
        request = requests.PreparedRequest()
        request.method, request.url = sent.method, url
        if sent.method != "GET":
            request.body = str.__str__(sent.body or "").encode()
            headers = {**headers, "Content-Length": str(len(request.body))}
        request.headers = headers  # type: ignore[assignment]  # urllib3 takes any mapping; a plain dict is quicker
        answer: HTTPResponse = self.send(request, stream=True, timeout=timeout).raw  # type: ignore[arg-type]  # the stubs know no Timeout, requests does
        return answer

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool of a host (a hook of HTTPAdapter)."""
        scheme, host, port = origin_of(request.url or "")
        if scheme == "https" and not self._trusts:
            self._trust()
        return self.poolmanager.connection_from_host(host, port, scheme)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave verification to the context (a hook of HTTPAdapter, which would load certifi for each connection)."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return the request target: the path, or the whole URL for a forwarding proxy (a hook of HTTPAdapter)."""
        url = request.url or ""
        if self.proxy is not None and url.startswith("http:"):
            return url
        path = url.partition("//")[2]
        start = min((place for mark in "/?" if (place := path.find(mark)) >= 0), default=len(path))
        target = path[start:]
        return target if target.startswith("/") else "/" + target

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Wrap the response (a hook of HTTPAdapter, which would also look for cookies and copy the headers)."""
        response = requests.Response()
        response.raw = resp
        return response

    def sweep(self) -> bool:
        """Close the pools that were not used for a minute, with their connections (P86).

        Returns:
            Whether any are left.
        """
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118  # it refuses to be iterated over; this is a copy
            pool = pools.get(key)
            if pool is not None and pool.is_idle():
                with pools.lock:
                    pools.pop(key, None)  # one that was taken in this moment works on, and goes with its last user
        return bool(pools)


def _key_of(context: dict[str, Any]) -> tuple[str, str, int]:
    return context["scheme"], context["host"], context["port"]
