"""Parts of habits: documents, validators, and ways to answer. Everything follows from the virtual time."""

import gzip
import select
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.feed_server import Asked, Headers, Reply, Talk
from tests.manners.exchange import Act, Answer, Visit

OPENED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # about when the origin opens; entries are dated from this time on
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RSS_TYPE = ("Content-Type", "application/rss+xml")
HTML = b"<!DOCTYPE html><html><head><title>Parked</title></head><body>Nothing here</body></html>"

BLOCK = 64 << 10  # bytes
LONGEST_BODY = 64 << 20  # sent to a client that never stops reading
LONGEST_SECONDS = 120  # longest wait

Pairs = list[tuple[str, str | bytes]]
Says = Callable[[Visit], Sequence[tuple[str, str | bytes]]]


def http_date(when: datetime) -> str:
    """Return an IMF-fixdate."""
    return format_datetime(when, usegmt=True)


@dataclass
class Stream(Reply):
    """An endless body, one block each millisecond: little is in transit when the client leaves.

    For a client that never leaves, the body ends after 64 MiB, which limits memory.
    """

    def play(self, asked: Asked, talk: Talk) -> bool:
        """Send as long as the client reads."""
        talk.send(self.head())
        for _ in range(LONGEST_BODY // BLOCK):
            talk.send(bytes(BLOCK))
            talk.wait(0.001)
        return False

    def head(self) -> bytes:
        """Return a head without a Content-Length."""
        return f"HTTP/1.1 {self.status} Odd\r\n\r\n".encode()


@dataclass
class Silent(Reply):
    """A response that never comes, until the client leaves."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        """Wait for the end of the connection."""
        select.select([talk.sock], [], [], LONGEST_SECONDS)
        return False


def document(name: str, entries: int, period: timedelta, *, extra: str = "", padding: int = 0) -> bytes:
    """Return a feed of the last five entries; entry n was published n - 5 periods after the origin opened."""
    items = "".join(
        f"<item><title>{name} {n}</title><guid isPermaLink='false'>{name}-{n}</guid>"
        f"<link>https://{name}.example/{n}</link><pubDate>{http_date(OPENED + (n - 5) * period)}</pubDate>"
        f"<description>What entry {n} of {name} has to say, at some length.</description></item>"
        for n in range(entries, max(0, entries - 5), -1)
    )
    space = (
        "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/' xmlns:atom='http://www.w3.org/2005/Atom' "
        "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"
    )
    head = f"<rss version='2.0' {space}><channel><title>{name}</title><link>https://{name}.example/</link>{extra}"
    return f"{head}<description>{'x' * padding}</description>{items}</channel></rss>".encode()


def quoted(name: str, version: int) -> str:
    """Return an ETag like most."""
    return f'"{name}-{version}"'


def dated(name: str, version: int) -> str:
    """Return a Last-Modified like most."""
    return http_date(OPENED - DAY + version * timedelta(minutes=7))


def nothing(visit: Visit) -> Pairs:
    """Add no header fields."""
    return []


def fixed(**fields: str) -> Says:
    """Add the same header fields each time; underscores become hyphens."""
    pairs: Pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return lambda visit: pairs


def feed(
    name: str,
    period: timedelta = 36 * HOUR,
    *,
    etag: Callable[[str, int], str | None] | None = quoted,
    modified: Callable[[str, int], str | None] | None = dated,
    says: Says = nothing,
    says_304: Says | None = None,
    knows: Callable[[Headers, str | None, str | None], bool] | None = None,
    tag_period: timedelta | None = None,
    until: timedelta | None = None,
    extra: str = "",
    padding: int = 0,
    coding: bool = False,
    **hints: Any,
) -> Act:
    """Return a habit: a feed that has a new entry each period and answers conditional requests.

    Args:
        name: of the habit.
        period: between two entries.
        etag: from name and version; None, or giving None: no ETag.
        modified: as `etag`, for Last-Modified.
        says: more header fields of each answer,
        says_304: or of a 304 alone.
        knows: whether a request's validators are the current ones; as RFC 9110 wants it if None.
        tag_period: time after which the validators change, where that is not with the body.
        until: since the opening; no entries come later.
        extra: more of the channel.
        padding: bytes that make the body larger.
        coding: pack the body in each of the codings the request names, in turn.
        hints: what the document says of pace, for the ledger.
    """
    knows = knows or is_current

    def act(visit: Visit) -> Answer:
        since = min(visit.since, until) if until else visit.since
        entries = 5 + since // period
        version = visit.since // tag_period if tag_period else entries
        tag, stamp = etag and etag(name, version), modified and modified(name, version)
        pairs: Pairs = list(says(visit))
        if tag is not None:
            pairs += [("ETag", part) for part in tag.split("\n")]
        if stamp is not None:
            pairs.append(("Last-Modified", stamp))
        joined = tag.replace("\n", ", ") if tag else None
        if knows(visit.asked.headers, joined, stamp):
            return Answer(reply=Reply(304, b"", [*pairs, *(says_304(visit) if says_304 else ())]))
        body = document(name, entries, period, extra=extra, padding=padding)
        if coding:
            body, packed = pack(body, visit)
            pairs.append(("Content-Encoding", packed))
        return Answer(reply=Reply(200, body, [*pairs, RSS_TYPE]), is_feed=True, **hints)

    return act


def is_current(headers: Headers, tag: str | None, stamp: str | None) -> bool:
    """Compare as RFC 9110 requires: the tag if one was sent, otherwise the date for equality."""
    if "If-None-Match" in headers:
        return tag is not None and headers["If-None-Match"] == tag
    return stamp is not None and headers.get("If-Modified-Since") == stamp


def never(headers: Headers, tag: str | None, stamp: str | None) -> bool:
    """Ignore validators: every request gets a 200."""
    return False


def by_date_alone(headers: Headers, tag: str | None, stamp: str | None) -> bool:
    """Never match a tag, as servers that append a suffix when they compress; only dates are compared."""
    return "If-None-Match" not in headers and headers.get("If-Modified-Since") == stamp


def pack(body: bytes, visit: Visit) -> tuple[bytes, str]:
    """Compress a body in one of the codings that the request names."""
    named = [part.split(";")[0].strip() for part in visit.asked.headers.get("Accept-Encoding", "").split(",")]
    known = [coding for coding in named if coding in ("gzip", "deflate")] or ["gzip"]
    coding = known[visit.earlier % len(known)]
    return (gzipped(body) if coding == "gzip" else zlib.compress(body)), coding


def gzipped(body: bytes) -> bytes:
    """Compress a body, always to the same bytes."""
    return gzip.compress(body, mtime=0)


def status(code: int, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Act:
    """Return a habit that gives the same response each time."""
    return lambda visit: Answer(reply=Reply(code, body, dict(headers or {})))


def wire(reply: Reply, *, arrives: bool = False) -> Act:
    """Return a habit whose responses are odd below HTTP."""
    return lambda visit: Answer(reply=reply, arrives=arrives)


def away(location: str | bytes, code: int = 302) -> Act:
    """Redirect; `{port}` becomes the port of the http hosts."""

    def act(visit: Visit) -> Answer:
        where = location.replace("{port}", str(visit.port)) if isinstance(location, str) else location
        return Answer(reply=Reply(code, b"", {"Location": where}))

    return act


def by_turns(*acts: Act) -> Act:
    """Answer in one way after the other, then again from the first."""
    return lambda visit: acts[visit.earlier % len(acts)](visit)


def at_first(times: int, act: Act, then: Act) -> Act:
    """Answer in one way a number of times, and in another way from then on."""
    return lambda visit: (act if visit.earlier < times else then)(visit)


def between(start: timedelta, end: timedelta, act: Act, otherwise: Act) -> Act:
    """Answer in one way during a span of time."""
    return lambda visit: (act if start <= visit.since < end else otherwise)(visit)


def on_some(every: int, act: Act, otherwise: Act) -> Act:
    """Answer in one way at each n-th request."""
    return lambda visit: (act if visit.earlier % every == every - 1 else otherwise)(visit)
