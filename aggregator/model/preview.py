"""What a poll would have stored: the answer, what was known, and what was decided. Nothing of it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.model.changes import Changes
from aggregator.model.known import Known
from aggregator.model.poll import Gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One poll that was none."""

    poll: Gathered
    known: Known
    changes: Changes
    written: Mapping[int, str]  # dates of entries as they are written, by place in the document
