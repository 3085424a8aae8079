"""`PublishLoop`: publishes what is dirty while a service runs, and writes lost outputs again."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from logging import getLogger
from pathlib import Path
from time import monotonic

from aggregator.app import App
from aggregator.errors import AggregatorError
from aggregator.publish.report import Published
from aggregator.service.outputs import OutputWatch

log = getLogger(__name__)

DEBOUNCE = timedelta(seconds=30)  # between two renderings of a category (R33), and after a failure
WAVE = timedelta(seconds=10)  # how long news wait at most for polls under way, so that they are rendered once
QUIET = timedelta(seconds=2)  # without news, after which polls that are still under way are not waited for
LAST_WORD = 6.5  # seconds after a stop; then no further category is begun, and the next start renders the rest


class PublishLoop:
    """Publishes in one thread at a time. Threads may share it.

    Args:
        app: open.
        outputs: looks for lost outputs.
        on_published: called after each publication; None: it failed.
        is_polling: returns whether polls are under way, whose news may follow.
    """

    def __init__(
        self,
        app: App,
        outputs: OutputWatch,
        on_published: Callable[[Published | None], None],
        is_polling: Callable[[], bool] = lambda: False,
    ) -> None:
        self._app, self._on_published, self._is_polling = app, on_published, is_polling
        self._outputs = outputs
        self._dirty = threading.Event()
        self._asked: tuple[datetime, datetime] | None = None  # first and last request that no flush has taken up
        self._due_at: datetime | None = None  # when to render what waits for the debounce alone
        self._publishing = threading.Lock()
        self._not_before = app.clock()  # when the next publication may begin, after one that failed
        self._until: float | None = None  # by `monotonic`, once the service stops
        self._is_edited = False  # an edit of feeds.yaml is in force, and not published yet
        self._restates = False  # the status page is out of date for another reason than the store
        self.changed_at: datetime = app.clock()  # when outputs last changed
        self.is_published = False  # the outputs of the last run were completed

    @property
    def is_dirty(self) -> bool:
        """True if the next flush publishes."""
        return self._dirty.is_set()

    def request(self) -> None:
        """Request a publication: by the next flush, or some seconds later while polls are under way (R33)."""
        now, asked = self._app.clock(), self._asked
        self._asked = (asked[0] if asked else now), now
        self._dirty.set()

    def restate(self) -> None:
        """Have the next flush write the status page anew, whatever else changed."""
        self._restates = True
        self._dirty.set()

    def pause(self) -> AbstractContextManager[object]:
        """Return a context in which nothing is published."""
        return self._publishing

    def note_edit(self) -> None:
        """Have the next flush publish an edit of feeds.yaml without debounce."""
        self._is_edited = True
        self._dirty.set()

    def begin(self, is_stopping: Callable[[], bool]) -> None:
        """Publish what the last run left dirty.

        Raises:
            PublishError: another program's file stands where an output would be written.
        """
        self._write(debounce=timedelta(0), restate=False, is_cut=is_stopping)
        self.is_published = True

    def flush(self) -> None:
        """Publish if something is dirty."""
        now = self._app.clock()
        if self._dirty.is_set() and now >= self._not_before and (self._is_edited or self._is_time(now)):
            self._asked = None
            self._dirty.clear()
            is_edited, self._is_edited = self._is_edited, False
            self.publish(debounce=timedelta(0) if is_edited else DEBOUNCE)

    def _is_time(self, now: datetime) -> bool:
        """Return whether nothing is to be waited for: no polls under way, no debounce of all that is dirty."""
        asked, due_at = self._asked, self._due_at
        if asked is None:
            return self._restates or due_at is None or not timedelta(0) < due_at - now <= DEBOUNCE
        first, last = asked
        return not (timedelta(0) <= now - first < WAVE and now - last < QUIET and self._is_polling())

    def publish(self, *, debounce: timedelta = timedelta(0)) -> None:
        """Publish now. After a failure the old files stay, and the next flush tries again (R32)."""
        with self._publishing:
            try:
                restate, self._restates = self._restates, False
                published = self._write(debounce=debounce, restate=restate, is_cut=self.is_cut)
                if published.changed:
                    self.changed_at = self._app.clock()
                due = published.due
                self._due_at = min(max(due), min(due) + WAVE) if due and not published.waiting else None
                if published.waiting or due or published.failed:
                    self._dirty.set()
                if published.failed:
                    self._not_before = self._app.clock() + DEBOUNCE
            except AggregatorError as error:
                log.error("publish_outputs", extra={"error": str(error)})
                self._dirty.set()
                self._not_before = self._app.clock() + DEBOUNCE

    def restore_outputs(self) -> None:
        """Have outputs written again that somebody removed from the folder, or from the bucket."""
        with self._publishing:  # publishing removes files, too
            is_lost = self._outputs.look()
        if is_lost:
            self.request()

    def stop(self, told_at: float) -> None:
        """End a publication under way at its next category; `finish` begins the last one.

        Args:
            told_at: when the service was told to stop, by `monotonic`.
        """
        self._until = told_at

    def finish(self, told_at: float) -> None:
        """Publish once more, until the time for that is over."""
        self._until = told_at + LAST_WORD
        self.publish()

    def is_cut(self) -> bool:
        """Return whether a publication has to end at its next category (R54)."""
        return self._until is not None and monotonic() >= self._until

    def has_outputs(self) -> bool:
        """Return whether the file that is always written stands in the folder; True for a bucket."""
        to = self._app.in_force.settings.publish.to
        return not isinstance(to, Path) or (to / "status.json").is_file()

    def _write(self, *, debounce: timedelta, restate: bool, is_cut: Callable[[], bool]) -> Published:
        try:
            published = self._app.publisher.publish(debounce=debounce, restate=restate, is_cut=is_cut)
        except AggregatorError:
            self._on_published(None)
            raise
        self._on_published(published)
        return published
