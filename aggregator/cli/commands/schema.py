"""Print the JSON Schema of feeds.yaml, for editors."""

import argparse
import json
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add examples; `schema` has no arguments of its own."""
    add_examples(
        parser,
        "schema > feeds.schema.json",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the schema."""
    from aggregator.config.reference import json_schema

    print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
    return 0
