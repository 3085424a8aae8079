"""Writes output files and keeps the list of them: a file is listed before its first write, so that a crash leaves none
that is unlisted, and files that are not listed are never touched.

A file that can't be written leaves the old one in place and stops no other (R32). The list is of one folder: in another
one, only files with the digests of the list are ours.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import PurePosixPath
from typing import TypeVar

from aggregator.clock import Clock
from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.model.formats import FORMATS
from aggregator.model.output import Output
from aggregator.model.output_paths import is_output, is_published
from aggregator.model.settings import Publish
from aggregator.publish.destination import Destination, parallel_map, write_all
from aggregator.store.database import Store
from aggregator.store.output_list import Shown, Written
from aggregator.store.transaction import Transaction

Item = TypeVar("Item")
Result = TypeVar("Result")
log = getLogger(__name__)


@dataclass(slots=True)
class Put:
    """Result of putting files in place."""

    changed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why: str = ""  # the first of these failed
    written: list[Written] = field(default_factory=list)

    def add(self, other: "Put") -> None:
        """Add what came of putting more files in place."""
        self.changed += other.changed
        self.failed += other.failed
        self.why = self.why or other.why
        self.written += other.written

    def fail(self, output: Output, error: PublishError) -> None:
        """Note that an output could not be put in place; the old one stands."""
        self.failed.append(output.path)
        self.why = self.why or error.why
        log.error("write_output", extra={"output": error.output, "error": error.why})


class OutputList:
    """The published folder, and the store's list of the files that we wrote there.

    Args:
        store: open for writing.
        folder: where the files go.
        clock: returns the current time.
        publish: what the operator has published beside them, and whether there are compressed copies.
    """

    def __init__(self, store: Store, folder: Destination, clock: Clock, publish: Publish) -> None:
        self._store, self._folder, self._clock, self._publish = store, folder, clock, publish
        self._shown: dict[str, tuple[str, str]] = {}  # path: digest of what it showed last, and of its bytes

    def adopt_folder(self, before: str | None, first: Callable[[], Iterable[Output]], *, take_over: bool) -> bool:
        """Compare the folder with the one that the list is of; if it is another, have everything rendered there.

        A tree that was moved as a whole stays ours: its files have the digests that the list has. What else stands in
        the new folder is somebody else's, and what stood in the old one is left there.

        Args:
            before: the folder that the list is of; None before the first publication.
            first: returns the outputs whose names are known before anything is rendered. Where nothing of ours stands
                yet, nobody else's file may stand at any of them.
            take_over: write over files that the list does not name, if they bear our mark.

        Returns:
            Whether it is another folder.

        Raises:
            StrangerInTheWay: a file that we did not write stands in a folder in which we never published; nothing was
                written there, and the folder is not ours.
        """
        where = self._folder.where()
        if before == where:
            return False
        with self._store.read() as tx:
            digests = tx.files.digests()
        listed = [path for path, digest in digests.items() if digest is not None]
        stands = self._parallel_map(self._folder.digest, listed)
        kept = {path for path, digest in stands if digest == digests[path]}
        # A stylesheet or OPML is the same in the folder of any aggregator; a feed bears the id of its store.
        alike = ("all.html", ".opml")
        if not any(path.startswith(("category/", "all.")) and not path.endswith(alike) for path in kept):
            self._refuse_strangers([*first()], take_over=take_over)
        with self._store.begin() as tx:
            tx.files.adopt_folder(where, kept)
        if before is not None:
            log.info("adopt_folder", extra={"folder": where, "kept": len(kept), "left": len(digests) - len(kept)})
        return True

    def notice_losses(self, expected: Collection[str]) -> bool:
        """Have everything rendered again if files of ours are gone: somebody emptied the folder, or part of it.

        Args:
            expected: paths of written files; see `expected_files`.

        Returns:
            Whether any are gone.

        Raises:
            PublishError: the folder can't be read.
        """
        inside = {path for path in expected if path.startswith("category/")}
        lost = inside.difference(self._folder.below("category")) if inside else set()
        lost |= self._folder.missing(path for path in expected if "/" not in path)
        if lost:
            log.warning("miss_outputs", extra={"files": len(lost), "first": min(lost)})
            with self._store.begin() as tx:
                tx.files.forget_looks()
        return bool(lost)

    def clear_lost(self) -> None:
        """Remove pages and archives that a lost state has left, where the new state would write later.

        Raises:
            PublishError: the folder can't be read.
        """
        found = [path for folder in ("category", "entry") for path in self._folder.below(folder) if _is_lasting(path)]
        with self._store.read() as tx:
            listed = tx.files.listed(found)
        for path in found:
            if path not in listed and self._folder.stranger(path):
                self._folder.remove(path)
                log.info("remove_output", extra={"output": path})

    def clear_orphans(self, slugs: Collection[str]) -> None:
        """Remove the documents of categories that go on elsewhere, as far as they are ours.

        Raises:
            PublishError: the folder can't be read.
        """
        suffixes = [".opml", *(one.suffix for one in FORMATS.values())]
        names = {f"category/{slug}{suffix}" for slug in slugs for suffix in suffixes}
        found = sorted(names.intersection(self._folder.below("category"))) if names else []
        with self._store.read() as tx:
            written = {path for path, digest in tx.files.digests(stories=False).items() if digest is not None}
        self.remove(path for path in found if path not in written and self._folder.stranger(path))

    def put(self, outputs: Sequence[Output], listed: Collection[str], *, take_over: bool) -> Put:
        """Put files in place, in this order, each only if its bytes differ.

        Outputs that may be put `beside` each other are, where the destination takes several at once.

        Args:
            outputs: what to write.
            listed: those of their paths that the list names.
            take_over: write over files that the list does not name, if they bear our mark.

        Raises:
            StrangerInTheWay: a file that the list does not name stands there; nothing was written.
        """
        put = Put()
        placed = self._list(outputs, listed, put, take_over=take_over)
        may_show = [one.path for one in placed if one.facts and self._shown.get(one.path, ("",))[0] == one.facts]
        stands = self._folder.digests(may_show) if may_show else {}
        unlike = [one for one in placed if one.path not in stands or not self._is_shown(one, stands[one.path], put)]
        for output, data, came in write_all(self._folder, unlike, gzip=self._publish.gzip):
            if isinstance(came, PublishError):
                put.fail(output, came)
                continue
            if came:
                put.changed.append(output.path)
                log.debug("write_output", extra={"output": output.path, "bytes": len(data)})
            digest = hashlib.sha256(data).hexdigest()
            if output.facts:
                self._shown[output.path] = (output.facts, digest)
            age, gone, topic = output.max_age, output.gone, output.topic
            put.written.append(
                Written(
                    path=output.path,
                    digest=digest,
                    max_age=age,
                    gone=gone,
                    topic=topic,
                    copied=output.copied,
                    facts=output.facts or None,
                )
            )
        return put

    def recall(self, shown: Mapping[str, Shown]) -> None:
        """Note what listed files show, as an earlier run has recorded it: those that show the same are not rendered."""
        for path, one in shown.items():
            if one.facts and one.digest:
                self._shown.setdefault(path, (one.facts, one.digest))

    def yielding(self, outputs: Iterable[Output], digests: Mapping[str, str | None]) -> list[Output]:
        """Return those outputs at whose paths the operator has nothing, for files that he may keep himself (0179).

        His are aliases, files of `publish.static`, and what stands in the folder without having been written by us.

        Args:
            outputs: error pages, the river, and files that crawlers look for.
            digests: of those of them that the list names. A listed file with other bytes and without our mark has been
                replaced by somebody.
        """
        wanted = [output for output in outputs if not self.is_operators(output.path)]
        stands = self._folder.digests([output.path for output in wanted if output.path in digests])
        unlike = [o.path for o in wanted if o.path not in digests or stands[o.path] != digests[o.path]]
        theirs = {path for path, ours in self._parallel_map(self._folder.stranger, unlike) if ours is False}
        return [output for output in wanted if output.path not in theirs or self._is_already(output)]

    def is_yielding(self, path: str, tx: Transaction) -> bool:
        """Return whether an output that gives way to the operator's file can't be written; see `yielding`."""
        return not self.yielding([Output(path=path, render=bytes, max_age=0)], tx.files.digests_of([path]))

    def is_operators(self, path: str) -> bool:
        """Return whether feeds.yaml, or the folder that it names, has a copy at this path."""
        aliases, static = self._publish.aliases, self._publish.static
        folders = [str(parent) for parent in PurePosixPath(path).parents][:-1]  # a file of his may stand there
        has_alias = any(alias == path or alias.startswith(f"{path}/") or alias in folders for alias, _ in aliases)
        if has_alias or static is None:
            return has_alias
        return (static / path).exists() or any((static / folder).is_file() for folder in folders)

    def reserve(self, paths: Sequence[str], listed: Collection[str], *, take_over: bool) -> Collection[str]:
        """List files that will be written in several parts; no part is written if a stranger stands at any path.

        Args:
            paths: of the files.
            listed: those of them that the list names.
            take_over: write over files that the list does not name, if they bear our mark.

        Returns:
            Paths that the list names now. A path that can't be examined is left out: its own `put` reports it.

        Raises:
            StrangerInTheWay: a file that the list does not name stands at a path; none was listed.
        """
        outputs = [Output(path=path, render=bytes, max_age=0) for path in paths]
        return {output.path for output in self._list(outputs, listed, Put(), take_over=take_over)}

    def _is_shown(self, output: Output, stands: str | None, put: Put) -> bool:
        """Note an output whose file shows the same as when we wrote it; return whether it does.

        Args:
            output: what may be written.
            stands: digest of the file; None if it shows something else, or is not there.
            put: where it is noted.
        """
        if stands is None or stands != self._shown[output.path][1]:
            return False
        put.written.append(
            Written(path=output.path, digest=stands, max_age=output.max_age, copied=output.copied, facts=output.facts)
        )
        return True

    def _parallel_map(
        self, call: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result | PublishError]]:
        return parallel_map(call, items, self._folder.max_parallel)

    def clear(self, formats: Collection[str]) -> list[str]:
        """Remove listed files of formats that are no longer published.

        Returns:
            Those that could not be removed.
        """
        with self._store.read() as tx:
            listed = tx.files.digests(stories=False).keys() - tx.files.copies()
        return self.remove(path for path in listed if not is_published(path, formats))

    def sync(self) -> None:
        """Make files durable that need not be so at once (R30).

        Raises:
            PublishError: they may not be durable.
        """
        self._folder.sync_folders()

    def remove(self, paths: Iterable[str]) -> list[str]:
        """Remove listed files, and take them off the list.

        Returns:
            Those that could not be removed.
        """
        failed, gone = [], []
        for path, came in self._parallel_map(self._folder.remove, sorted(paths)):
            if isinstance(came, PublishError):
                failed.append(path)
                log.error("remove_output", extra={"output": came.output, "error": came.why})
            else:
                gone.append(path)
                log.info("remove_output", extra={"output": path})
        if gone:
            with self._store.begin() as tx:
                tx.files.unlist(gone)
        return failed

    def _list(self, outputs: Sequence[Output], listed: Collection[str], put: Put, *, take_over: bool) -> list[Output]:
        """Add files to the list before their first write; return the outputs that may be written."""
        unlisted = [output.path for output in outputs if output.path not in listed]
        if not unlisted:
            return list(outputs)
        placed, new = [], []
        strangers = dict(self._parallel_map(self._folder.stranger, unlisted))
        for output in outputs:
            if output.path not in listed:
                ours = strangers[output.path]
                if isinstance(ours, PublishError):  # what stands there can't be told
                    put.fail(output, ours)
                    continue
                if ours is not None and not (ours and take_over) and not self._is_already(output):
                    raise StrangerInTheWay(output.path, self._folder.named(output.path), ours=ours)
                new.append(output)
            placed.append(output)
        if new:
            now = self._clock()
            with self._store.begin() as tx:
                for copied in (False, True):
                    tx.files.add([output.path for output in new if output.copied is copied], now, copied=copied)
        return placed

    def _refuse_strangers(self, outputs: Sequence[Output], *, take_over: bool) -> None:
        of_path = {output.path: output for output in outputs}
        for path, ours in self._parallel_map(self._folder.stranger, sorted(of_path)):
            # A path that can't be read (PublishError) fails by itself when its turn comes, and harms no other (R32).
            is_strange = isinstance(ours, bool) and not (ours and take_over)
            if is_strange and not self._is_already(of_path[path]):
                raise StrangerInTheWay(path, self._folder.named(path), ours=ours is True)

    def _is_already(self, output: Output) -> bool:
        """Return whether an unlisted copy with the same bytes is there: nothing is lost by writing over it."""
        if not output.copied:
            return False
        try:
            return self._digest(output.path) == hashlib.sha256(output.render()).hexdigest()
        except PublishError:
            return False

    def _digest(self, path: str) -> str | None:
        try:
            return self._folder.digest(path)
        except PublishError:
            return None


def expected_files(tx: Transaction) -> Collection[str]:
    """Return the paths of the files that must stand in the folder, without copies and pages of stories."""
    written = {path for path, digest in tx.files.digests(stories=False).items() if digest is not None}
    return written - tx.files.copies()


def _is_lasting(path: str) -> bool:
    """Return whether an output keeps its name for ever: the page of a story, of an archive or of the river."""
    return is_output(path) and (path.startswith(("entry/", "latest-")) or "/archive/" in path)
