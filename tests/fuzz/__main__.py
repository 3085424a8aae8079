"""`python -m tests.fuzz`: mutate real feeds for some minutes, and report the findings."""

import argparse
import contextlib
import sys
import time
from pathlib import Path

from tests.fuzz.hunt import Hunt
from tests.fuzz.seeds import seeds_of, usual_folders


def main() -> int:
    """Run the hunt; return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same cases")
    parser.add_argument("--feeds", type=Path, nargs="*", metavar="FOLDER", help="documents to begin with")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where what was found is written")
    options = parser.parse_args()
    hunt = Hunt(seeds_of(options.feeds or usual_folders()), options.seed, options.kept)
    end = time.monotonic() + 60 * options.minutes
    with contextlib.suppress(KeyboardInterrupt):
        hunt.run(lambda: time.monotonic() < end, lambda line: print(line, flush=True))  # noqa: T201
    for signature, times in sorted(hunt.found.items(), key=lambda item: -item[1]):
        print(f"{times:6} × {signature}")  # noqa: T201
    print(f"{hunt.cases} cases of seed {hunt.seed} over {len(hunt.seeds)} documents; {len(hunt.found)} findings")  # noqa: T201
    return 1 if hunt.found else 0


if __name__ == "__main__":
    sys.exit(main())
