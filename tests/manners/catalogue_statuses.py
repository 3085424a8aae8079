"""Habits of failing: statuses, and faults below HTTP."""

from collections.abc import Sequence
from datetime import timedelta

from tests.feed_server import (
    Garbage,
    GzipBomb,
    ManyHeaders,
    Reply,
    Reset,
    Slow,
    Truncated,
)
from tests.manners.exchange import Act, Answer, Habit, Visit
from tests.manners.habits import (
    DAY,
    HOUR,
    HTML,
    RSS_TYPE,
    Pairs,
    Silent,
    Stream,
    at_first,
    between,
    document,
    feed,
    fixed,
    http_date,
    on_some,
    status,
    wire,
)

GONE = status(410)
ODD_STATUSES = (  # statuses without a rule of their own, and some with one
    *(306, 402, 405, 407, 409, 416, 421, 423, 425, 426, 451),
    *(501, 505, 507, 508, 511, 521, 522, 523, 524, 525, 526, 527, 530),
)


def _sour(name: str, code: int, every: int = 4) -> Habit:
    """Fail in one way at each n-th request."""
    return Habit(name=name, acts={"feed": on_some(every, status(code), feed(name))})


def _picky(name: str, code: int = 406) -> Act:
    """Refuse every Accept but the plainest."""
    plain = feed(name)
    return lambda visit: plain(visit) if visit.asked.headers.get("Accept") == "*/*" else status(code)(visit)


def _refuses_conditions(name: str) -> Act:
    """Refuse conditional requests."""
    plain = feed(name)
    return lambda visit: status(400)(visit) if "If-None-Match" in visit.asked.headers else plain(visit)


def _revived(name: str) -> Act:
    """Answer 410 three times, then as before."""
    return at_first(3, feed(name), at_first(6, GONE, feed(name)))


def _limit(name: str, code: int, wait: str, *, times: int = 1, every: int = 9) -> Act:
    """Answer with a limit so many times in a row, each after so many requests."""
    polite, sour = feed(name), status(code, headers={"Retry-After": wait})
    return lambda visit: sour(visit) if visit.earlier % every < times else polite(visit)


def _retry(
    name: str, form: str, *, code: int = 503, skew: timedelta = timedelta(0), wait: timedelta = 15 * HOUR
) -> Habit:
    """Answer 503 with a Retry-After date, by a clock that may be wrong."""

    def sour(visit: Visit) -> Answer:
        now = visit.now + skew
        headers = {"Retry-After": (now + wait).strftime(form), "Date": http_date(now)}
        return Answer(reply=Reply(code, b"", headers))

    return Habit(name=name, acts={"feed": on_some(6, sour, feed(name))})


def _counted(name: str, fields: Pairs) -> Act:
    """Report with each fifth response that the request limit is used up for three hours."""
    return on_some(5, feed(name, says=lambda visit: fields), feed(name))


def _partial(name: str) -> Act:
    """Send a part that was not requested."""
    body = document(name, 5, DAY)
    part = f"bytes 0-199/{len(body)}"
    return status(206, body=body[:200], headers={"Content-Range": part, "ETag": f'"{name}-part"'})


def _feed_in(name: str, code: int) -> Act:
    """Send a feed with an error status and validators."""
    return status(code, body=document(name, 30, DAY), headers={"ETag": f'"{name}-{code}"', "Content-Type": RSS_TYPE[1]})


def _short(name: str) -> Act:
    """Send less than Content-Length, with new validators."""
    body = document(name, 9, DAY)
    return wire(Truncated(200, body, [("ETag", f'"{name}-cut"'), RSS_TYPE]))


X_COUNTED: Pairs = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "10800")]
DRAFT_COUNTED: Pairs = [("RateLimit", "limit=60, remaining=0, reset=10800")]
SOON = fixed(Retry_After="54000")
LATE_DRAFT_COUNTED: Pairs = [("RateLimit-Policy", '"default";q=60;w=21600'), ("RateLimit", '"default";r=0;t=10800')]
IMF, RFC850, ASCTIME = "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"

