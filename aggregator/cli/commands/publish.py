"""Render changed categories, or all, from the store."""

import argparse
import logging
import sys
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING
NO_WORK = 3  # exit code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="render everything, changed or not")
    parser.add_argument(
        "--rules", action="store_true", help="apply the rules of feeds.yaml to stored entries, and publish the result"
    )
    parser.add_argument("--take-over", action="store_true", help="overwrite outputs whose store was lost")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "publish",
        "publish --all",
        "publish --rules",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Render dirty categories, or all; print which files changed and which could not be written."""
    from aggregator.cli.corrections import correct
    from aggregator.cli.open import opened_app
    from aggregator.cli.terminal import json_text, progress
    from aggregator.errors import StrangerInTheWay
    from aggregator.model.correction import Act
    from aggregator.poll.corrections import run_pending_requests
    from aggregator.websub import send_pings_briefly

    if options.rules:
        done = correct(options, environ, Act.RULES, lambda tx: {})
        if done or not (options.all or options.take_over):
            return done
    with opened_app(options, environ, goes_on=not options.take_over) as app:
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        try:
            total = 0  # unknown
            if options.all and sys.stderr.isatty():
                with app.store.read() as tx:
                    total = len(tx.files.digests())
            with progress("files written") as bar:
                published = app.publisher.publish(
                    everything=options.all, take_over=options.take_over, on_written=lambda done: bar(done, total)
                )
            changed, posts, failed, why = published.changed, published.posts, published.failed, ""
            if options.take_over:
                app.publisher.clear_lost()
        except StrangerInTheWay as stranger:
            changed, posts, failed, why = stranger.changed, (), (stranger.output,), str(stranger)
        send_pings_briefly(app)
    if options.json:
        print(json_text({"version": 1, "published": changed, "posts": posts, "failed": failed}))
    else:
        print("\n".join((*changed, *posts)) or "nothing changed")
    for output in failed:
        said = why or f"{output}: could not be updated; the old file is still there"
        print(f"aggregator: {said}", file=sys.stderr)
    return NO_WORK if failed else 0
