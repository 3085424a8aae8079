"""What happened and why: the one list of codes that `why`, `plan`, `status` and the log share."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """A decision, or a change of state. Verb and noun; never renamed, since stored events bear it."""

    MAKE_STORY = "make_story"  # an entry that tells something new (T1)
    JOIN_STORY = "join_story"  # another copy of a story; facts: evidence, others (T5)
    PUBLISH_STORY = "publish_story"  # a story that was there enters one more category (N3)
    SWITCH_COPY = "switch_copy"  # another copy is shown; facts: category, reason (T2, T3)
    REJECT_ENTRY = "reject_entry"  # a rule said no; facts: rule
    KEEP_KNOWN = "keep_known"  # beyond `initial` on a first poll (I62)
    REVISE_ENTRY = "revise_entry"  # a new digest under a known key; facts: fields, published
    HOLD_REVISION = "hold_revision"  # the 25th undated revision and later: stored, not shown (T4)
    KEEP_CONTENT = "keep_content"  # came back empty, the old content stays (I61)
    MINT_ID = "mint_id"  # its own id is none, or is taken (A4, A5)
    CHANGE_STATE = "change_state"  # of a source; facts: from, to, error
    LEAVE_OUT = "leave_out"  # an entry that can't be read (R41)
    MOVE_SETTINGS = "move_settings"  # feeds.yaml changed what is known of a source; facts: what


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the trail. Ids are those of the store's rows; None where the thing plays no part."""

    code: Code
    source: int | None = None
    entry: int | None = None
    story: int | None = None
    category: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # plain JSON values
