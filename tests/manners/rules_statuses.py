"""Rules about statuses, and about failures below HTTP."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise

from tests.manners.asked_for import retry_after
from tests.manners.exchange import Exchange
from tests.manners.habits import DAY
from tests.manners.judge import Look, Rule, early, followed, late, of
from tests.manners.ledger import Ledger, Step
from tests.manners.rules_conditional import wrong

OTHERS = (402, 405, 409, 416, 418, 421, 423, 425, 426, 451, 501, 505, 507, 508, 511, 530, 599)
MINUTES_10 = timedelta(minutes=10)
MARGIN = 4 << 20  # bytes that sockets may buffer: the origin sends slowly, but a busy machine reads late


def failing(*statuses: int, arrives: bool = True) -> Callable[[Ledger], Iterator[Look]]:
    """Check polls that failed: one request, then a wait of the backoff and not much longer."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in ledger.polls:
            answer = step.last.answer
            if step.outcome == "failed" and answer.status in statuses and answer.arrives == arrives:
                yield Look(step.last, _failed_well(step))

    return check


def _failed_well(step: Step) -> str:
    return _asked_again(step) or early(step) or late(step)


def _asked_again(step: Step) -> str:
    """Return a sentence if one address was requested twice in a poll.

    Not counted: what was lost on a connection kept from before, as a server that closes it leaves no way to tell
    whether the request arrived (RFC 9112, section 9.3.1); it may go out once more, on a new one.
    """
    for one, two in pairwise(step.exchanges):
        before = step.before.exchanges if step.before else ()
        kept = one.asked.connection in {exchange.asked.connection for exchange in before}
        lost = kept and not one.answer.arrives and not one.sent and one.asked.connection != two.asked.connection
        if one.url == two.url and not lost:
            return "asked again within the poll"
    return ""


def _unanswered(ledger: Ledger) -> Iterator[Look]:
    yield from failing(200, arrives=False)(ledger)
    for step in ledger.polls:
        if any(not exchange.answer.arrives for exchange in step.exchanges[:-1]):
            yield Look(step.last, _asked_again(step))


def _recovers(outcome: str) -> Callable[[Ledger], Iterator[Look]]:
    """Check successful polls: the interval is the usual one again."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in followed(ledger.polls):
            if step.outcome == outcome and step.before is not None and step.before.failures:
                yield Look(step.last, late(step))

    return check


def _p29(ledger: Ledger) -> Iterator[Look]:
    yield from (Look(step.last, early(step, "P29")) for step in ledger.polls if step.last.answer.status == 410)
    for step in of("gone-and-back")(ledger):
        if step.outcome != "failed" and step.before is not None and step.before.failures:
            yield Look(step.last, late(step))


def _others(ledger: Ledger, exchange: Exchange) -> Iterator[Exchange]:
    """Return the requests for other sources of a host after an exchange, in order."""
    for other in ledger.hosts[exchange.host]:
        if other.at > exchange.at and other.source != exchange.source:
            yield other


def _p30(ledger: Ledger) -> Iterator[Look]:
    yield from failing(429)(ledger)
    for exchange in ledger.exchanges:
        if exchange.answer.status == 429:
            for other in list(_others(ledger, exchange))[:1]:
                soon = other.at - exchange.at < MINUTES_10
                yield Look(other, f"{other.at - exchange.at} after a 429 of its host" if soon else "")


def _p31(ledger: Ledger) -> Iterator[Look]:
    yield from failing(503)(ledger)
    for host, exchanges in ledger.hosts.items():
        sour = [one for one in exchanges if one.answer.status in (429, 503) and one.answer.said("Retry-After")]
        for one in sour:
            for two in sour:
                if two.source != one.source and timedelta(0) <= two.at - one.at <= MINUTES_10:
                    wait = min(retry_after(two.answer.said("Retry-After"), two.answer.said("Date"), two.at), DAY)
                    for other in [later for later in ledger.hosts[host] if later.at > two.at][:1]:
                        soon = other.at < two.at + wait
                        yield Look(other, f"two sources of its host were told to wait {wait}" if soon else "")


def _used_up(exchange: Exchange) -> timedelta:
    """Read the fields of rate limits, in their three forms."""
    said = exchange.answer.said("RateLimit") or ""
    draft = re.search(r"(?:remaining=|;r=)0\b.*?(?:reset=|;t=)(\d+)", said)
    if exchange.answer.said("X-RateLimit-Remaining") == "0":
        return timedelta(seconds=int(exchange.answer.said("X-RateLimit-Reset") or 0))
    return timedelta(seconds=int(draft[1])) if draft else timedelta(0)


def _p37(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        if wait := _used_up(exchange):
            until = exchange.at + wait
            for other in [later for later in ledger.hosts[exchange.host] if later.at > exchange.at][:1]:
                yield Look(other, f"its host was used up until {until:%d %b %H:%M:%S}" if other.at < until else "")


def _p33(ledger: Ledger) -> Iterator[Look]:
    yield from failing(204, 205, 206)(ledger)
    for step in ledger.polls:
        if "empty" in step.facts:
            yield Look(step.first, wrong(step, step.first))


def _p28(ledger: Ledger) -> Iterator[Look]:
    yield from failing(404)(ledger)
    for step in followed(of("feed-in-404", "feed-in-500")(ledger)):
        if step.last.answer.status != 304 and step.after is not None:
            yield Look(step.after.first, wrong(step.after, step.after.first))


def _p34(ledger: Ledger) -> Iterator[Look]:
    yield from failing(400, 406, 415)(ledger)
    refused: dict[
        str, int
    ] = {}  # since a plain request succeeded; a second request shows whether only Accept was the cause
    for step in ledger.polls:
        name = step.habit.name
        if name in refused:
            refused[name] += step.last.answer.status in (400, 406, 415)
            yield Look(step.last, "refused again: the form that helped is forgotten" if refused[name] > 1 else "")
        elif step.first.asked.headers.get("Accept") == "*/*" and step.outcome != "failed":
            refused[name] = 0


def _taken(name: str, most: int) -> Callable[[Ledger], Iterator[Look]]:
    """Check how many bytes of a response were read; buffers of the sockets are allowed on top."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in of(name)(ledger):
            if not step.last.answer.arrives:
                much = step.last.sent > most + MARGIN
                yield Look(step.last, f"{step.last.sent} bytes were taken" if much else early(step))

    return check


