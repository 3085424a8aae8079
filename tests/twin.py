"""A site in which the same happens as in another one, but for what is dropped after each step."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

from aggregator.app import App
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import Maintenance
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

Step = tuple[str, Any, Any]


Kind = TypeVar("Kind", bound="Twin")


@contextmanager
def twins(kind: type[Kind], yaml: str, forget: Callable[[App], None], steps: list[Step]) -> Iterator[tuple[Kind, Kind]]:
    """Take steps in two newsrooms with one store to begin with; the second one forgets after each step."""
    with TemporaryDirectory() as folder:
        long, short = kind(Path(folder) / "long"), kind(Path(folder) / "short", forget)
        long.site.folder.mkdir()
        long.site.writes(yaml)
        with long.site.opened():
            pass
        shutil.copytree(long.site.folder, short.site.folder)
        for twin in (long, short):
            twin.goes_through(steps)
        yield long, short


@contextmanager
def later_twins(pair: tuple[Kind, Kind], steps: list[Step]) -> Iterator[tuple[Kind, Kind]]:
    """Take further steps in copies of two newsrooms, which stay as they are."""
    with TemporaryDirectory() as folder:
        long, short = (twin.copied(Path(folder) / twin.site.folder.name) for twin in pair)
        for twin in (long, short):
            twin.goes_through(steps)
        yield long, short


class Twin:
    """A site in which the same happens as in another one.

    Args:
        folder: of its feeds.yaml and store, both there.
        forget: what is done after each step.
    """

    def __init__(self, folder: Path, forget: Callable[[App], None] = lambda app: None) -> None:
        self.site, self._forget = SampleSite(folder), forget
        self.edits = 0

    def copied(self, folder: Path) -> Self:
        """Return the same newsroom in another folder."""
        copy = type(self)(folder, self._forget)
        copy.site, copy.edits = self.site.copied(folder), self.edits
        return copy

    def goes_through(self, steps: list[Step]) -> None:
        """Take all steps, then publish."""
        with self.site.opened() as app:
            for step in steps:
                self.take(app, FakeSource(app), step)
                self.site.clock.move(minutes=10)
                self._forget(app)
            Maintenance(app.store, app.clock).thin()
            app.publisher.publish()
            self.site.clock.move(minutes=10)
            self._forget(app)

    def take(self, app: App, fake_source: FakeSource, step: Step) -> None:
        """Take one step."""
        match step:
            case "says", key, numbers:
                fake_source.says(key, *(said(number) for number in numbers))
            case "edits", key, numbers:
                self.edits += 1
                fake_source.says(
                    key, *(said(number, text=f"<p>Edit {self.edits} of {number}, at length.") for number in numbers)
                )
            case "merge", one, other:
                ask(app, "merge", story=one, other=other)
            case "unmerge", one, _:
                ask(app, "unmerge", story=one, entry=None)
            case "retract", one, undo:
                ask(app, "retract", story=one, undo=undo)
            case "waits", hours, _:
                self.site.clock.move(hours=hours)
                Maintenance(app.store, app.clock).end_tombstones()
                Maintenance(app.store, app.clock).thin()
            case _:
                app.publisher.publish()


def ask(app: App, command: str, **arguments: object) -> None:
    """Request a correction and carry it out."""
    with app.store.begin() as tx:
        tx.corrections.file(command, arguments, app.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
