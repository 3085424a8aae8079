"""Write the beginning of a theme, with comments."""

import argparse
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING
WRONG = 2  # exit code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="write a stylesheet, a frame and an about page, each with comments")
    new.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder beside feeds.yaml")
    add_examples(
        parser,
        "theme new my-theme",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Write the files into a new folder; print their names and the line for feeds.yaml."""
    from aggregator.render.theme_files import BEGINNING, listed

    folder: Path = options.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            print(f"aggregator: {folder} is not empty; name a new folder", file=sys.stderr)
            return WRONG
        for name, source in listed(BEGINNING):
            target = folder / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(source.read_bytes())
            print(target)
    except OSError as error:
        print(f"aggregator: {error.filename or folder} can't be written: {error.strerror}", file=sys.stderr)
        return WRONG
    print(f"Write in feeds.yaml: publish: {{theme: {folder}/}}")
    return 0
