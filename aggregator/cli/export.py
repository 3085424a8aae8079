"""Body of `export`: the sources as OPML, for another reader or planet."""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence

from aggregator.cli.edit import WRONG
from aggregator.cli.names import unclear_category
from aggregator.cli.open import configured
from aggregator.cli.terminal import counted
from aggregator.clock import utc_now
from aggregator.errors import NoStore
from aggregator.model.entry import Origin
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Kind, Settings, Source, SourceKey
from aggregator.render.opml import ExportedFeed, render_export
from aggregator.store.database import open_store
from aggregator.urls import without_secrets


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the OPML document."""
    settings = configured(options, environ)
    wanted = [category for category in settings.categories if options.category in (category.key, category.title)]
    if options.category is not None and not wanted:
        print(f"aggregator: {unclear_category(options.category, settings)}", file=sys.stderr)
        return WRONG
    chosen = wanted or settings.categories
    feeds = _feeds(settings)
    groups: dict[str, list[Source]] = {category.title: [] for category in chosen}
    titles = {category.key: category.title for category in chosen}
    for source in settings.sources:
        for key in source.categories:
            if key in titles:
                groups[titles[key]].append(source)
    shown = {source.key: source for members in groups.values() for source in members}
    left = [source for source in shown.values() if not _is_feed(source, options, settings.secrets)]
    kept = {
        title: [source for source in members if _is_feed(source, options, settings.secrets)]
        for title, members in groups.items()
    }
    document = render_export(
        {title: [_exported(source, feeds) for source in members] for title, members in kept.items() if members},
        wanted[0].title if wanted else settings.site.title,
    )
    sys.stdout.flush()
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()
    if not options.quiet:
        _tell(left)
    return 0


def _is_feed(source: Source, options: argparse.Namespace, secrets: Collection[str]) -> bool:
    """Report whether another reader can poll a source by its address, and may know it."""
    is_shown = (options.private or not source.private) and without_secrets(source.url, secrets) == source.url
    return is_shown and source.reading.kind is Kind.FEED and source.path is None and source.auth is None


def _exported(source: Source, feeds: Mapping[SourceKey, Origin]) -> ExportedFeed:
    feed = feeds.get(source.key)
    return ExportedFeed(
        title=name_of_source(source, feed.title if feed else None),
        url=str(source.url),
        link=feed.link if feed and not source.private else None,
    )


def _feeds(settings: Settings) -> Mapping[SourceKey, Origin]:
    """Return what the feeds say of themselves, by source; empty if there is no store yet."""
    try:
        store = open_store(settings.store, now=utc_now(), writes=False)
    except NoStore:
        return {}
    try:
        with store.read() as tx:
            return {row.key: row.feed for row in tx.sources.rows() if row.feed is not None}
    finally:
        store.close()


def _tell(left: Sequence[Source]) -> None:
    """Print on stderr the sources that the document leaves out, each with the reason."""
    reasons = (
        ("private (--private adds them)", [source for source in left if source.private]),
        (
            "a list, whose feeds are exported instead",
            [s for s in left if s.reading.kind is Kind.OPML and not s.private],
        ),
    )
    told: set[SourceKey] = set()
    for why, sources in reasons:
        if sources:
            told |= {source.key for source in sources}
            print(f"aggregator: left out: {', '.join(source.key for source in sources)}: {why}", file=sys.stderr)
    rest = [source.key for source in left if source.key not in told]
    if rest:
        why = "another program can't read them by their address alone"
        print(f"aggregator: left out {counted(len(rest), 'source')}: {', '.join(rest)}: {why}", file=sys.stderr)
