"""Move the state from its file to a PostgreSQL database."""

import argparse
import logging
import sys
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Copies everything that the program knows to an empty PostgreSQL database, in one transaction, and compares "
        "each table. The file stays as it is. Afterwards write the URL as store: in feeds.yaml."
    )
    parser.add_argument("to", metavar="TO", help="URL of the database; a password may be ${NAME}, or in PGPASSWORD")
    add_examples(parser, "move-store postgresql://aggregator@db.example.org/aggregator")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Move the store, and say what to write into feeds.yaml."""
    from aggregator.config.addresses import store, store_path
    from aggregator.config.findings import Unfit
    from aggregator.config.variables import expand

    target = expand(options.to, environ)
    try:
        if target.missing:
            raise Unfit(f"names {target.missing[0]}, which is not set")
        if store_path(store(target.text)) is not None:
            raise Unfit("is a file; write postgresql://user@host/database")
    except Unfit as error:
        print(f"aggregator: TO {error}", file=sys.stderr)
        return 2
    from aggregator.cli.terminal import counted
    from aggregator.clock import utc_now
    from aggregator.config import load_config
    from aggregator.errors import NoStore, StoreError
    from aggregator.store.database import backend_of, open_store

    settings = load_config(options.config, environ)
    if store_path(settings.store) is None:
        raise StoreError(f"the store is in PostgreSQL already: {backend_of(settings.store).where}; nothing was moved")
    if not backend_of(settings.store).exists():
        raise NoStore("there is no store yet that could be moved; write the URL as store: in feeds.yaml")
    backend_of(target.text)  # the extra may be missing
    from aggregator.store.moving import move

    opened = open_store(settings.store, now=utc_now(), command=options.command)
    try:
        opened.checkpoint()
        moved = move(opened, target.text, utc_now())
    finally:
        opened.close()
    print(
        f"{counted(moved.rows, 'row', 'rows')} of {moved.tables} tables moved, and compared. Now write store: "
        f"{options.to} into feeds.yaml, and move {opened.path} away."
    )
    return 0
