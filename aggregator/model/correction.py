"""What an operator says against what was decided: of stories, of entries; and what becomes of it (T7, T8, R27)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from aggregator.model.changes import NewPublication, NewStory, ShownChange, Unpinned
from aggregator.model.event import Event
from aggregator.model.known import KnownEntry, KnownStory


class Verdict(StrEnum):
    """What an operator said of two entries. It outlives both."""

    SAME = "same"
    DIFFERENT = "different"


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
class Ruling:
    """A verdict on two entries, as it is to be kept."""

    entry: int  # the smaller number
    other: int
    verdict: Verdict

    @classmethod
    def on(cls, one: int, other: int, verdict: Verdict) -> "Ruling":
        """Make one; the order of the two doesn't matter."""
        return cls(entry=min(one, other), other=max(one, other), verdict=verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedEntry:
    """An entry that tells another story from now on."""

    id: int
    story: int
    merged_from: int | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryChanges:
    """What becomes of stories, by an operator's word or because they turn out to be one before anybody saw both."""

    stories: tuple[NewStory, ...] = ()
    moved: tuple[MovedEntry, ...] = ()
    merged: tuple[tuple[int, int | None], ...] = ()  # story: into which; None: it is by itself again
    retracted: tuple[tuple[int, datetime | None], ...] = ()  # story: when; None: not any more
    publications: tuple[NewPublication, ...] = ()
    shown: tuple[ShownChange, ...] = ()  # of publications that stand, or stand again
    withdrawn: tuple[tuple[int, int], ...] = ()  # story, category
    traceless: bool = False  # nobody has seen what is withdrawn, so it has no tombstone (T6)
    rulings: tuple[Ruling, ...] = ()
    dirty: frozenset[tuple[int, int | None]] = frozenset()  # (category, archive page or None for the main document)
    unpinned: frozenset[Unpinned] = frozenset()
    events: tuple[Event, ...] = ()