HABITS: Sequence[Habit] = (
    _sour("no-content", 204),
    _sour("reset-content", 205),
    _sour("empty", 200),
    _sour("not-found-sometimes", 404),
    _sour("timeout-408", 408),
    _sour("error-500", 500),
    _sour("error-502", 502),
    _sour("error-504", 504),
    _sour("error-520", 520),
    _sour("teapot", 418),
    _sour("odd-599", 599),
    _sour("choices", 300),
    _sour("use-proxy", 305),
    _sour("nowhere", 301),
    _sour("unavailable", 503),
    *(_sour(f"status-{code}", code) for code in ODD_STATUSES),
    Habit(name="partial", acts={"feed": on_some(4, _partial("partial"), feed("partial"))}),
    Habit(name="blank", acts={"feed": on_some(4, status(200, body=b" \n\t\n"), feed("blank"))}),
    Habit(name="feed-in-404", acts={"feed": on_some(4, _feed_in("feed-in-404", 404), feed("feed-in-404"))}),
    Habit(name="feed-in-500", acts={"feed": on_some(4, _feed_in("feed-in-500", 500), feed("feed-in-500"))}),
    Habit(name="down", acts={"feed": between(DAY, 6 * DAY, status(500), feed("down"))}),
    Habit(name="not-found", acts={"feed": between(DAY, 12 * DAY, status(404), feed("not-found"))}),
    Habit(name="locked", acts={"feed": on_some(5, status(401, headers={"WWW-Authenticate": "Basic"}), feed("locked"))}),
    Habit(name="forbidden", acts={"feed": on_some(5, status(403), feed("forbidden"))}),
    Habit(
        name="challenge",
        acts={"feed": on_some(5, status(403, body=HTML, headers={"cf-mitigated": "challenge"}), feed("challenge"))},
    ),
    Habit(name="gone-once", acts={"feed": on_some(20, GONE, feed("gone-once"))}),
    Habit(name="gone-for-good", acts={"feed": at_first(3, feed("gone-for-good"), GONE)}),
    Habit(
        name="gone-and-back",
        acts={"feed": at_first(3, feed("gone-and-back"), at_first(6, GONE, feed("gone-and-back")))},
    ),
    Habit(name="picky", acts={"feed": _picky("picky")}),
    Habit(name="picky-415", acts={"feed": _picky("picky-415", 415)}),
    Habit(name="unconditional-only", acts={"feed": _refuses_conditions("unconditional-only")}),
    Habit(name="html", acts={"feed": on_some(4, status(200, body=HTML, headers={"ETag": '"html"'}), feed("html"))}),
    Habit(name="error-feed", acts={"feed": on_some(4, wire(Stream(500)), feed("error-feed"))}),
    # Rate limits of one source, or of all sources of a host.
    Habit(name="limited", host=1, acts={"feed": _limit("limited", 429, "72000")}),
    Habit(name="beside-limited", host=1, acts={"feed": feed("beside-limited")}),
    Habit(name="busy-a", host=2, acts={"feed": _limit("busy-a", 503, "18000", every=40)}),
    Habit(name="busy-b", host=2, acts={"feed": _limit("busy-b", 503, "18000", every=40)}),
    Habit(name="beside-busy", host=2, acts={"feed": feed("beside-busy")}, every=2 * HOUR),
    Habit(name="counted", host=3, acts={"feed": _counted("counted", X_COUNTED)}),
    Habit(name="beside-counted", host=3, acts={"feed": feed("beside-counted")}, every=2 * HOUR),
    Habit(name="counted-draft", host=7, acts={"feed": _counted("counted-draft", DRAFT_COUNTED)}),
    Habit(name="beside-counted-draft", host=7, acts={"feed": feed("beside-counted-draft")}, every=2 * HOUR),
    Habit(name="counted-late-draft", host=8, acts={"feed": _counted("counted-late-draft", LATE_DRAFT_COUNTED)}),
    Habit(name="beside-counted-late-draft", host=8, acts={"feed": feed("beside-counted-late-draft")}, every=2 * HOUR),
    Habit(name="limited-bare", host=4, acts={"feed": on_some(7, status(429), feed("limited-bare"))}),
    Habit(name="beside-limited-bare", host=4, acts={"feed": feed("beside-limited-bare")}),
    Habit(
        name="limited-aged",
        acts={"feed": on_some(7, status(429, headers={"Cache-Control": "max-age=72000"}), feed("limited-aged"))},
    ),
    _retry("limited-dated", IMF, code=429),
    _retry("retry-imf", IMF),
    _retry("retry-rfc850", RFC850),
    _retry("retry-asctime", ASCTIME),
    _retry("retry-fast-clock", IMF, skew=3 * DAY),
    _retry("retry-slow-clock", IMF, skew=-3 * DAY),
    Habit(name="retry-garbage", acts={"feed": _limit("retry-garbage", 503, "soon")}),
    Habit(name="retry-float", acts={"feed": _limit("retry-float", 503, "3600.5")}),
    Habit(name="retry-zero", acts={"feed": _limit("retry-zero", 429, "0")}),
    Habit(name="retry-year", acts={"feed": _limit("retry-year", 503, "31536000", every=20)}),
    *(Habit(name=f"retry-{code}", acts={"feed": _limit(f"retry-{code}", code, "54000")}) for code in (403, 404, 500)),
    Habit(name="retry-200", acts={"feed": on_some(5, feed("retry-200", says=SOON), feed("retry-200"))}),
    Habit(name="retry-negative", acts={"feed": _limit("retry-negative", 503, "-3600")}),
    Habit(name="retry-past", acts={"feed": _limit("retry-past", 503, "Sun, 01 Jan 2017 00:00:00 GMT")}),
    Habit(name="retry-huge", acts={"feed": _limit("retry-huge", 503, "864000", times=2, every=20)}),
    Habit(name="retry-endless", acts={"feed": _limit("retry-endless", 503, "9" * 30)}),
    # Below HTTP.
    Habit(name="resets", acts={"feed": on_some(4, wire(Reset()), feed("resets"))}),
    Habit(name="garbage", acts={"feed": on_some(4, wire(Garbage()), feed("garbage"))}),
    Habit(name="short", acts={"feed": on_some(4, _short("short"), feed("short"))}),
    Habit(
        name="drips",
        acts={"feed": on_some(30, wire(Slow(200, document("drips", 1, DAY)[:40], pause=0.002)), feed("drips"))},
    ),
    Habit(name="bomb", acts={"feed": on_some(30, wire(GzipBomb(unpacked=32 << 20)), feed("bomb"))}),
    Habit(name="endless", acts={"feed": on_some(6, wire(Stream()), feed("endless"))}),
    Habit(name="many-headers", acts={"feed": on_some(30, wire(ManyHeaders(size=9000)), feed("many-headers"))}),
    Habit(
        name="hangs",
        acts={"feed": on_some(60, wire(Silent()), feed("hangs"))},
        options="timeout: 5s",
    ),
)
