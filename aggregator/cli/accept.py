"""`aggregator accept KEY`: say that a source which looks like another feed is the one that is meant (R44)."""

import argparse
import logging
from collections.abc import Mapping
from difflib import get_close_matches

from aggregator.cli.corrections import Arguments, Unclear, correct
from aggregator.cli.names import matches, unclear
from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.model.correction import Act
from aggregator.store.transaction import Transaction

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Publish what is held of a source."""

    try:
        settings = load_config(options.config, environ)
    except ConfigError:  # then keys and URLs have to do
        settings = None

    def arguments(tx: Transaction) -> Arguments:
        rows = tx.sources.rows()
        for row in rows:
            if options.key in (row.key, row.url):
                return {"source": row.key}
        keys = matches(options.key, settings.sources, tx.sources.titles) if settings else []
        if settings is not None and len(keys) > 1:
            raise Unclear(unclear(options.key, keys, settings, options.config))
        if keys:
            return {"source": keys[0]}
        near = get_close_matches(options.key, [row.key for row in rows], 1)
        hint = f"; did you mean {near[0]}?" if near else "; `aggregator status` names those that are held back"
        raise Unclear(f"no source {options.key} in {options.config}{hint}")

    return correct(options, environ, Act.ACCEPT, arguments)
