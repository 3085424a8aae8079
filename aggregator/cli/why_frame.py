"""What every part of `why` needs, and what it gives."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.cli.folding import called, shortened
from aggregator.cli.why_words import moment
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Roster, SourceKey


@dataclass(frozen=True, slots=True)
class Section:
    """What is said of one thing."""

    lines: list[str]
    record: dict[str, Any]  # for `--json`


def names_in(roster: Roster, titles: Mapping[SourceKey, str]) -> dict[SourceKey, str]:
    """Return what sources are called: title or place, with the key where two are called the same."""
    names = {key: name_of_source(source, titles.get(key)) for key, source in roster.sources.items()}
    count = Counter(names.values())
    return {key: called(name, key) if count[name] > 1 else shortened(name) for key, name in names.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """By what the recorded is told."""

    roster: Roster
    zone: ZoneInfo  # of the times
    now: datetime
    names: Mapping[SourceKey, str] = field(default_factory=dict)  # of sources; one without a name is called by its key

    def name(self, key: SourceKey) -> str:
        """Return what a source is called; its key if it left feeds.yaml."""
        return self.names.get(key, key)

    def moment(self, when: datetime | None) -> str:
        """Write a time in the site's zone."""
        return moment(when, self.zone)
