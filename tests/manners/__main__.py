"""`python -m tests.manners`: a simulated month among publishers of every habit, checked request by request.

With `--peers`: four days, in which Miniflux, newsboat and the library `reader` are checked too, if installed.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.manners.catalogue import HABITS, WATCHED
from tests.manners.exchange import Habit
from tests.manners.habits import HOUR
from tests.manners.judge import Verdict, judge, table
from tests.manners.month import a_month
from tests.manners.peers.comparison import OURS, ahead, beside, rules_for
from tests.manners.peers.miniflux import Miniflux
from tests.manners.peers.newsboat import Newsboat
from tests.manners.peers.peer import Peer, as_followed, days_of
from tests.manners.peers.reader import Reader
from tests.manners.rules import RULES
from tests.sample_site import SampleSite

DAYS = timedelta(days=4)  # length of the comparison with peers
PEERS: Sequence[Peer] = (Miniflux(), Reader(), Newsboat())


def main() -> None:
    """Print the table; return 1 if this program breaks a rule, or with `--peers` a rule that another program keeps."""
    parser = argparse.ArgumentParser(prog="python -m tests.manners", description=__doc__)
    parser.add_argument("--days", type=float, help=f"default {WATCHED.days}, with --peers {DAYS.days}")
    parser.add_argument("--peers", action="store_true", help="judge Miniflux, reader and newsboat too")
    parser.add_argument("--only", action="append", help="one of the peers; may be repeated")
    parser.add_argument("--shown", type=int, default=3, help="violations shown of each rule, default %(default)s")
    options = parser.parse_args()
    span = timedelta(days=options.days) if options.days else DAYS if options.peers else WATCHED
    if options.peers:
        habits = [habit if habit.every is None else replace(habit, every=HOUR) for habit in HABITS]
        verdicts = {OURS: _ours(habits, span, options.shown)}
        for peer in PEERS:
            if peer.name in (options.only or [peer.name]):
                verdicts |= _theirs(peer, span, options.shown)
        print(beside(verdicts))  # noqa: T201
        leads = ahead(verdicts)
        print(f"kept by somebody else, not by us: {', '.join(leads) or 'nothing'}")  # noqa: T201
        sys.exit(1 if leads else 0)
    sys.exit(1 if any(verdict.violations for verdict in _ours(HABITS, span, options.shown)) else 0)


def _ours(habits: Sequence[Habit], span: timedelta, shown: int) -> Sequence[Verdict]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = a_month(SampleSite(Path(folder)), habits, span)
    verdicts = judge(RULES, ledger)
    print(f"{OURS}: {len(habits)} habits, {len(ledger.exchanges)} exchanges in {span}")  # noqa: T201
    print(table(verdicts, shown=shown), flush=True)  # noqa: T201
    return verdicts


def _theirs(peer: Peer, span: timedelta, shown: int) -> dict[str, Sequence[Verdict]]:
    if lacking := peer.missing():
        print(f"{peer.name} is left out: {lacking} is not installed (.ci/services)")  # noqa: T201
        return {}
    ledger = days_of(peer, as_followed(HABITS, peer), span)
    verdicts = [*judge(rules_for(peer), ledger)]
    print(f"{peer.name}: {len(ledger.habits)} habits, {len(ledger.exchanges)} exchanges in {span}")  # noqa: T201
    print(table(verdicts, shown=shown), flush=True)  # noqa: T201
    return {peer.name: verdicts}


if __name__ == "__main__":
    main()
