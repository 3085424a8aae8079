"""What every part of `why` needs, and what it gives."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.cli.why_words import moment
from aggregator.model.settings import Roster


@dataclass(frozen=True, slots=True)
class Section:
    """What is said of one thing."""

    lines: list[str]
    record: dict[str, Any]  # for `--json`


@dataclass(frozen=True, slots=True)
class Frame:
    """By what the recorded is told."""

    roster: Roster
    zone: ZoneInfo  # of the times
    now: datetime

    def moment(self, when: datetime | None) -> str:
        """Write a time in the site's zone."""
        return moment(when, self.zone)
