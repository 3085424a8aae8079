"""`aggregator retract ID [--undo]`: withdraw a story from every category, or bring it back (A42, M8)."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.corrections import Arguments, correct, meant
from aggregator.model.correction import Act
from aggregator.store.transaction import Transaction

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Retract a story, or undo that."""

    def arguments(tx: Transaction) -> Arguments:
        return {"story": meant(tx, options.id).story, "undo": options.undo}

    return correct(options, environ, Act.RETRACT, arguments)
