"""Rules of conditional requests: P.1, P22 and P23."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from tests.manners.exchange import Exchange
from tests.manners.habits import DAY
from tests.manners.judge import Look, Rule, early, followed, of
from tests.manners.ledger import Ledger, Step

# Tags and responses with rules of their own (P5, P11 to P14, P22, P34), whose violations those rules report.
APART = frozenset(
    "two-lines unquoted spaced huge-tag latin-one suffixed dawdler expires-zero no-cache no-store changing-304 deltas "
    "unasked-226 picky picky-415 unconditional-only".split()
)

UNREAD = frozenset({"cut short", "unread"})

_FIELDS = (("If-None-Match", "etag"), ("If-Modified-Since", "modified"))


def wrong(step: Step, exchange: Exchange) -> str:
    """Return the fault in the validators of a request; empty if they are those that were given for its address."""
    held = step.held if step.held and step.held.url == exchange.url else None
    for header, name in _FIELDS:
        sent, given = exchange.asked.headers.get(header), getattr(held, name) if held else None
        if sent == given or (
            sent is None and (step.may_be_bare or (held and held.may_lack_date and name == "modified"))
        ):
            continue
        if sent is None:
            return f"no {header}, though {given!r} was given"
        return f"{header}: {sent!r}, though {'nothing' if given is None else repr(given)} was given"
    return ""


def _bare(exchange: Exchange) -> bool:
    return not any(header in exchange.asked.headers for header, _ in _FIELDS)


def _each(
    which: Callable[[Step], bool] = lambda step: True, steps: Callable[[Ledger], Iterator[Step]] | None = None
) -> Callable[[Ledger], Iterator[Look]]:
    """Check the validators of the selected polls."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in ledger.polls if steps is None else steps(ledger):
            if which(step):
                yield from (Look(exchange, wrong(step, exchange)) for exchange in step.exchanges)

    return check


def is_plain(step: Step, exchange: Exchange) -> bool:
    """Return whether a request is judged by the ordinary rule: targets of redirects are P8."""
    return step.habit.name not in APART and (step.held is None or step.held.url == exchange.url)


def _plainly(which: Callable[[Step], bool]) -> Callable[[Ledger], Iterator[Look]]:
    """Check the validators of the selected polls without special features."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in ledger.polls:
            if which(step):
                plain = [exchange for exchange in step.exchanges if is_plain(step, exchange)]
                yield from (Look(exchange, wrong(step, exchange)) for exchange in plain)

    return check


def _after(*facts: str) -> Callable[[Ledger], Iterator[Look]]:
    return _each(lambda step: bool(step.facts & set(facts)))


def _p1(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        for exchange in step.exchanges:
            if not _bare(exchange) and is_plain(step, exchange):
                problem = wrong(step, exchange)
                yield Look(exchange, "" if problem.startswith("no ") else problem)


def _p7(ledger: Ledger) -> Iterator[Look]:
    for steps in ledger.steps.values():
        given: set[str | None] = set()
        for step in steps:
            for exchange in step.exchanges:
                sent = exchange.asked.headers.get("If-Modified-Since")
                if sent is not None:
                    yield Look(exchange, "" if sent in given else f"nobody ever said {sent!r}")
                given.add(exchange.answer.said("Last-Modified"))


def _p8(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        for exchange in step.exchanges:
            if step.held is not None and step.held.url != exchange.url:
                yield Look(exchange, "" if _bare(exchange) else f"those of {step.held.url} were sent")


def _p9(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        if "edited" in step.facts:
            yield Look(step.first, "" if _bare(step.first) else "validators from before the edit")


def _p13(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        headers = step.first.asked.headers
        if "tag never matches" in step.facts and step.held and step.held.modified:
            ok = "If-None-Match" not in headers and headers.get("If-Modified-Since") == step.held.modified
            yield Look(step.first, "" if ok else "the tag has failed three times; the date alone was due")
        elif "date earned 304" in step.facts:
            yield Look(step.first, "the form that earned a 304 is forgotten" if "If-None-Match" in headers else "")


def _p15(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        if step.last.answer.status == 304 and step.outcome == "failed":
            yield Look(step.last, early(step))
        if "304 unasked" in step.facts:
            yield Look(step.first, "" if _bare(step.first) else "validators were kept")


def _p16(ledger: Ledger) -> Iterator[Look]:
    """A source that answers only 304 from its fourth day on: exactly one request without validators after 30 days."""
    steps = ledger.steps.get("stuck", ())
    bare = [step.first.at for step in steps if step.held and _bare(step.first)]
    for step in steps:
        since = step.first.at - steps[0].first.at
        if since > timedelta(days=34.5):
            yield Look(step.first, "" if bare else "30 days of 304 went by without a doubt")
        if step.held and _bare(step.first):
            recent = [at for at in bare if timedelta(0) < step.first.at - at < 30 * DAY]
            yield Look(step.first, "too soon" if recent or since < 33 * DAY else "")


def _p17(ledger: Ledger) -> Iterator[Look]:
    for step in followed(ledger.polls):
        assert step.after is not None
        if step.after.first.start != step.first.start:
            yield Look(step.after.first, early(step) or wrong(step.after, step.after.first))


def _p22(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        if "delta" in step.facts:
            yield Look(step.first, wrong(step, step.first))
        if step.last.answer.status == 226 and step.outcome == "failed":
            yield Look(step.last, early(step))


def _p23(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        alone = "A-IM" in exchange.asked.headers and "If-None-Match" not in exchange.asked.headers
        yield Look(exchange, "A-IM without If-None-Match" if alone else "")


def _both(step: Step) -> bool:
    return bool(step.held and step.held.etag and step.held.modified)


def _p18(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        yield Look(exchange, "" if exchange.asked.method == "GET" else f"a {exchange.asked.method}")


RULES = (
    Rule("P1", "validators go back as they came, byte for byte", _p1),
    Rule("P2", "both of them, where both were given", _plainly(_both)),
    Rule(
        "P3",
        "a 200 replaces both: one that changes alone, one that is gone",
        _plainly(lambda step: bool(step.facts & {"tag changed alone", "validator dropped"})),
    ),
    Rule("P4", "also with the body of the last time", _plainly(lambda step: "same body" in step.facts)),
    Rule("P5", "a 304 that carries validators replaces them", _after("304 with validators")),
    Rule(
        "P6",
        "a body that can't be read leaves them as they were",
        _plainly(lambda step: bool(step.facts & {"cut short", "unread"})),
    ),
    Rule("P7", "If-Modified-Since is what the server said, nothing else", _p7),
    Rule("P8", "they go to the address that gave them alone", _p8),
    Rule("P9", "they go when feeds.yaml changes what is fetched", _p9),
    Rule("P10", "weak tags too", _each(steps=of("weak"))),
    Rule(
        "P11",
        "malformed tags too, but none over 1024 bytes",
        _each(steps=of("unquoted", "spaced", "two-lines", "huge-tag")),
    ),
    Rule("P12", "bytes above 0x7F too", _each(steps=of("latin-one"))),
    Rule("P13", "a tag that never matches is left out, and what helped remembered", _p13),
    Rule("P14", "Expires: 0, no-cache and no-store change nothing", _after("no caching")),
    Rule("P15", "a 304 that nobody asked for is a failure, and ends the validators", _p15),
    Rule("P16", "a 304 of 30 days is doubted once", _p16),
    Rule("P17", "a restart asks nothing twice and nothing early", _p17),
    Rule("P18", "no HEAD", _p18),
    Rule("P22", "a 226 counts if it was asked for", _p22),
    Rule("P23", "A-IM goes with If-None-Match alone", _p23),
)
