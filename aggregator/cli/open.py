"""What every command that works on the store does first and last."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.world import World, open_world


@contextmanager
def opened_world(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[World]:
    """Load feeds.yaml, say its warnings, open the store, and close it as one file in the end.

    Raises:
        ConfigError: everything that is wrong with feeds.yaml; nothing was opened.
        LockHeld: another process works on the store.
        StoreError: it can't be opened.
    """
    settings = load_config(options.config, environ)
    for warning in settings.warnings if not options.quiet else ():
        print(warning, file=sys.stderr)
    world = open_world(settings, command=options.command, clock=utc_now)
    try:
        yield world
    finally:
        world.close()
