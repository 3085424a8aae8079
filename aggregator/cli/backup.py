"""`aggregator backup FILE`: a consistent copy of the state, also beside a running `serve` (R62)."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.open import read_store
from aggregator.config import load_config

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Copy the store."""
    settings = load_config(options.config, environ)
    store = read_store(settings)
    try:
        size = store.back_up(Path(options.file))
    finally:
        store.close()
    print(f"{options.file}: {size} bytes")
    return 0
