"""`Ask`: one request with its redirects, and how the answer is read."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from aggregator.model.entry import Digest
from aggregator.model.observed import RequestMode
from aggregator.model.record import record
from aggregator.model.settings import Kind, Program, Reading, Request, Secret
from aggregator.urls import Url

GET: Final = Request()
AS_FEED: Final = Reading()
CRAWLED: Final = frozenset({Kind.HTML, Kind.SITEMAP})  # pages made for people: robots.txt binds (P89)


@record
class Validators:
    """ETag, Last-Modified or both, which are sent back byte for byte (P1), and the URL that they belong to (P8)."""

    url: Url
    etag: str | None = None
    last_modified: str | None = None


@record
class Ask:
    """Everything that `fetch` and `reader` know of a document: what is sent, and how the answer is read.

    Made for the document of a job, each of its further pages, the robots.txt of a site, and a hub ping. `fetch` counts
    the memory of a body by the identity of its `Ask`.
    """

    url: Url  # where the request goes
    configured: Url  # address in feeds.yaml; it alone, with its origin, gets `headers` and `auth` (P45)
    host_key: str  # whose budget the request counts against (P60)
    request: Request = GET
    reading: Reading = AS_FEED
    accept: str | None = None  # value of Accept; None: the usual one for `reading` (P77)
    mode: RequestMode = RequestMode.USUAL
    headers: tuple[tuple[str, Secret], ...] = ()
    auth: tuple[str, Secret] | None = None  # user and password
    timeout: timedelta = timedelta(seconds=30)  # of the whole request, redirects included
    path: Path | None = None  # a local file is read and nothing is sent; None: no local source (S2)
    program: Program | None = None  # that is run in place of reading `path`
    source: str = ""  # key of the source, which the program is told
    validators: Validators | None = None
    body_digest: Digest | None = None  # of the last body that was read and stored (P4)
    obeys_robots: bool = False  # the site's robots.txt is fetched first and obeyed (P89)
    own_port: bool = True  # the port of `configured` is allowed even if it is not a web server's (S7)
    proxy: Secret | None = None  # address of an HTTP proxy, empty for none; None: that of all sources
    is_further: bool = False  # the host was asked a moment ago, so the request waits for its spacing (P61)
    window: bytes | None = None  # of the source: items in it need not be read; None: all are read
    is_isolated: bool = False  # the body is read in a separate process, whatever its size (S15)
