"""Habits of redirecting: temporary, permanent, pointless and harmful."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from tests.feed_server import Reply
from tests.manners.exchange import Act, Answer, Habit
from tests.manners.habits import DAY, HOUR, HTML, at_first, away, between, by_turns, feed, on_some, status

TAGGED = [("ETag", '"way"'), ("Last-Modified", "Sun, 01 Mar 2026 00:00:00 GMT"), ("Cache-Control", "max-age=600")]
LED_TO = "127.0.2.9"
ELSEWHERE = "http://127.0.9.1:{port}"


def _moves(name: str, code: int, *, to: Act | None = None) -> Habit:
    """Redirect to another path of the host after a day."""
    here = between(0 * DAY, DAY, feed(name), away(f"/{name}/new", code))
    return Habit(name=name, acts={"feed": here, "new": to or feed(name)})


def _hops(name: str, count: int, codes: Sequence[int] = (302,), every: timedelta = 8 * HOUR) -> Habit:
    """Redirect `hops` times before the feed."""
    names = ["feed", *(f"hop{n}" for n in range(1, count)), "end"]
    acts: dict[str, Act] = {
        here: away(f"/{name}/{there}", codes[n % len(codes)]) for n, (here, there) in enumerate(pairwise(names))
    }
    return Habit(name=name, acts=acts | {"end": feed(name)}, every=every)


def _elsewhere(name: str, location: str, host: str, *, every: timedelta = 8 * HOUR) -> Habit:
    """Redirect to another host with the feed."""
    return Habit(name=name, acts={"feed": away(location)}, elsewhere={"end": feed(name)}, away=host, every=every)


HABITS: Sequence[Habit] = (
    _moves("found-302", 302),
    _moves("other-303", 303),
    _moves("temporary-307", 307),
    _moves("moved-301", 301),
    _moves("moved-308", 308),
    _moves("moved-to-html", 301, to=status(200, body=HTML)),
    _moves("moved-to-others", 301, to=feed("somebody-else")),
    Habit(
        name="flapping",
        acts={
            "feed": by_turns(feed("flapping"), away("/flapping/a", 301), away("/flapping/b", 301)),
            "a": feed("flapping"),
            "b": feed("flapping"),
        },
    ),
    _hops("mixed", 2, (301, 302)),
    Habit(
        name="tagged-redirect",
        acts={
            "feed": lambda visit: Answer(reply=Reply(302, b"", [*TAGGED, ("Location", "/tagged-redirect/end")])),
            "end": feed("tagged-redirect"),
        },
    ),
    _hops("mixed-late", 2, (302, 301)),
    _hops("mixed-kinds", 4, (307, 308, 303, 301)),
    _hops("permanent-chain", 2, (301, 308)),
    _hops("five-hops", 5, every=DAY),
    _hops("six-hops", 6),
    # Many hosts that redirect to one, whose budget counts (P60, P61), also when that host is overloaded (P30).
    *(_elsewhere(f"led-{n}", f"http://{LED_TO}:{{port}}/led-{n}/end", LED_TO, every=2 * HOUR) for n in range(4)),
    Habit(
        name="led-busy",
        acts={"feed": away(f"http://{LED_TO}:{{port}}/led-busy/end")},
        elsewhere={"end": on_some(7, status(429), feed("led-busy"))},
        away=LED_TO,
    ),
    Habit(name="at-home", host=9, acts={"feed": feed("at-home")}, every=HOUR),
    Habit(name="loop", acts={"feed": away("/loop/b"), "b": away("/loop/feed")}),
    Habit(name="self-loop", acts={"feed": away("/self-loop/feed", 301)}),
    Habit(
        name="downgrade",
        acts={"feed": by_turns(*[feed("downgrade")] * 4, away("http://127.0.9.2:{port}/downgrade/plain"))},
        elsewhere={"plain": feed("downgrade")},
        away="127.0.9.2",
        is_secure=True,
    ),
    Habit(
        name="downgrade-301",
        acts={"feed": by_turns(*[feed("downgrade-301")] * 4, away("http://127.0.9.9:{port}/downgrade-301/plain", 301))},
        elsewhere={"plain": feed("downgrade-301")},
        away="127.0.9.9",
        is_secure=True,
    ),
    Habit(
        name="cross-loop",
        acts={"feed": away("http://127.0.9.10:{port}/cross-loop/a")},
        elsewhere={
            "a": away("http://127.0.9.10:{port}/cross-loop/b", 307),
            "b": away("http://127.0.9.10:{port}/cross-loop/a", 308),
        },
        away="127.0.9.10",
    ),
    Habit(
        name="back-home",  # shorter than the 48 hours after which a move is believed
        acts={
            "feed": between(DAY, DAY + 40 * HOUR, away("/back-home/new", 301), feed("back-home")),
            "new": feed("back-home"),
        },
    ),
    Habit(
        name="secrets",
        acts={"feed": away("http://127.0.9.3:{port}/secrets/feed")},
        elsewhere={"feed": feed("secrets")},
        away="127.0.9.3",
        options="headers: {X-Api-Key: k-12345678, Authorization: Bearer b-12345678}",
    ),
    Habit(
        name="validators-stay",  # the feed by day, a redirect by night
        acts={"feed": by_turns(feed("validators-stay"), away("http://127.0.9.4:{port}/validators-stay/feed"))},
        elsewhere={"feed": feed("validators-stay", etag=lambda name, version: f'"other-{version}"')},
        away="127.0.9.4",
    ),
    Habit(
        name="odd-location",
        acts={
            "feed": away("/odd-location/ünd.xml#part".encode()),
            "%C3%BCnd.xml": feed("odd-location"),
            "%c3%bcnd.xml": feed("odd-location"),  # the same address (RFC 3986, section 6.2.2.1)
        },
    ),
    Habit(
        name="query-only",
        acts={"feed": away("?page=1"), "feed?page=1": feed("query-only")},
    ),
    Habit(name="spaces", acts={"feed": away("/spaces/the feed.xml"), "the%20feed.xml": feed("spaces")}),
    Habit(name="fragment", acts={"feed": away("/fragment/end#top"), "end": feed("fragment")}),
    _elsewhere("network-path", "//127.0.9.6:{port}/network-path/end", "127.0.9.6"),
    _elsewhere("upper-scheme", "HTTP://127.0.9.7:{port}/upper-scheme/end", "127.0.9.7"),
    _elsewhere("location-login", "http://other:secret@127.0.9.5:{port}/location-login/end", "127.0.9.5"),
    replace(_elsewhere("login-away", "http://127.0.9.8:{port}/login-away/end", "127.0.9.8"), login="reader:letmein@"),
    Habit(name="relative", acts={"feed": away("../relative/./end"), "end": feed("relative")}),
    Habit(name="to-ftp", acts={"feed": by_turns(feed("to-ftp"), away("ftp://127.0.0.1/feed"))}),
    *(
        Habit(name=name, acts={"feed": by_turns(feed(name), away(where))})
        for name, where in (
            ("to-data", "data:application/rss+xml,<rss/>"),
            ("to-script", "javascript:location='/'"),
            ("to-gopher", "gopher://127.0.0.1/feed"),
            ("to-smtp", "http://127.0.0.1:25/feed"),
            ("to-nobody", "http://[broken/feed"),
            ("to-nowhere", ""),
        )
    ),
    Habit(name="to-file", acts={"feed": by_turns(feed("to-file"), away("file:///etc/hostname"))}),
    Habit(
        name="new-home-dies",
        acts={
            "feed": between(DAY, 10 * DAY, away("/new-home-dies/new", 301), feed("new-home-dies")),
            "new": at_first(40, feed("new-home-dies"), status(404)),
        },
    ),
    Habit(
        name="merging-a",
        acts={"feed": between(0 * DAY, DAY, feed("merging"), away(f"{ELSEWHERE}/merging-b/one", 301))},
    ),
    Habit(
        name="merging-b",
        acts={"feed": between(0 * DAY, DAY, feed("merging"), away(f"{ELSEWHERE}/merging-b/one", 301))},
        elsewhere={"one": feed("merging")},
    ),
)
