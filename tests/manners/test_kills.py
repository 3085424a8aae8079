"""After any end of a service, the next run is as polite as if nothing had happened (P17, P52, R13)."""

import itertools
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.manners.exchange import Habit
from tests.manners.habits import feed
from tests.manners.judge import judge, table
from tests.manners.ledger import Ledger
from tests.manners.origin import Origin
from tests.manners.rules import RULES
from tests.running import Running

KILLS = 20
EVERY = timedelta(seconds=10)
LATE = timedelta(seconds=1)  # time until the origin sees a request; the next request may seem too early by this time
HABITS = [
    Habit(name=f"polite-{n}", acts={"feed": feed(f"polite-{n}", timedelta(seconds=25 + 10 * n))}) for n in range(12)
]
JUDGED = "P1 P2 P7 P17 P52".split()


@pytest.mark.slow
def test_p17_twenty_kills_are_not_noticed(tmp_path: Path) -> None:
    with Origin(HABITS, lambda: datetime.now(UTC)) as origin, ExitStack() as stack:
        urls = origin.urls()
        lines = "".join(f"  - {{url: '{urls[name]}', key: {name}, every: 10s}}\n" for name in urls)
        hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s}}\n"
        running = Running(tmp_path, f"{hosts}sources:\n{lines}")
        stack.push(running.__exit__)
        running.start()
        running.wait_for(lambda: len(origin.ledger) == len(HABITS))
        running.stop()  # each source was polled once, and this is stored
        origin.start += 1
        for kill, _ in zip(itertools.cycle((running.kill, running.stop)), range(KILLS), strict=False):
            running.start()
            seen = len(origin.ledger)
            running.wait_for(lambda seen=seen: len(origin.ledger) > seen)  # type: ignore[misc]
            kill()
            origin.start += 1
        exchanges = origin.settled()
    habits = {habit.name: replace(habit, every=EVERY - LATE) for habit in HABITS}
    ledger = Ledger(exchanges=exchanges, habits=habits, addresses={name: origin.seen_as(name) for name in urls})
    verdicts = judge([rule for rule in RULES if rule.number in JUDGED], ledger)
    assert not any(verdict.violations for verdict in verdicts), table(verdicts)
    assert all(verdict.looked for verdict in verdicts), table(verdicts)
    bare = Counter(one.source for one in exchanges if "If-None-Match" not in one.asked.headers)
    assert bare == Counter(dict.fromkeys(habits, 1))  # the first request of each source, and no other
    assert {one.start for one in exchanges} == set(range(1, KILLS + 2)), "each life asked"
