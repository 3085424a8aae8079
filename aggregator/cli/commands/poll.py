"""Poll sources that are due, publish what changed, and end: for cron and CI."""

import argparse
import logging
import sys
from collections.abc import Mapping
from datetime import timedelta

WRONG = 2  # exit code
LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keys", nargs="*", metavar="KEY", help="poll these sources, by title, key or URL, due or not")
    parser.add_argument("--all", action="store_true", help="poll all sources that are not paused, due or not")
    parser.add_argument("--for", dest="limit", default="10m", metavar="TIME", help="stop after that time; 0: no limit")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a source failed")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    # Not by `add_examples`: a poll passes no module for it (benchmarks.house).
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "examples:\n  aggregator poll\n  aggregator poll lwn\n  aggregator poll --all --for 2m"


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    if limit_of(options.limit) is None:
        print(f"aggregator: --for {options.limit}: not a duration; write 10m, 90s or 0", file=sys.stderr)
        return WRONG
    if options.keys:
        from aggregator.cli.names import refused

        if refused(options.keys, options, environ):
            return WRONG
    from aggregator.cli import poll  # late: what is refused needs nothing else

    return poll.run(options, environ)


def limit_of(text: str) -> timedelta | None:
    """Return the duration of `--for`; a number alone means seconds."""
    from aggregator.text.durations import parse_duration

    text = text.strip()
    return parse_duration(f"{text}s" if text[-1:].isdigit() else text)
