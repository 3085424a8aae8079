"""Rules of the request itself: P.5, and which addresses are requested at all."""

import base64
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise

from tests.manners.exchange import Exchange
from tests.manners.judge import Look, Rule
from tests.manners.ledger import Ledger, continues
from tests.manners.rules_conditional import wrong

AGENT = re.compile(r"[\w-]+/[\w.]+ \(\+https://planet\.example\.org/; ops@planet\.example\)")
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
REFUSING = ("picky", "unconditional-only", "picky-415")  # a plainer request is allowed there (P34)
CODINGS = {"gzip", "x-gzip", "deflate", "br", "zstd"}
NEEDLESS = frozenset(
    "range if-range if-match if-unmodified-since expect te trailer upgrade upgrade-insecure-requests origin from dnt "
    "via forwarded x-forwarded-for x-requested-with sec-fetch-mode sec-fetch-site sec-fetch-dest "
    "transfer-encoding".split()
)
LOGIN = "Basic " + base64.b64encode(b"reader:letmein").decode()


def _each(problem: Callable[[Exchange], str]) -> Callable[[Ledger], Iterator[Look]]:
    return lambda ledger: (Look(exchange, problem(exchange)) for exchange in ledger.exchanges)


def _agent(exchange: Exchange) -> str:
    said = exchange.asked.headers.get("User-Agent", "")
    return "" if AGENT.fullmatch(said) else f"User-Agent: {said!r}"


def _accept(exchange: Exchange) -> str:
    said = exchange.asked.headers.get("Accept", "")
    return "" if said == ACCEPT or (said == "*/*" and exchange.source in REFUSING) else f"Accept: {said!r}"


def _p78(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        named = {part.split(";")[0].strip() for part in exchange.asked.headers.get("Accept-Encoding", "").split(",")}
        odd = named - CODINGS or {"gzip", "deflate"} - named
        yield Look(exchange, f"Accept-Encoding: {named}" if odd else "")
    for step in ledger.steps.get("codings", ()):
        if step.before is not None and step.before.outcome == "fetched":
            yield Look(step.first, wrong(step, step.first))


def _extras(exchange: Exchange) -> str:
    present = [name for name in ("Referer", "Cookie", "Accept-Language") if name in exchange.asked.headers]
    return f"{', '.join(present)} sent" if present else ""


def _p79(ledger: Ledger) -> Iterator[Look]:
    yield from _each(_extras)(ledger)
    strays = [stray for stray in ledger.strays if "/query/" in stray]
    for exchange in ledger.exchanges:
        if exchange.source == "query" or strays:
            yield Look(exchange, f"the query was changed: {strays}" if strays else "")
            return
    yield Look(ledger.exchanges[0], "a query was changed so that nothing is found")


def _p80(exchange: Exchange) -> str:
    present = [name for name in ("Cache-Control", "Pragma") if name in exchange.asked.headers]
    return f"{', '.join(present)} sent" if present else ""


def _p85(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        said = exchange.asked.headers.get("Authorization")
        if exchange.source == "login" or (
            exchange.source == "login-away" and not exchange.host.startswith("http://127.0.9.")
        ):
            yield Look(exchange, "" if said == LOGIN and "@" not in exchange.asked.path else f"Authorization: {said!r}")
        elif exchange.source not in ("secrets", "login-away"):
            yield Look(exchange, f"Authorization: {said!r}" if said else "")


def _p79b(exchange: Exchange) -> str:
    """Requests have the form of RFC 9112, no Range, and no unneeded fields."""
    asked = exchange.asked
    names = [name.lower() for name, _ in asked.headers.lines]
    twice = {name for name in names if names.count(name) > 1}
    first = asked.raw.partition(b"\r\n")[0]
    if not (first.endswith(b" HTTP/1.1") and asked.path.startswith("/") and "#" not in asked.path):
        return f"asked for as {first!r}"
    if asked.headers.get("Host", "").partition(":")[0] != asked.host:
        return f"Host: {asked.headers.get('Host')!r}"
    odd = twice | (NEEDLESS & set(names))
    return f"{', '.join(sorted(odd))} sent, or twice" if odd or asked.body else ""


def _p84(ledger: Ledger) -> Iterator[Look]:
    """No request is sent to a host with an untrusted certificate."""
    asked = [exchange for exchange in ledger.exchanges if exchange.source == "bad-certificate"]
    if ledger.unproven:
        yield Look((asked or list(ledger.exchanges))[0], "a certificate of nobody's was trusted" if asked else "")


def _p86(ledger: Ledger) -> Iterator[Look]:
    """A redirect on one host uses the same connection; one in a hundred may have been closed."""
    hops = [
        (one, two)
        for step in ledger.polls
        for one, two in pairwise(step.exchanges)
        if one.host == two.host and one.answer.arrives and continues(one, two)
    ]
    fresh = [two for one, two in hops if one.asked.connection != two.asked.connection]
    if hops:
        share = f"{len(fresh)} of {len(hops)} hops within a host over a new connection"
        yield Look((fresh or [hops[0][1]])[0], share if len(fresh) > len(hops) / 100 else "")


def _strays(pattern: str) -> Callable[[Ledger], Iterator[Look]]:
    def check(ledger: Ledger) -> Iterator[Look]:
        found = [stray for stray in ledger.strays if re.search(pattern, stray)]
        for exchange in ledger.exchanges[:1]:
            yield Look(exchange, f"asked for besides: {len(found)}, as {found[:3]}" if found else "")

    return check


def _p94(ledger: Ledger) -> Iterator[Look]:
    """A source that offers and honours validators: only the first request has none."""
    for name in ("strong", "weak", "tag-only", "date-only", "retagged", "login", "cookies", "codings"):
        days: dict[date, list[bool]] = defaultdict(list)
        steps = ledger.steps.get(name, ())
        for step in steps:
            if step.before is not None and "edited" not in step.facts:
                headers = step.first.asked.headers
                days[step.first.at.date()].append("If-None-Match" in headers or "If-Modified-Since" in headers)
        for day, conditional in days.items():
            share = 1 - sum(conditional) / len(conditional)
            yield Look(
                steps[0].first, f"{share:.0%} of the requests of {day} were unconditional" if share > 0.1 else ""
            )


RULES = (
    Rule("P75", "User-Agent names us, the output and whom to write to", _each(_agent)),
    Rule("P77", "Accept", _each(_accept)),
    Rule("P78", "Accept-Encoding names what can be decoded", _p78),
    Rule("P79", "no Referer, cookies, language; queries as they are", _p79),
    Rule("P79b", "a GET of the whole, each field once, none that nobody needs", _each(_p79b)),
    Rule("P80", "no Cache-Control, no Pragma", _each(_p80)),
    Rule("P84", "of a host that can't prove its name nothing is asked", _p84),
    Rule("P85", "credentials go as Authorization, to whom they belong", _p85),
    Rule("P86", "the next hop on one host goes over the same connection", _p86),
    Rule("P89", "robots.txt is not asked for", _strays(r"/robots\.txt")),
    Rule("P90", "nothing is guessed, and no page, icon or enclosure fetched (P91)", _strays(r"^(?!.*/query/)")),
    Rule("P94", "under a tenth of a day's requests are unconditional", _p94),
)