def _p82(ledger: Ledger) -> Iterator[Look]:
    yield from _taken("endless", 10 << 20)(ledger)
    yield from _taken("claims-much", 0)(ledger)


def _p81(ledger: Ledger) -> Iterator[Look]:
    for step in of("hangs")(ledger):
        if not step.last.answer.arrives:
            seconds = step.last.ended - step.last.began
            yield Look(step.last, f"it was waited for {seconds:.1f} s" if seconds > 8 else early(step))


def _p83(ledger: Ledger) -> Iterator[Look]:
    for step in of("short", "chunk-cut", "gzip-cut")(ledger):
        if not step.last.answer.arrives:
            yield Look(step.last, early(step))
        if "cut short" in step.facts:
            yield Look(step.first, wrong(step, step.first))


RULES = (
    Rule("P20", "a 200 that is no feed is a failure", failing(200)),
    Rule("P20b", "one that is resets the count", _recovers("fetched")),
    Rule("P21", "a 304 resets the count", _recovers("not_modified")),
    Rule("P25", "300, 305 and 3xx without a Location are failures", failing(300, 301, 305, 306)),
    Rule("P26", "401, 407: once, then backoff", failing(401, 407)),
    Rule("P27", "403: once, then backoff", failing(403)),
    Rule("P28", "404: backoff, never given up", _p28),
    Rule("P29", "410: a day, after the third 30 days; a 200 revives", _p29),
    Rule("P30", "429: Retry-After, max-age, twice the interval; its host 10 minutes", _p30),
    Rule("P31", "503: as 429, for its host when two were told", _p31),
    Rule("P32", "408, 5xx: backoff, no retry", failing(408, 500, 502, 504, *range(520, 528))),
    Rule("P32b", "resets, garbage and the like: backoff, no retry", _unanswered),
    Rule("P33", "204, 205, empty: a failure that leaves the validators", _p33),
    Rule("P34", "400, 406, 415: no retry; the plainest request, remembered if it helped", _p34),
    Rule("P35", "other 4xx as 404, other 5xx as 500", failing(*OTHERS)),
    Rule("P36", "of an error no more than 64 KiB is read", _taken("error-feed", 1 << 16)),
    Rule("P37", "a host whose count is used up is left alone", _p37),
    Rule("P81", "who hangs is cut after its timeout", _p81),
    Rule("P82", "of a body no more than 10 MiB are read", _p82),
    Rule("P83", "a body that is too short is a failure", _p83),
)
