"""What an operator says against what was decided: of stories, of entries; and what becomes of it (T7, T8, R27)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aggregator.model.known import KnownEntry, KnownStory


class Act(StrEnum):
    """A correction, by the name of its command."""

    MERGE = "merge"
    UNMERGE = "unmerge"
    RETRACT = "retract"
    ACCEPT = "accept"
    RULES = "rules"  # of `publish --rules`


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A correction that waits for whoever holds the store."""

    id: int
    command: str  # an Act, unless another version of the program wrote it
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a request."""

    done: bool  # False: refused, and nothing was changed
    said: str  # to the operator
    facts: Mapping[str, Any] = field(default_factory=dict)  # for `--json`


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMembers:
    """Stories with all their entries: whatever bears on a correction."""

    store_uuid: str
    next_story: int  # numbers from here on are free
    stories: Mapping[int, KnownStory]  # those that are named, and those that were merged into them
    members: Mapping[int, tuple[KnownEntry, ...]]  # of each that is named, first seen first
    same: Mapping[int, frozenset[int]] = field(default_factory=dict)  # verdicts so far on members
    different: Mapping[int, frozenset[int]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()  # atom ids that any story has or had
    taken_pages: frozenset[str] = frozenset()
    categories: frozenset[int] = frozenset()  # that stand in feeds.yaml: only those take new publications
