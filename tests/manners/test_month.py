"""A service among publishers of every habit is judged by the ledger (rules P, R26)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.feed_server import Headers
from tests.manners.catalogue import HABITS, LASTING, WATCHED
from tests.manners.exchange import Exchange
from tests.manners.judge import Verdict, judge, table
from tests.manners.ledger import Ledger
from tests.manners.month import a_month
from tests.manners.rules import NEED_A_MONTH, OPEN, RULES, UNJUDGED
from tests.sample_site import SampleSite


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Return what an origin saw in three days, restarts and an edit among them."""
    return a_month(SampleSite(tmp_path_factory.mktemp("manners")), HABITS, timedelta(days=3))


def broken(verdicts: Iterable[Verdict]) -> list[str]:
    """Return the rules that were broken."""
    return [verdict.rule.number for verdict in verdicts if verdict.violations and verdict.rule.number not in OPEN]


@pytest.mark.slow
def test_every_rule_in_three_days(three_days: Ledger) -> None:
    verdicts = judge(RULES, three_days)
    print(table(verdicts))  # noqa: T201 - what pytest shows of a failure
    assert broken(verdicts) == []
    unseen = {verdict.rule.number for verdict in verdicts if not verdict.looked}
    assert unseen <= NEED_A_MONTH


@pytest.mark.slow
def test_every_rule_in_a_month(tmp_path: Path) -> None:
    """Only the habits that change with time; `python -m tests.manners` runs all of them for a month."""
    habits = [habit for habit in HABITS if habit.name in LASTING]
    verdicts = judge(RULES, a_month(SampleSite(tmp_path), habits, WATCHED))
    print(table(verdicts))  # noqa: T201 - what pytest shows of a failure
    assert broken(verdicts) == []
    assert {verdict.rule.number for verdict in verdicts if not verdict.looked}.isdisjoint(NEED_A_MONTH)


def test_every_rule_of_politeness_is_judged_or_excused() -> None:
    judged = {rule.number.rstrip("bc") for rule in RULES if rule.number.startswith("P")}
    named = judged | set(UNJUDGED)
    first, last = range(1, 19), [*range(20, 38), *range(40, 50), *range(50, 73), *range(75, 95)]
    assert named == {f"P{number}" for number in (*first, *last)}
    assert not judged & set(UNJUDGED)


# Tests of the judge: recorded exchanges are changed into bad behaviour that the judge must find.


def _with(exchange: Exchange, **fields: str | None) -> Exchange:
    """Change header fields of a request; None removes one, underscores become hyphens."""
    changed = {name.replace("_", "-").lower(): value for name, value in fields.items()}
    lines = [(name, value) for name, value in exchange.asked.headers.lines if name.lower() not in changed]
    lines += [(name, value) for name, value in changed.items() if value is not None]
    return replace(exchange, asked=replace(exchange.asked, headers=Headers(lines)))


def _changed(change: Callable[[Exchange], Exchange]) -> Callable[[Ledger], Ledger]:
    return lambda ledger: replace(ledger, exchanges=[change(exchange) for exchange in ledger.exchanges])


def _unquoted(exchange: Exchange) -> Exchange:
    tag = exchange.asked.headers.get("If-None-Match")
    return _with(exchange, If_None_Match=tag.strip('"')) if tag else exchange


def _hasty(ledger: Ledger) -> Ledger:
    """Poll too early, always."""
    start = ledger.exchanges[0].at
    return replace(
        ledger, exchanges=[replace(one, at=start + (one.at - start) * 0.5) for one in ledger.exchanges], edits={}
    )


def _stale(ledger: Ledger) -> Ledger:
    """Always send the validators of the first response."""
    first: dict[str, str | None] = {}
    found = []
    for one in ledger.exchanges:
        sent = one.asked.headers.get("If-None-Match")
        first.setdefault(one.url, one.answer.said("ETag"))
        found.append(_with(one, If_None_Match=first[one.url]) if sent else one)
    return replace(ledger, exchanges=found)


def _twice(ledger: Ledger) -> Ledger:
    """Repeat each failed request at once."""
    found = []
    for one in ledger.exchanges:
        found.append(one)
        if one.answer.status >= 400:
            found.append(replace(one, asked=replace(one.asked, connection=-1)))
    return replace(ledger, exchanges=found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rude", "breaks"),
    [
        pytest.param(_changed(_unquoted), "P1 P2 P4 P10", id="unquotes-tags"),
        pytest.param(_changed(lambda one: _with(one, If_None_Match=None)), "P2 P3 P4 P12 P17 P78 P94", id="no-tags"),
        pytest.param(_changed(lambda one: _with(one, If_Modified_Since="yesterday")), "P1 P7 P8", id="own-dates"),
        pytest.param(_stale, "P1 P3 P5", id="stale-tags"),
        pytest.param(_hasty, "P50 P52 P53 P55 P56 P57 P58 P59 P67 P70 P72 P88", id="hasty"),
        pytest.param(_hasty, "P20 P25 P26 P27 P28 P29 P30 P31 P32 P32b P33 P34 P35 P37", id="hasty-after-failures"),
        pytest.param(_twice, "P26 P27 P28 P30 P31 P32 P34 P35", id="tries-again"),
        pytest.param(_changed(lambda one: _with(one, User_Agent="python-requests/2")), "P75", id="nameless"),
        pytest.param(_changed(lambda one: _with(one, Accept=None)), "P77", id="takes-anything"),
        pytest.param(_changed(lambda one: _with(one, Accept_Encoding="identity")), "P78", id="no-codings"),
        pytest.param(_changed(lambda one: _with(one, Cookie="seen=1")), "P45 P79", id="cookies"),
        pytest.param(_changed(lambda one: _with(one, Authorization="Basic eA==")), "P45 P85", id="tells-all"),
        pytest.param(_changed(lambda one: _with(one, Pragma="no-cache")), "P80", id="cache-busting"),
        pytest.param(_changed(lambda one: _with(one, A_IM="feed", If_None_Match=None)), "P23", id="deltas-of-nothing"),
        pytest.param(
            _changed(lambda one: replace(one, asked=replace(one.asked, method="HEAD"))), "P18", id="looks-first"
        ),
        pytest.param(
            lambda ledger: replace(ledger, strays=["127.0.1.1/robots.txt", "127.0.1.1/favicon.ico"]),
            "P89 P90",
            id="snoops",
        ),
        pytest.param(
            _changed(lambda one: replace(one, asked=replace(one.asked, connection=one.number))), "P86", id="hangs-up"
        ),
        pytest.param(_changed(lambda one: _with(one, Range="bytes=0-99")), "P79b", id="nibbles"),
        pytest.param(
            _changed(lambda one: replace(one, source="bad-certificate") if one.source == "vary" else one),
            "P84",
            id="trusts-anybody",
        ),
        pytest.param(
            _changed(lambda one: replace(one, ended=one.began + 60, sent=1 << 30)), "P36 P61b P82", id="takes-all"
        ),
        pytest.param(
            lambda ledger: replace(ledger, addresses=dict.fromkeys(ledger.addresses, "http://127.0.8.8/")),
            "P24 P40 P49",
            id="moves-at-once",
        ),
    ],
)
def test_bad_manners_are_seen(three_days: Ledger, rude: Callable[[Ledger], Ledger], breaks: str) -> None:
    ledger = rude(three_days)
    assert ledger.unproven, "a host that proves nothing was met"
    found = {verdict.rule.number for verdict in judge(RULES, ledger) if verdict.violations}
    assert set(breaks.split()) <= found
