"""`aggregator schema`: the JSON Schema of feeds.yaml, for editors that complete and check as one types."""

import argparse
import json
import logging
from collections.abc import Mapping

from aggregator.config.reference import json_schema

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print it."""
    print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
    return 0
