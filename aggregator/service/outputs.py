"""Finds outputs that somebody removed: in a folder each minute, in a bucket seldom, since requests cost money.

In a bucket one object is requested each hour, the one that was written longest ago, and all when that is missing, or
once a day: a listing names a thousand objects for the price of one write. Clearing a bucket removes all objects; a
single lost object is found within the day.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic

from aggregator.app import App

ONE = timedelta(hours=1).total_seconds()  # between two checks of one output, in a bucket
ALL = timedelta(days=1).total_seconds()  # of all


class OutputWatch:
    """Looks for lost outputs, when it is time to.

    Args:
        app: open; its first publication checks all outputs itself.
        steady: returns the time in seconds; not affected when the wall clock is set.
    """

    def __init__(self, app: App, steady: Callable[[], float] = monotonic) -> None:
        self._app, self._steady = app, steady
        self._one_at = self._all_at = steady()

    def look(self) -> bool:
        """Have lost outputs rendered again; return whether there are any.

        Raises:
            PublishError: the folder or bucket can't be read; the next call tries again.
        """
        if isinstance(self._app.in_force.settings.publish.to, Path):
            return self._app.publisher.notice_losses()
        now = self._steady()
        if now - self._one_at < ONE:
            return False
        if now - self._all_at >= ALL or not self._has_oldest():
            is_lost = self._app.publisher.notice_losses()
            self._one_at = self._all_at = now
            return is_lost
        self._one_at = now
        return False

    def _has_oldest(self) -> bool:
        """Return whether the output that was rendered longest ago exists; others may have been written again since.

        Raises:
            PublishError: the folder or bucket can't be read.
        """
        with self._app.store.read() as tx:
            path = tx.files.oldest()
        return path is None or self._app.folder.digest(path) is not None
