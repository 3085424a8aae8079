"""`aggregator unmerge STORY [ENTRY]`: take a story apart (T8)."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.corrections import Arguments, correct, entry_of_story, meant
from aggregator.model.correction import Act
from aggregator.store.transaction import Transaction

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take an entry out of a story, or all but the founding one; what was merged is also named by its old ids."""

    def arguments(tx: Transaction) -> Arguments:
        found = meant(tx, options.story)
        entry = found.founder if options.entry is None else entry_of_story(tx, options.entry, found.story)
        return {"story": found.story, "entry": entry}

    return correct(options, environ, Act.UNMERGE, arguments)
