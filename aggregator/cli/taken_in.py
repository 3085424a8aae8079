"""Sentence about what a restored backup took over from the outputs."""

from aggregator.app import App
from aggregator.cli.terminal import counted
from aggregator.errors import PublishError
from aggregator.restore.combine import NothingToRestore
from aggregator.restore.restore import NothingThere, take_in_outputs
from aggregator.store.taking_in import TakenIn


def take_in(app: App) -> str:
    """Take over what was published after the backup; returns a sentence about it, empty if there was nothing."""
    try:
        taken = take_in_outputs(app, app.in_force.settings.path.read_text(encoding="utf-8"))
    except NothingThere:
        return ""
    except (NothingToRestore, PublishError) as error:
        return (
            "what was published after the backup could not be taken over; entries return if their sources still list "
            f"them: {error}"
        )
    if taken == TakenIn():
        return ""
    stories, pages = counted(taken.stories, "story", "stories"), counted(taken.pages, "archive page")
    revised = counted(taken.revised, "revision")
    counts = f"{stories}, {pages}, {revised}, {taken.withdrawn} withdrawn"
    return f"taken over from what was published after the backup: {counts}"
