"""Body of `forget`: tells what goes and what readers will see, asks, and has it done as a correction (R27)."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

from aggregator.cli.corrections import Unclear, correct, meant
from aggregator.cli.edit import NOT_DONE, WRONG
from aggregator.cli.open import configured, read_store
from aggregator.cli.terminal import printable
from aggregator.model.correction import Act
from aggregator.model.settings import Settings
from aggregator.store.private_redactor import redactor_of_private
from aggregator.store.transaction import Transaction


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Forget the story of the command line. Exit code 1 if nobody said yes."""
    if not options.yes:
        settings = configured(options, environ)
        try:
            lines = _told(settings, options.id)
        except Unclear as error:
            print(f"aggregator: {error}", file=sys.stderr)
            return WRONG
        for line in lines if not options.json else ():
            print(printable(line))
        sys.stdout.flush()
        if not _is_wanted(options):
            return NOT_DONE
    return correct(options, environ, Act.FORGET, lambda tx: {"story": meant(tx, options.id).story})


def _told(settings: Settings, name: str) -> Sequence[str]:
    store = read_store(settings)
    try:
        with store.read() as tx:
            redactor = redactor_of_private(tx, settings.sources)
            try:
                return redactor.text("\n".join(_lines(tx, name))).splitlines()
            except Unclear as error:
                raise Unclear(redactor.text(str(error))) from error
    finally:
        store.close()


def _lines(tx: Transaction, name: str) -> Iterator[str]:
    number = meant(tx, name).story
    story, keys = tx.trail.story(number), tx.trail.category_keys()
    for entry in tx.finding.entries_of(number):
        yield f"entry {entry.id} of {entry.source}: {entry.title or '(untitled)'}  {entry.link or ''}".rstrip()
    for place in story.places:
        if place.withdrawn_at is None:
            where = "its feeds and page" if place.page is None else f"archive page {place.page}"
            yield f"  leaves {keys.get(place.category_id, '?')}: {where}"
    yield "  readers: a tombstone in Atom for 30 days, by which some readers drop the story; its page answers 410"
    yield "  for good: title, link, texts, authors, tags and earlier versions leave the store; ids and digests stay"
    yield "  not reached: what readers and mirrors have kept, and backups of the store that were made before"


def _is_wanted(options: argparse.Namespace) -> bool:
    if options.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        print("aggregator: not done: there is nobody to ask here; --yes forgets it", file=sys.stderr)
        return False
    print("Forget it for good? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("aggregator: nothing was done", file=sys.stderr)
    return False
