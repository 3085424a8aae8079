"""`aggregator backup FILE`: a consistent copy of the state, also beside a running `serve` (R62)."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.store import open_store

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Copy the store."""
    settings = load_config(options.config, environ)
    store = open_store(settings.store, now=utc_now(), writes=False)
    try:
        size = store.back_up(Path(options.file))
    finally:
        store.close()
    print(f"{options.file}: {size} bytes")
    return 0
