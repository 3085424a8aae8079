"""The request itself: STANDARDS P.5, and what is asked for at all."""

import base64
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date

from tests.manners.exchange import Exchange
from tests.manners.judge import Look, Rule
from tests.manners.ledger import Ledger
from tests.manners.rules_conditional import wrong

AGENT = re.compile(r"[\w-]+/[\w.]+ \(\+https://planet\.example\.org/; ops@planet\.example\)")
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
REFUSING = ("picky", "unconditional-only")  # there a plainer request is allowed (P34)
CODINGS = {"gzip", "x-gzip", "deflate", "br", "zstd"}
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
        if exchange.source == "login":
            yield Look(exchange, "" if said == LOGIN and "@" not in exchange.asked.path else f"Authorization: {said!r}")
        elif exchange.source != "secrets":
            yield Look(exchange, f"Authorization: {said!r}" if said else "")


def _strays(pattern: str) -> Callable[[Ledger], Iterator[Look]]:
    def check(ledger: Ledger) -> Iterator[Look]:
        found = [stray for stray in ledger.strays if re.search(pattern, stray)]
        for exchange in ledger.exchanges[:1]:
            yield Look(exchange, f"asked for besides: {found}" if found else "")

    return check


def _p94(ledger: Ledger) -> Iterator[Look]:
    """Of a source that offers validators and honours them, no request but the first goes without."""
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
    Rule("P80", "no Cache-Control, no Pragma", _each(_p80)),
    Rule("P85", "credentials go as Authorization, to whom they belong", _p85),
    Rule("P89", "robots.txt is not asked for", _strays(r"/robots\.txt")),
    Rule("P90", "nothing is guessed, and no page, icon or enclosure fetched (P91)", _strays(r"^(?!.*/query/)")),
    Rule("P94", "under a tenth of a day's requests are unconditional", _p94),
)
