"""One publication on its way, and what came of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from logging import getLogger
from typing import TYPE_CHECKING

from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.model.settings import Roster
from aggregator.publish.looks import Listed
from aggregator.publish.output_list import Put
from aggregator.render.visibility import Visibility

if TYPE_CHECKING:
    from aggregator.publish.posts.export import Exported

log = getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Result of a publication."""

    changed: tuple[str, ...]  # paths whose bytes changed, in order; no twins, nor pages that only look otherwise
    waiting: bool = False  # something dirty was left for lack of time
    due: tuple[datetime, ...] = ()  # of each category that is dirty and was rendered too short a while ago: the time
    failed: tuple[str, ...] = ()  # paths that could not be written or removed, in order; what stood there still stands
    posts: tuple[str, ...] = ()  # posts that were written or removed, in order, relative to the folder of feeds.yaml
    ages: Mapping[str, int] = field(default_factory=dict)  # seconds that what was put in place may be kept, but stories


@dataclass(slots=True, kw_only=True)
class PublishRun:
    """One publication that is under way: what may be seen, how it was asked for, and what came of it so far."""

    roster: Roster
    visibility: Visibility
    everything: bool
    take_over: bool
    listed: Listed
    noted_failure: str | None = None  # what the store says could not be written, and why
    changed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why: str = ""  # the first of them failed
    posts: list[str] = field(default_factory=list)
    ages: dict[str, int] = field(default_factory=dict)
    waiting: bool = False
    due: list[datetime] = field(default_factory=list)
    strangers: list[StrangerInTheWay] = field(default_factory=list)
    written: int = 0  # files that were rendered and stand as they should, changed or not
    on_written: Callable[[int], None] | None = None

    def note(self, put: Put) -> Put:
        """Count what came of some outputs."""
        self.changed += put.changed
        self.note_failed(put)
        self.ages |= {w.path: w.max_age for w in put.written if not w.path.startswith("entry/")}
        return put

    def note_posts(self, exported: "Exported") -> None:
        """Count what came of the posts."""
        self.posts += exported.changed + exported.removed
        self.failed += exported.failed
        self.waiting |= exported.waiting

    def note_failed(self, put: Put) -> Put:
        """Count what could not be written, and what was, without its names."""
        self.failed += put.failed
        self.why = self.why or put.why
        self.written += len(put.written)
        if self.on_written is not None:
            self.on_written(self.written)
        return put

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Let a stranger's file stop the outputs that were to be written with it, and no others."""
        try:
            yield
        except StrangerInTheWay as stranger:
            if stranger.ours:
                raise
            self.strangers.append(stranger)

    def failure(self) -> str | None:
        """Return which outputs could not be brought up to date, and why, as public text; None if all could (R67)."""
        more = f", and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
        if self.failed:
            return f"{self.failed[0]}{more}: {self.why}; what stood there still stands"
        more = f"; {len(self.strangers) - 1} more are in the way like it" if len(self.strangers) > 1 else ""
        return failure_of(self.strangers[0]) + more if self.strangers else None

    def published(self) -> Published:
        """Report what was done, and log it as one line."""
        if self.changed or self.posts:
            log.info("write_outputs", extra={"files": len(self.changed), "posts": len(set(self.posts))})
        for stranger in self.strangers[1:]:
            log.error("write_output", extra={"output": stranger.output, "error": stranger.why})
        if self.strangers:
            self.strangers[0].changed = tuple(sorted(self.changed))
            raise self.strangers[0]
        return Published(
            changed=tuple(sorted(self.changed)),
            waiting=self.waiting,
            due=tuple(self.due),
            failed=tuple(sorted(self.failed)),
            posts=tuple(sorted(set(self.posts))),
            ages=self.ages,
        )


def failure_of(error: PublishError) -> str:
    """Return why an output, or a whole publication, was not written. The text is public, as `status.json` is."""
    if isinstance(error, StrangerInTheWay):
        return f"{error.output} {error.told}"
    return f"{error}; what stood there still stands"
