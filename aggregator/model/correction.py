"""An operator's corrections of stories and sources: requests, their data and their outcomes (T7, T8, R27)."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from aggregator.model.known import KnownEntry, KnownStory
from aggregator.model.record import record


class Act(StrEnum):
    """A correction, by the name of its command."""

    MERGE = "merge"
    UNMERGE = "unmerge"
    RETRACT = "retract"
    FORGET = "forget"
    ACCEPT = "accept"
    RULES = "rules"  # of `publish --rules`


@record
class Request:
    """A correction that waits for the process with the lock of the store."""

    id: int
    command: str  # an `Act`, or a name that another version of the program wrote
    arguments: Mapping[str, Any]


@record
class Outcome:
    """Result of a request."""

    done: bool  # False: refused, and nothing was changed
    said: str  # message for the operator
    facts: Mapping[str, Any] = field(default_factory=dict)  # for `--json`


@record
class StoryMembers:
    """Stories with all their entries, and other stored data that a correction depends on."""

    store_uuid: str
    next_story: int  # first free id of stories
    stories: Mapping[int, KnownStory]  # the stories in question, and those that were merged into them
    members: Mapping[int, tuple[KnownEntry, ...]]  # story in question -> its entries, first seen first
    same: Mapping[int, frozenset[int]] = field(default_factory=dict)  # verdicts so far on members
    different: Mapping[int, frozenset[int]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()  # atom ids that any story has or had
    taken_pages: frozenset[str] = frozenset()
    categories: frozenset[int] = frozenset()  # categories in feeds.yaml; only these get new publications
