"""Separate the entries of a story, for good."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import STORY_NAMES, add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Takes ENTRY out of a story, or all entries but its first. A story that was merged into it by `merge` is "
        "restored; any other entry becomes a story of its own. Copies of the two no longer join them. "
        "Works beside a running `serve`; `merge` undoes it."
    )
    parser.add_argument("story", metavar="STORY", help=STORY_NAMES)
    parser.add_argument("entry", nargs="?", metavar="ENTRY", help="an entry's link, own id or number")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "unmerge https://example.org/2026/a-story",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take one entry, or all entries but the founding one, out of a story (T8)."""
    from aggregator.cli.names import unknown_entry

    if unknown_entry([options.story], options, environ):
        return 2
    from aggregator.cli.corrections import Arguments, correct, entry_of_story, meant
    from aggregator.model.correction import Act
    from aggregator.store.transaction import Transaction

    def arguments(tx: Transaction) -> Arguments:
        found = meant(tx, options.story)
        entry = found.founder if options.entry is None else entry_of_story(tx, options.entry, found.story)
        return {"story": found.story, "entry": entry}

    return correct(options, environ, Act.UNMERGE, arguments)
