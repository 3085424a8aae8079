"""Publishes copies: outputs under old addresses (`publish.aliases`), and the operator's files (`publish.static`).

The feed of alarms (`alarms.feed`) is among them: like theirs, its path is the operator's choice.

Copies are listed like outputs, and removed when feeds.yaml or the folder no longer has them. Files that are not listed
are never touched.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aggregator.config.aliases import files_below
from aggregator.late import late
from aggregator.model.output import Output
from aggregator.model.output_paths import PATH, collides
from aggregator.model.settings import Settings
from aggregator.publish.destination import Destination
from aggregator.publish.folder import Folder
from aggregator.publish.output_list import OutputList, Put
from aggregator.publish.site_files import SiteFiles
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.publish import alarm_feed
else:
    alarm_feed = late("aggregator.publish.alarm_feed")

log = getLogger(__name__)

MAX_STATIC_BYTES: Final = 64 * 2**20  # of one file: it is read as a whole
MAX_STATIC_FILES: Final = 10_000
STATIC_AGE: Final = 3600  # seconds (A75)
EVERY_OUTPUT_BYTES: Final = 2**30  # what we wrote ourselves has limits of its own

_Look = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """Listed files without pages of stories: digests and ages by path, and which are copies."""

    digests: Mapping[str, str | None]
    max_ages: Mapping[str, int]
    copies: frozenset[str]
    alarms: Output | None  # the feed of alarms


class Aliases:
    """Keeps copies equal to their targets, for one set of settings.

    Args:
        folder: the published folder.
        outputs: the list of its files.
        settings: what is copied.
        made: files that we make where no copy has their path; they are listed as copies, too.
    """

    def __init__(self, folder: Destination, outputs: OutputList, settings: Settings, made: SiteFiles) -> None:
        self._folder, self._outputs, self._made = folder, outputs, made
        self._aliases, self._static = settings.publish.aliases, settings.publish.static
        self._settings, self._alarm_feed = settings, settings.alarms.feed
        self._known: dict[str, _Look] = {}  # static files that were copied, as they looked then
        self._passed_over: set[tuple[str, str]] = set()  # what was said once

    @property
    def has_status(self) -> bool:
        """Whether any alias is a copy of a status page."""
        return any(target.startswith("status.") for _, target in self._aliases)

    def read(self, tx: Transaction) -> ListedFiles | None:
        """Read what `put` needs from the store, after the outputs were recorded; None if there is nothing to copy."""
        copies = tx.files.copies()
        alarms = None if self._alarm_feed is None else alarm_feed.alarm_feed(tx, self._settings, self._alarm_feed)
        if not (self._aliases or self._static or alarms or self._made.foreign(dict.fromkeys(copies))):
            return None
        return ListedFiles(tx.files.digests(stories=False), tx.files.max_ages(), copies, alarms)

    def put(self, files: ListedFiles, *, everything: bool, take_over: bool) -> Put:
        """Copy files that are new or have changed, and remove copies that are not configured any more.

        Args:
            files: from `read`.
            everything: copy all of it.
            take_over: write over copies of outputs that the list does not name.

        Raises:
            StrangerInTheWay: a file of somebody else is at the path of a copy; no copy was written.
        """
        outputs, wanted = [], set()
        for path, target in self._aliases:
            digest = files.digests.get(target)
            if digest is None:
                self._pass_over(path, f"{target} is not published")
                continue
            wanted.add(path)
            if everything or files.digests.get(path) != digest:
                render = partial(self._folder.read, target, EVERY_OUTPUT_BYTES)
                outputs.append(
                    Output(path=path, render=render, max_age=files.max_ages[target], copied=True, like=target)
                )
        if files.alarms is not None:
            wanted.add(files.alarms.path)
            outputs.append(files.alarms)
        looks: dict[str, _Look] = {}
        if self._static is not None and self._static.is_dir():
            source, looks = Folder(self._static), dict(self._static_files(self._static))
            wanted |= looks.keys()
            for path, look in looks.items():
                if everything or self._known.get(path) != look or path not in files.copies:
                    outputs.append(_static_output(source, path))
        elif self._static is not None:  # not mounted today, say: what was copied stays
            self._pass_over("static", f"there is no folder {self._static}; what was copied from it stays")
            wanted |= files.copies
        gone = self._made.foreign({path: files.digests.get(path) for path in files.copies - wanted})
        failed = self._outputs.remove(gone)  # first: a folder may have become a file
        put = self._outputs.put(outputs, files.digests.keys() - gone.difference(failed), take_over=take_over)
        put.changed += sorted(gone.difference(failed))
        put.failed += failed
        self._known |= {w.path: looks[w.path] for w in put.written if w.path in looks}
        return put

    def first_outputs(self) -> Iterator[Output]:
        """Return all copies that are wanted; before the first publication no target of an alias can be read."""
        for path, target in self._aliases:
            render = partial(self._folder.read, target, EVERY_OUTPUT_BYTES)
            yield Output(path=path, render=render, max_age=0, copied=True, like=target)
        if self._alarm_feed is not None:
            yield Output(path=self._alarm_feed, render=bytes, max_age=0, copied=True)
        if self._static is not None and self._static.is_dir():
            source = Folder(self._static)
            for path, _ in self._static_files(self._static):
                yield _static_output(source, path)

    def _static_files(self, static: Path) -> Iterator[tuple[str, _Look]]:
        """Return the files to copy, each with its inode, size and times; a file that can't be copied is logged once."""
        aliases = {*(alias for alias, _ in self._aliases), *filter(None, [self._alarm_feed])}
        for number, path in enumerate(files_below(static)):
            if number == MAX_STATIC_FILES:
                self._pass_over(path, f"{static} has over {MAX_STATIC_FILES:,} files")
                return
            why = _fault_of(static / path, path, aliases)
            if why is not None:
                self._pass_over(path, why)
                continue
            try:
                found = (static / path).lstat()
            except OSError:  # gone meanwhile
                continue
            if found.st_size > MAX_STATIC_BYTES:
                self._pass_over(path, f"has over {MAX_STATIC_BYTES // 2**20} MiB")
                continue
            yield path, (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def _pass_over(self, path: str, why: str) -> None:
        if (path, why) not in self._passed_over:
            self._passed_over.add((path, why))
            log.warning("skip_copy", extra={"output": path, "why": why})


def _static_output(source: Folder, path: str) -> Output:
    render = partial(source.read, path, MAX_STATIC_BYTES)
    return Output(path=path, render=render, max_age=STATIC_AGE, gzip=False, copied=True)


def _fault_of(file: Path, path: str, aliases: set[str]) -> str | None:
    """Return why a file can't be copied; None if it can."""
    if file.is_symlink():
        return "a symbolic link is not followed: it may lead to what nobody shall see; put a copy there"
    if not file.is_file():
        return "is no regular file"
    if not PATH.fullmatch(path):
        return "its name can't be published: letters, digits, `.`, `_` and `-` can, but no .gz"
    if collides(path) or path in aliases:
        return "an output of ours may stand there"
    return None
