"""`aggregator publish`: bring the files to what the store says, without asking anybody."""

import argparse
import json
import logging
from collections.abc import Mapping

from aggregator.cli.open import opened_world

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Render what is dirty, or everything; say what changed."""
    with opened_world(options, environ) as world:
        changed = world.publish(everything=options.all, take_over=options.take_over).changed
    if options.json:
        print(json.dumps({"version": 1, "published": changed}, ensure_ascii=False))
    else:
        print("\n".join(changed) if changed else "nothing changed")
    return 0
