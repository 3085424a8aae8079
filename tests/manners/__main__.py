"""`python -m tests.manners`: a month among publishers of every habit, request by request, rule by rule."""

import argparse
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.manners.catalogue import HABITS, WATCHED
from tests.manners.judge import judge, table
from tests.manners.month import a_month
from tests.manners.rules import RULES
from tests.newsroom import Newsroom


def main() -> None:
    """Print the table; exit 1 if a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.manners", description=__doc__)
    parser.add_argument("--days", type=float, default=WATCHED / timedelta(days=1), help="default %(default)g")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = a_month(Newsroom(Path(folder)), HABITS, timedelta(days=options.days))
    verdicts = judge(RULES, ledger)
    print(f"{len(HABITS)} habits, {len(ledger.exchanges)} exchanges in {options.days:g} days")  # noqa: T201
    print(table(verdicts))  # noqa: T201
    sys.exit(1 if any(verdict.violations for verdict in verdicts) else 0)


if __name__ == "__main__":
    main()
