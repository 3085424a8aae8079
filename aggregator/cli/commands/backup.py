"""Copy the state to a file, also beside a running serve."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the copy; an existing file is replaced")
    add_examples(
        parser,
        "backup copy.db",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Copy the store to a file; consistent, also while another process writes (R62)."""
    from aggregator.errors import StoreError

    folder = Path(options.file).parent
    if not folder.is_dir():
        raise StoreError(f"there is no folder {folder}; make it, or write another path")
    from aggregator.cli.open import read_store
    from aggregator.config import load_config

    store = read_store(load_config(options.config, environ))
    try:
        size = store.back_up(Path(options.file))
    finally:
        store.close()
    print(f"{options.file}: {size} bytes")
    return 0
