"""`python reader_turns.py DATABASE`: the library `reader` follows what the first line of its input names.

Each further line is a time, at which it updates what it thinks is due. It runs in an environment of its own, and
imports nothing of ours.
"""

import json
import sys
from datetime import datetime, timedelta
from time import monotonic

from reader import make_reader  # type: ignore[import-not-found]  # installed by .ci/services, away from us


def main(database: str) -> None:
    """Update at each time that is given."""
    library = make_reader(database)
    for url in json.loads(sys.stdin.readline()):
        library.add_feed(url, allow_invalid_url=True)
    _done()
    for line in sys.stdin:
        now, since = datetime.fromisoformat(json.loads(line)), monotonic()
        library._now = lambda now=now, since=since: (  # noqa: SLF001 - the library has no argument for the time
            now + timedelta(seconds=monotonic() - since)
        )
        library.update_feeds(scheduled=True)
        _done()


def _done() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()


main(sys.argv[1])
