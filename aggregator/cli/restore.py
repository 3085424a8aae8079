"""Body of `restore`: brings the state back from a backup, or from published outputs."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.names import command
from aggregator.cli.open import opened_app
from aggregator.cli.taken_in import take_in
from aggregator.cli.terminal import counted, json_text, progress
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.errors import StoreError
from aggregator.publish.posts.post import check_templates
from aggregator.render.theme import checked_style
from aggregator.restore.restore import NothingThere, read_site, restore
from aggregator.store.database import backend_of

NO_WORK = 3  # exit code


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Restore, then publish what differs from the outputs that are there."""
    settings = load_config(options.config, environ)
    checked_style(settings)  # a theme or a template that can't be used is refused before anything is restored
    check_templates(settings)
    if options.file is not None:
        backend_of(settings.store).restore(Path(options.file), utc_now())
        with opened_app(options, environ) as app:
            if said := take_in(app):
                print(f"aggregator: {said}", file=sys.stderr)
        print(f"restored from {options.file}; `{command(options.config, 'publish')}` updates the files")
        return 0
    try:
        with progress("documents read") as bar:
            restored = read_site(options.from_site, settings, utc_now, folder=Path.cwd(), on_read=lambda n: bar(n, 0))
    except NothingThere as nothing:
        if not options.if_any:
            raise
        print(f"aggregator: {nothing}", file=sys.stderr)
        return 0
    app = restore(restored, settings, utc_now)
    try:
        with progress("files written") as bar:
            published = app.publisher.publish(everything=True, take_over=True, on_written=lambda n: bar(n, 0))
        app.publisher.clear_orphans(restored.orphans)
    finally:
        app.close()
    report = {
        "version": 1,
        "categories": len(restored.categories),
        "stories": len({one.story for one in restored.publications}),
        "entries": len(restored.entries),
        "withdrawn": len(restored.tombstones),
        "published": list(published.changed),
        "posts": list(published.posts),
        "notices": list(restored.notices),
    }
    for notice in restored.notices:
        print(f"aggregator: {notice}", file=sys.stderr)
    if options.json:
        print(json_text(report))
    else:
        stories = counted(len({one.story for one in restored.publications}), "story", "stories")
        categories = counted(len(restored.categories), "category", "categories")
        print(f"restored {stories} in {categories}, {counted(len(restored.entries), 'entry', 'entries')}")
        count = len(published.changed)
        print(f"{counted(count, 'file differs', 'files differ')} from what was there" if count else "No file changed.")
    if published.failed:
        raise StoreError("restored, but these outputs could not be published: " + ", ".join(published.failed))
    return 0
