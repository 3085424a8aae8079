"""Habits of framing: how responses are cut, compressed, announced and broken off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zlib import compressobj

from tests.feed_server import Asked, Chunked, HeaderLines, Reply, Talk, TruncatedGzip, UntilClose
from tests.manners.exchange import Act, Answer, Habit, Visit
from tests.manners.habits import DAY, RSS_TYPE, Stream, document, feed, fixed, gzipped, on_some, status, wire


@dataclass
class EarlyHints(Reply):
    """Two interim responses before the final one (RFC 8297)."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        """Send all three responses."""
        talk.send(b'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nETag: "early"\r\n\r\n')
        return super().play(asked, talk)


@dataclass
class Http10(Reply):
    """HTTP/1.0 with a closed connection."""

    def play(self, asked: Asked, talk: Talk) -> bool:
        """Answer in HTTP/1.0."""
        talk.send(self.head().replace(b"HTTP/1.1", b"HTTP/1.0", 1) + self.body)
        return False


@dataclass
class Claims(Stream):
    """A response that announces 60 MB, and begins to send them."""

    def head(self) -> bytes:
        """Return a head with a Content-Length."""
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: 60000000\r\n\r\n"


def _framed(name: str, kind: Callable[..., Reply]) -> Habit:
    """Send each body in another framing."""
    plain = feed(name)

    def act(visit: Visit) -> Answer:
        answer = plain(visit)
        reply = answer.reply
        return answer if reply.status == 304 else replace(answer, reply=kind(200, reply.body, reply.headers))

    return Habit(name=name, acts={"feed": act})


def _packed(name: str, coding: str, pack: Callable[[bytes], bytes], *, is_honest: bool = True) -> Habit:
    """Send each body, or each fourth, with a true or a false content coding."""
    plain = feed(name)

    def act(visit: Visit) -> Answer:
        answer = plain(visit)
        if answer.status == 304:
            return answer
        pairs = [*answer.lines, ("Content-Encoding", coding)]
        return replace(answer, reply=Reply(200, pack(answer.reply.body), pairs), is_feed=is_honest)

    return Habit(name=name, acts={"feed": act if is_honest else on_some(4, _unconditional(act), plain)})


def _unconditional(act: Act) -> Act:
    """Answer 200 and ignore the validators."""
    return lambda visit: act(replace(visit, asked=replace(visit.asked, headers=type(visit.asked.headers)([]))))


def _cut(name: str, kind: Callable[..., Reply]) -> Habit:
    """Break off each fourth body, with new validators."""
    body = document(name, 9, DAY)
    broken = wire(kind(200, body, [("ETag", f'"{name}-cut"'), RSS_TYPE]))
    return Habit(name=name, acts={"feed": on_some(4, broken, feed(name))})


def _chunk_cut(status: int, body: bytes, headers: HeaderLines) -> Reply:
    return Chunked(status, body, headers, end=b"")


def _wall(visit: Visit) -> Answer:
    """Redirect to the same address until the request has a cookie."""
    if "Cookie" in visit.asked.headers:
        return feed("cookie-wall")(visit)
    return Answer(reply=Reply(302, b"", {"Location": "/cookie-wall/feed", "Set-Cookie": "seen=1; Path=/"}))


def _raw_deflate(body: bytes) -> bytes:
    packer = compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def _tempting(name: str) -> Act:
    """Name everything that a fetcher could be tempted to request; none of it exists."""

    def act(visit: Visit) -> Answer:
        there = f"http://{visit.asked.host}:{visit.port}/{name}"
        extra = (
            f"<image><url>{there}/logo.png</url><title>x</title><link>{there}/</link></image>"
            f"<atom:link rel='self' href='{there}/self'/><atom:link rel='hub' href='{there}/hub'/>"
            f"<atom:link rel='next' href='{there}/next'/><cloud domain='{visit.asked.host}' port='{visit.port}' "
            f"path='/{name}/cloud' registerProcedure='' protocol='http-post'/>"
            f"<itunes:new-feed-url>{there}/new</itunes:new-feed-url>"
            f"<item><title>a page</title><guid>{there}/page</guid><link>{there}/page</link>"
            f"<enclosure url='{there}/talk.mp3' length='9' type='audio/mpeg'/><comments>{there}/comments</comments>"
            f"<description>&lt;img src='{there}/pixel.gif'&gt;</description></item>"
        )
        says = fixed(Link=f"<{there}/hub>; rel=hub, <{there}/style.css>; rel=preload", Refresh=f"0; url={there}/other")
        return feed(name, extra=extra, says=says)(visit)

    return act


def _tempting_page(name: str) -> Act:
    """Return a page that names a feed, an icon, and where to go on."""
    page = (
        f"<!DOCTYPE html><html><head><title>Moved</title><meta http-equiv=refresh content='0; url=/{name}/new'>"
        f"<link rel=alternate type='application/rss+xml' href='/{name}/real'><link rel=icon href='/{name}/icon.png'>"
        "</head><body>See the new feed.</body></html>"
    )
    return on_some(4, status(200, body=page.encode(), headers={"Content-Type": "text/html"}), feed(name))


def _lowered(name: str) -> Act:
    """Write the names of header fields in lower case."""
    plain = feed(name)

    def act(visit: Visit) -> Answer:
        answer = plain(visit)
        pairs = [(field.lower(), value) for field, value in answer.lines]
        return replace(answer, reply=Reply(answer.status, answer.reply.body, pairs))

    return act


HABITS: Sequence[Habit] = (
    _framed("chunked", Chunked),
    _framed("until-close", UntilClose),
    _framed("early-hints", EarlyHints),
    _framed("http-10", Http10),
    _packed("x-gzip", "x-gzip", gzipped),
    _packed("gzip-upper", "GZIP", gzipped),
    _packed("gzip-twice", "gzip, gzip", lambda body: gzipped(gzipped(body))),
    _packed("deflate-raw", "deflate", _raw_deflate),
    _packed("identity", "identity", bytes),
    _packed("says-gzip", "gzip", bytes, is_honest=False),
    _packed("odd-coding", "compress", bytes, is_honest=False),
    _cut("chunk-cut", _chunk_cut),
    _cut("gzip-cut", TruncatedGzip),
    Habit(name="claims-much", acts={"feed": on_some(12, wire(Claims()), feed("claims-much"))}),
    Habit(name="bad-certificate", acts={"feed": feed("bad-certificate")}, is_secure=True, is_proven=False),
    Habit(name="cookie-wall", acts={"feed": _wall}),
    Habit(name="tempting", acts={"feed": _tempting("tempting")}),
    Habit(name="tempting-page", acts={"feed": _tempting_page("tempting-page")}),
    Habit(name="small-names", acts={"feed": _lowered("small-names")}),
    Habit(name="sized-304", acts={"feed": feed("sized-304", says_304=fixed(Content_Length="4321"))}),
    Habit(name="other-ways", acts={"feed": feed("other-ways", says=fixed(Alt_Svc='h3=":443"', Upgrade="h2c"))}),
    Habit(name="hangs-up", acts={"feed": feed("hangs-up", says=fixed(Connection="close"))}),
    Habit(name="vary", acts={"feed": feed("vary", says=lambda visit: [("Vary", "*"), ("Pragma", "no-cache")])}),
)
