"""Compares which rules each program keeps, and where another program is better than this one."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from tests.manners.exchange import Exchange
from tests.manners.judge import Look, Rule, Verdict, early, followed
from tests.manners.ledger import Ledger, Step
from tests.manners.peers.peer import Peer
from tests.manners.rules import RULES
from tests.manners.rules_conditional import is_plain, wrong

OURS = "aggregator"
# Rules about feeds.yaml: its edits, `every: auto`, `schedule` and the spacing of hosts.
OURS_ALONE = frozenset("P9 P51 P62 P65 P72 R26".split())
UNSEEN = {"Miniflux": {"P59": "hours and days of the week are those of its own clock"}}
OTHERWISE = {  # rules where this program differs from others on purpose (rules D of standards.md)
    "P24": "D2",
    "P29": "D3",
    "P40": "D2",
    "P41": "D2",
    "P48": "D2",
    "P49": "D2",
}

AGENT = re.compile(r"\S+/\d.*https?://")


def _each(problem: Callable[[Exchange], str]) -> Callable[[Ledger], Iterator[Look]]:
    return lambda ledger: (Look(exchange, problem(exchange)) for exchange in ledger.exchanges)


def _agent(exchange: Exchange) -> str:
    said = exchange.asked.headers.get("User-Agent", "")
    return "" if AGENT.search(said) else f"User-Agent: {said!r}"


def _accept(exchange: Exchange) -> str:
    said = exchange.asked.headers.get("Accept", "")
    return "" if "application/rss+xml" in said or exchange.answer.status in (406, 415) else f"Accept: {said!r}"


def _codings(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        said = exchange.asked.headers.get("Accept-Encoding", "")
        yield Look(exchange, "" if "gzip" in said else f"Accept-Encoding: {said!r}")
    for step in ledger.steps.get("codings", ()):
        if step.before is not None and step.before.outcome == "fetched":
            yield Look(step.first, wrong(step, step.first))


def _too_soon(which: Callable[[Step], bool]) -> Callable[[Ledger], Iterator[Look]]:
    """Check polls after which the interval was not kept. Hints have rules of their own."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in followed(ledger.polls):
            if which(step):
                yield Look(step.first, early(step, "P52"))

    return check


def _restarts(step: Step) -> bool:
    return step.after is not None and step.after.first.start != step.first.start


def _comes_after_restart(step: Step) -> bool:
    return step.before is not None and _restarts(step.before)


def _restarted(ledger: Ledger) -> Iterator[Look]:
    yield from _too_soon(_restarts)(ledger)
    for step in ledger.polls:
        if _comes_after_restart(step) and is_plain(step, step.first):
            yield Look(step.first, wrong(step, step.first))


# Rules that this program keeps to the letter, in a more general form for other programs.
BY_SENSE = {
    "P17": Rule("P17", "a restart asks nothing twice and nothing early", _restarted),
    "P71": Rule(
        "P71",
        "missed turns are not made up",
        _too_soon(lambda step: step.before is not None and _restarts(step.before)),
    ),
    "P75": Rule("P75", "User-Agent names program, version and where to ask", _each(_agent)),
    "P77": Rule("P77", "Accept names feeds", _each(_accept)),
    "P78": Rule("P78", "Accept-Encoding names gzip, and it is understood", _codings),
}


def rules_for(peer: Peer) -> Sequence[Rule]:
    """Return the rules by which one of the others is judged."""
    unseen = OURS_ALONE | UNSEEN.get(peer.name, {}).keys()
    ends = {number: f"a source that tries this ends {peer.name}" for number in peer.ended_by.values()}
    rules = [BY_SENSE.get(rule.number, rule) for rule in RULES if rule.number not in unseen]
    return [replace(rule, check=_broken(ends[rule.number])) if rule.number in ends else rule for rule in rules]


def _broken(why: str) -> Callable[[Ledger], Iterator[Look]]:
    return lambda ledger: iter([Look(ledger.exchanges[0], why)])


def mark(verdict: Verdict | None) -> str:
    """Return a mark for a rule: kept, broken (how often), or empty where it was not tested."""
    if verdict is None or not verdict.looked:
        return "-"
    return f"broken {len(verdict.violations)}" if verdict.violations else "kept"


def ahead(verdicts: Mapping[str, Sequence[Verdict]]) -> Sequence[str]:
    """Return the rules that another program keeps and ours breaks, without those decided otherwise."""
    marks = {name: {verdict.rule.number: mark(verdict) for verdict in found} for name, found in verdicts.items()}
    behind = {number for number, said in marks[OURS].items() if said.startswith("broken")} - OTHERWISE.keys()
    return sorted(number for number in behind if any(said.get(number) == "kept" for said in marks.values()))


def beside(verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    """Return a table: a line for each rule, a column for each program, and how many rules each keeps."""
    by_number = {name: {verdict.rule.number: verdict for verdict in found} for name, found in verdicts.items()}
    lines = [_line("rule", "what was checked", list(verdicts))]
    for rule in RULES:
        says = f"{rule.says} ({OTHERWISE[rule.number]})" if rule.number in OTHERWISE else rule.says
        lines.append(_line(rule.number, says, [mark(found.get(rule.number)) for found in by_number.values()]))
    for word in ("kept", "broken", "-"):
        counts = [sum(mark(found.get(rule.number)).startswith(word) for rule in RULES) for found in by_number.values()]
        lines.append(_line("", word if word != "-" else "not put to the test", [str(count) for count in counts]))
    return "\n".join(lines)


def _line(number: str, says: str, cells: Sequence[str]) -> str:
    return f"{number:<5}{says:<82}" + "".join(f"{cell:>13}" for cell in cells)
