"""Decides one poll: the update of its source and the changes of its entries. Pure."""

from typing import TYPE_CHECKING

from aggregator.decide.source_health import Findings
from aggregator.decide.source_state import source_update, update_events
from aggregator.decide.suspect import is_release
from aggregator.identify.budget import Budget
from aggregator.late import late
from aggregator.model.changes import NOTHING_CHANGED, Changes
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.known import Known
from aggregator.model.settings import Roster

if TYPE_CHECKING:
    from aggregator.decide import document
else:
    document = late("aggregator.decide.document")


def decide(poll: Gathered[SourceJob], known: Known, roster: Roster, budget: Budget | None = None) -> Changes:
    """Return the changes of a poll.

    Everything goes by the poll's own `asked_at`, so that other polls of its group change nothing.

    Args:
        poll: what `gather` brought; never one that was cut (R54).
        known: what the store knows of its entries; `NOTHING_KNOWN` will do for a quiet poll.
        roster: the sources and categories as feeds.yaml has them.
        budget: what comparing its entries with others may cost; a new one if None.

    Raises:
        CutShort: the program stops.
    """
    due, answer = poll.job, poll.answer
    if poll.is_quiet:
        since = None if is_release(poll) else due.observed.suspect_since
        move = source_update(poll, roster, due.arrivals, Findings(suspect_since=since))
        entries = NOTHING_CHANGED
        if is_release(poll):
            entries = document.release(due, answer.asked_at, known, roster, by="time")
        return Changes(job=due, asked_at=answer.asked_at, update=move, entries=entries, events=update_events(due, move))
    return document.decide_document(poll, known, roster, budget)
