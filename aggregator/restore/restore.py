"""Restores a lost state from published files (`restore --from-site`), which hold nearly all of it.

Ids, order, archive pages and the keys by which entries are known again come back. What was never published does not:
entries that a rule refused, those beyond `initial`, validators, history.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urljoin

from aggregator.app import App, open_app
from aggregator.clock import Clock
from aggregator.dry_run.probe import Prober
from aggregator.model.ask import Ask
from aggregator.model.entry import NO_NEWS as NOTHING
from aggregator.model.entry import Feed
from aggregator.model.hosts import rule_for
from aggregator.model.output_paths import GONE_LIST
from aggregator.model.poll import Failed, Fetched
from aggregator.model.restored import Restored
from aggregator.model.settings import Settings, Source, SourceKey
from aggregator.render.gone_list import read_gone_list
from aggregator.restore.combine import NothingToRestore, PublishedCategory, StateBuilder
from aggregator.restore.read_site import ReadDocument, read_document, read_updated
from aggregator.store.database import open_store
from aggregator.store.output_list import FORGOTTEN
from aggregator.store.taking_in import TakenIn
from aggregator.text.slugs import free_slug
from aggregator.urls import host_of, normalise

MAX_FILE = 64 * 2**20  # bytes of a document in a folder
_FEED = re.compile(r"category/([a-z0-9][a-z0-9-]{0,63})\.atom")
_PAGE = re.compile(r"category/[a-z0-9][a-z0-9-]{0,63}/archive/([1-9][0-9]{0,8})\.atom")

Read = Callable[[str], bytes | None]  # gives a published file by its path; None if there is none


class NothingThere(NothingToRestore):
    """Nothing was published there yet: each document that could be is missing, and nothing else was answered."""


def read_site(
    where: str, settings: Settings, clock: Clock, *, folder: Path, on_read: Callable[[int], None] = lambda number: None
) -> Restored:
    """Read what was published back.

    Args:
        where: the URL of the site, or a folder.
        settings: of feeds.yaml, whose sources and categories it is compared with.
        clock: returns the current time.
        folder: a relative `where` counts from there.
        on_read: called with the number of documents that were asked for, before each.

    Raises:
        NothingThere: nothing was published there.
        NothingToRestore: it can't be read, or a part of it is missing.
        PublishError: a document is not what we write.
    """
    if re.match(r"https?://", where):
        source = _site_source(where, settings)
        prober = Prober(settings, clock)
        try:
            return _restored(_counting(lambda path: _fetched(prober, source, path), on_read), [], settings)
        finally:
            prober.close()
    root = folder / where
    if not root.is_dir():
        raise NothingThere(f"there is no folder {root}; nothing was restored")
    listed = [path.stem for path in sorted((root / "category").glob("*.atom"))]
    return _restored(_counting(lambda path: _file(root / path), on_read), listed, settings)


def _counting(read: Read, on_read: Callable[[int], None]) -> Read:
    numbers = count(1)

    def counted(path: str) -> bytes | None:
        on_read(next(numbers))
        return read(path)

    return counted


def restore(restored: Restored, settings: Settings, clock: Clock) -> App:
    """Fill a new store with what was read; gives it open.

    Raises:
        NothingToRestore: the store has entries already; nothing was changed.
        StoreError: it can't be written.
    """
    store = open_store(settings.store, now=clock(), command="restore")
    try:
        with store.begin() as tx:
            if tx.restoring.is_filled():
                raise NothingToRestore(
                    f"the store {store.where} has entries already; move it away to restore another one"
                )
            tx.restoring.lay_ground(restored, clock())
    finally:
        store.close()
    app = open_app(settings, command="restore", clock=clock)
    try:
        with app.store.begin() as tx:
            detailed = {source.key: source.initial for source in settings.sources if source.detail is not None}
            tx.restoring.fill(restored, clock(), detailed=detailed)
        app.sync(settings.path.read_text(encoding="utf-8"))
    except BaseException:
        app.close()
        raise
    return app


def take_in_outputs(app: App, text: str) -> TakenIn:
    """Add to a store that was restored from a backup what the outputs of a later time tell.

    Args:
        app: an open one, whose outputs stand in `publish.to`.
        text: feeds.yaml, as it is in force.

    Raises:
        NothingThere: no output stands there.
        NothingToRestore: a part of them is missing, so that nothing was taken in.
        PublishError: a document is not what we write, or can't be read.
        StoreError: the store can't be written.
    """
    folder = app.folder
    there = {*folder.below("category")}

    def read(path: str) -> bytes | None:
        if path not in there and (path.startswith("category/") or folder.digest(path) is None):
            return None
        return folder.read(path, MAX_FILE)

    listed = sorted(match[1] for path in there if (match := _FEED.fullmatch(path)))
    restored = _restored(read, listed, app.in_force.settings)
    with app.store.begin() as tx:
        taken = tx.taking_in.take_in(restored, app.clock())
    app.sync(text)
    return taken


# Reading.


def _site_source(where: str, settings: Settings) -> Source:
    url = normalise(where if where.endswith("/") else f"{where}/")
    rule = rule_for(host_of(url), settings.hosts)
    return Source(key=SourceKey("site"), url=url, allow_private=rule is not None and rule.allow_private)


def _fetched(prober: Prober, source: Source, path: str) -> bytes | None:
    bodies: list[bytes] = []

    def keep(fetched: Fetched, ask: Ask) -> Feed:
        bodies.append(fetched.body)
        return NOTHING

    url = normalise(urljoin(source.url, path))
    poll = prober.ask(source, url, read=keep)
    if bodies:
        return bodies[0]
    code = poll.answer.code if poll is not None and isinstance(poll.answer, Failed) else None
    # A bucket that lists nothing to strangers answers 403 for what it has not, and so does a host that dislikes us; of
    # a page that others lead to, the second would be a hole.
    if code in ("not_found", "gone") or (code == "forbidden" and not path.endswith("opml.xml")):
        return None
    why = poll.answer.text if poll is not None and isinstance(poll.answer, Failed) else "it wants to be left alone"
    raise NothingToRestore(f"{url} can't be read, and nothing was restored: {why}")


def _file(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > MAX_FILE:
            raise NothingToRestore(f"{path} has over {MAX_FILE // 2**20} MiB: none of ours")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NothingToRestore(f"{path} can't be read, and nothing was restored: {error.strerror}") from error


def _restored(read: Read, listed: Sequence[str], settings: Settings) -> Restored:
    opml = read("opml.xml") or b""
    named = _FEED.findall(opml.decode("utf-8", "replace"))
    answers = read_gone_list(read(GONE_LIST) or b"")
    gone = {match[1]: answer for path, answer in answers.items() if (match := _FEED.fullmatch(path))}
    public = dict.fromkeys((*named, *gone))  # gone.txt names removed categories that were in the index (A44)
    slugs = dict.fromkeys((*public, *listed, *_expected_slugs(settings)))  # named in the order of their pages
    shelves = [
        replace(shelf, is_unlisted=slug not in public, is_forgotten=gone.get(slug) == FORGOTTEN)
        for slug in slugs
        if (shelf := _published_category(read, slug, settings)) is not None
    ]
    if not shelves:
        raise NothingThere("no category/*.atom that an aggregator wrote is there; nothing was restored")
    return StateBuilder(shelves, settings, said=read_updated(read("all.atom") or b"")).restored()


def _expected_slugs(settings: Settings) -> Iterator[str]:
    taken: set[str] = set()
    for category in settings.categories:
        for name in (category.slug or category.key, *category.was):
            yield name if name == category.slug else free_slug(name, ())
        taken.add(slug := free_slug(category.slug or category.key, taken))
        yield slug


def _published_category(read: Read, slug: str, settings: Settings) -> PublishedCategory | None:
    base = str(settings.site.base_url)

    def document(path: str) -> ReadDocument | None:
        atom = read(f"{path}.atom")
        return None if atom is None else read_document(atom, read(f"{path}.json"), path=path, base_url=base)

    main = document(f"category/{slug}")
    if main is None:
        return None
    newest = _PAGE.search(main.previous or "")
    pages = []
    for number in range(1, int(newest[1]) + 1 if newest else 1):
        page = document(f"category/{slug}/archive/{number}")
        if page is None:
            raise NothingToRestore(
                f"category/{slug}/archive/{number}.atom is missing, and nothing was restored. Put it back, from a "
                "backup of the site or wherever a copy stands, with the .json beside it, and restore again; or name "
                "another copy of the site that is whole, by its folder or URL. If there is none, "
                f"`aggregator -c {shlex.quote(str(settings.path))} publish --take-over` starts anew over what is there"
            )
        pages.append(page)
    return PublishedCategory(slug, main, pages)
