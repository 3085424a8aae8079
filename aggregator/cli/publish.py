"""`aggregator publish`: bring the files to what the store says, without asking anybody."""

import argparse
import json
import logging
import sys
from collections.abc import Mapping

from aggregator.cli.open import opened_world
from aggregator.errors import StrangerInTheWay

LEVEL = logging.WARNING
NO_WORK = 3  # exit code (DESIGN 3.2)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Render what is dirty, or everything; say what changed, and what could not be written."""
    with opened_world(options, environ) as world:
        try:
            published = world.publish(everything=options.all, take_over=options.take_over)
            changed, failed, why = published.changed, published.failed, ""
        except StrangerInTheWay as stranger:
            changed, failed, why = stranger.changed, (stranger.output,), str(stranger)
    if options.json:
        print(json.dumps({"version": 1, "published": changed, "failed": failed}, ensure_ascii=False))
    else:
        print("\n".join(changed) if changed else "nothing changed")
    for output in failed:
        said = why or f"{output}: could not be brought up to date; what stood there still stands"
        print(f"aggregator: {said}", file=sys.stderr)
    return NO_WORK if failed else 0
