"""Take a story apart, and remember that its entries differ."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import STORY_NAMES

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Takes ENTRY out of a story, or all entries but the one that founded it. What came by `merge` stands again "
        "as it was before, anything else becomes a story of its own, and no copy joins the two again by itself. "
        "Works beside a running `serve`; `merge` undoes it."
    )
    parser.add_argument("story", metavar="STORY", help=STORY_NAMES)
    parser.add_argument("entry", nargs="?", metavar="ENTRY", help="an entry's link, own id or number")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take one entry, or all entries but the founding one, out of a story (T8)."""
    from aggregator.cli.corrections import Arguments, correct, entry_of_story, meant
    from aggregator.model.correction import Act
    from aggregator.store.transaction import Transaction

    def arguments(tx: Transaction) -> Arguments:
        found = meant(tx, options.story)
        entry = found.founder if options.entry is None else entry_of_story(tx, options.entry, found.story)
        return {"story": found.story, "entry": entry}

    return correct(options, environ, Act.UNMERGE, arguments)
