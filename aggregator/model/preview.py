"""Result of a poll that stores nothing (`preview`)."""

from collections.abc import Mapping

from aggregator.model.changes import Changes
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.known import Known
from aggregator.model.record import record


@record
class Preview:
    """A gathered poll, what the store knew about it, and the changes that were not written."""

    poll: Gathered[SourceJob]
    known: Known
    changes: Changes
    written: Mapping[int, str]  # dates of entries as the source writes them, by index in the document
