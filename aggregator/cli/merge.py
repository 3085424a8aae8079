"""`aggregator merge A B`: let one story tell what two told (T7)."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.corrections import Arguments, correct, meant
from aggregator.model.correction import Act
from aggregator.store.transaction import Transaction

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Merge two stories."""

    def arguments(tx: Transaction) -> Arguments:
        return {"story": meant(tx, options.kept).story, "other": meant(tx, options.merged).story}

    return correct(options, environ, Act.MERGE, arguments)
