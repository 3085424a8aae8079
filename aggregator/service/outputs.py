"""Whether what was published still stands: a folder is looked at each minute, a bucket seldom, for requests cost money.

Of a bucket one object is asked for each hour, the one that was put longest ago, and all when that one is gone, or once
a day: a listing names a thousand objects for the price of a put. Who clears a bucket clears all of it; what a rule of
the service, or a slip, takes out of the middle is found within the day.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic

from aggregator.app import App

ONE = timedelta(hours=1).total_seconds()  # between two looks for one output, in a bucket
ALL = timedelta(days=1).total_seconds()  # for all


class OutputWatch:
    """Looks for outputs that are gone, when it is time to.

    Args:
        app: open; its first publication looks at everything itself.
        steady: tells the time in seconds, and knows no jump.
    """

    def __init__(self, app: App, steady: Callable[[], float] = monotonic) -> None:
        self._app, self._steady = app, steady
        self._one_at = self._all_at = steady()

    def look(self) -> bool:
        """Let outputs that somebody removed be made again; tell whether any are gone.

        Raises:
            PublishError: it can't be told what stands there; the next call asks again.
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
        """Return whether the output that was rendered longest ago stands; others may have been written again since.

        Raises:
            PublishError: it can't be told.
        """
        with self._app.store.read() as tx:
            path = tx.files.oldest()
        return path is None or self._app.folder.digest(path) is not None
