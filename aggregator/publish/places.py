"""The published files and the list of them: named before they are written, whole or not at all, nobody else's ever.

A file that can't be written leaves the old one there and harms no other (R32). The list is of one folder: where that
changes, only what stands there with the bytes that we remember is ours (DESIGN 3.3).
"""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from logging import getLogger

from aggregator.clock import Clock
from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.publish.files import Folder
from aggregator.store.database import Store
from aggregator.store.outputs import Written

log = getLogger(__name__)

_PAGES = re.compile(r"(?:index|sources|status|category/[^/]+(?:/archive/[0-9]+)?)\.html|style\.css")
_FEEDS = re.compile(r"(?:all|category/[^/]+(?:/archive/[0-9]+)?)\.(atom|rss|json)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to put in place; it is rendered when its turn comes, and what fails then harms no other."""

    path: str
    render: Callable[[], bytes]
    max_age: int  # seconds


@dataclass(slots=True)
class Put:
    """What came of putting files in place."""

    changed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)


class Places:
    """The folder that is published, and the store's list of what we wrote there."""

    def __init__(self, store: Store, folder: Folder, clock: Clock, *, gzip: bool) -> None:
        self._store, self._folder, self._clock, self._gzip = store, folder, clock, gzip

    def settle(self) -> None:
        """See whether the folder is the one that the list is of; if it is another, let everything be rendered there.

        A tree that was moved as a whole stays ours: its files have the digests that we remember. What else stands in
        the new folder is somebody else's, and what stood in the old one is left there.
        """
        where = str(self._folder.root.resolve())  # a link that leads elsewhere today is another folder
        with self._store.read() as tx:
            before = tx.folder()
            if before == where:
                return
            digests = tx.digests()
        kept = {path for path, digest in digests.items() if digest is not None and self._digest(path) == digest}
        with self._store.begin() as tx:
            tx.adopt_folder(where, kept)
        if before is not None:
            log.info("adopt_folder", extra={"folder": where, "kept": len(kept), "left": len(digests) - len(kept)})

    def put(self, outputs: Sequence[Output], *, take_over: bool) -> Put:
        """Put files in place, in this order, each only if its bytes differ.

        Args:
            outputs: what to write.
            take_over: write over files that the list does not name, if they bear our mark.

        Raises:
            StrangerInTheWay: a file that the list does not name stands there; nothing was written.
        """
        put = Put()
        placed = self._list(outputs, put, take_over=take_over)
        for output in placed:
            try:
                data = output.render()
                if self._folder.replace(output.path, data, gzip=self._gzip):
                    put.changed.append(output.path)
                    log.info("write_output", extra={"output": output.path, "bytes": len(data)})
            except PublishError as error:
                put.failed.append(output.path)
                log.error("write_output", extra={"output": error.output, "error": error.why})
            else:
                digest = hashlib.sha256(data).hexdigest()
                put.written.append(Written(path=output.path, digest=digest, max_age=output.max_age))
        return put

    def clear(self, formats: Collection[str]) -> list[str]:
        """Remove listed files of formats that are not published any more: nobody would bring them up to date.

        Returns:
            Those that could not be removed.
        """
        with self._store.read() as tx:
            listed = tx.digests()
        failed, gone = [], []
        for path in sorted(path for path in listed if _format_of(path) not in (None, *formats)):
            try:
                self._folder.remove(path)
            except PublishError as error:
                failed.append(path)
                log.error("remove_output", extra={"output": error.output, "error": error.why})
            else:
                gone.append(path)
                log.info("remove_output", extra={"output": path})
        if gone:
            with self._store.begin() as tx:
                tx.unlist(gone)
        return failed

    def _list(self, outputs: Sequence[Output], put: Put, *, take_over: bool) -> list[Output]:
        """Name files in the store before their first write; give those that may be written."""
        with self._store.read() as tx:
            listed = tx.listed([output.path for output in outputs])
        placed, new = [], []
        for output in outputs:
            if output.path not in listed:
                try:
                    ours = self._folder.stranger(output.path)
                except PublishError as error:  # what stands there can't be told
                    put.failed.append(output.path)
                    log.error("write_output", extra={"output": error.output, "error": error.why})
                    continue
                if ours is not None and not (ours and take_over):
                    raise StrangerInTheWay(output.path, self._folder.root / output.path, ours=ours)
                new.append(output.path)
            placed.append(output)
        if new:
            with self._store.begin() as tx:
                tx.list_files(new, self._clock())
        return placed

    def _digest(self, path: str) -> str | None:
        try:
            return self._folder.digest(path)
        except PublishError:
            return None


def _format_of(path: str) -> str | None:
    """Give the format of an output; None for what is there whatever the formats are."""
    if _PAGES.fullmatch(path):
        return "html"
    feed = _FEEDS.fullmatch(path)
    return feed[1] if feed else None
