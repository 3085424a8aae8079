"""Rules: a number, one line that says what is required, and a function that judges the ledger."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from tests.manners.exchange import Exchange
from tests.manners.ledger import Ledger, Step
from tests.manners.month import LATE

SHARED = "127.0.2."  # hosts shared by several sources
SLACK = LATE + timedelta(minutes=20)  # added to LATE: polls that are due together are spread, and wait for their host


@dataclass(frozen=True)
class Look:
    """One checked item, and its violation if any."""

    exchange: Exchange
    problem: str = ""


Check = Callable[[Ledger], Iterable[Look]]


@dataclass(frozen=True)
class Rule:
    """One rule of standards.md."""

    number: str
    says: str
    check: Check


@dataclass(frozen=True)
class Verdict:
    """Result of judging one rule."""

    rule: Rule
    looked: int
    violations: tuple[Look, ...]


def judge(rules: Iterable[Rule], ledger: Ledger) -> list[Verdict]:
    """Check a ledger, rule by rule."""
    verdicts = []
    for rule in rules:
        looks = list(rule.check(ledger))
        verdicts.append(Verdict(rule, len(looks), tuple(look for look in looks if look.problem)))
    return verdicts


def table(verdicts: Iterable[Verdict], *, shown: int = 3) -> str:
    """Return a line for each rule, and the first violations of broken rules."""
    lines = []
    for verdict in verdicts:
        rule, count = verdict.rule, len(verdict.violations)
        lines.append(f"{rule.number:<5}{rule.says:<76}{verdict.looked:>7}{count:>6}")
        sources = sorted({look.exchange.source for look in verdict.violations})
        lines += [f"      {look.problem}\n        {look.exchange}" for look in verdict.violations[:shown]]
        if count > shown:
            lines.append(f"      … of {', '.join(sources)[:150]}")
    head = f"{'rule':<5}{'what was checked':<76}{'looked':>7}{'wrong':>6}"
    return "\n".join([head, *lines])


def early(step: Step, *rules: str) -> str:
    """Return a sentence if the next poll of a source came too early by the rules named, or by any; else empty."""
    if step.after is None or "edited" in step.after.facts:
        return ""
    waited = step.after.first.at - step.first.at
    broken = {rule: bound for rule, bound in step.bounds.items() if waited < bound and (not rules or rule in rules)}
    return f"asked again after {waited}, not {max(broken.values())} ({', '.join(broken)})" if broken else ""


def late(step: Step, wait: timedelta | None = None) -> str:
    """Return a sentence if the next poll of a source came too late; empty if not, or where that is unknown."""
    habit, after = step.habit, step.after
    shares = habit.host or habit.away.startswith(SHARED)  # it may have to wait for other sources of the host
    if after is None or after.first.start != step.first.start or habit.every is None or shares or any(step.skipped):
        return ""
    wait = step.wait if wait is None else wait
    phase = wait if step.before is None and not step.failures else timedelta(0)
    waited = after.first.at - step.first.at
    most = wait * 1.1 + phase + SLACK
    return f"asked again only after {waited}, not {most}" if waited > most else ""


def of(*names: str) -> Callable[[Ledger], Iterator[Step]]:
    """Return the polls of some sources."""
    return lambda ledger: (step for name in names for step in ledger.steps.get(name, ()))


def followed(steps: Iterable[Step]) -> Iterator[Step]:
    """Return those polls after which there is another."""
    return (step for step in steps if step.after is not None)
