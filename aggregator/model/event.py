"""Codes of recorded events, which `why`, `plan`, `status` and the log share."""

from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from aggregator.model.record import record

PASSING_FOR: Final = timedelta(days=90)  # how long events are kept that do not last (P93, R73)


class Code(StrEnum):
    """Code of a decision or a change of state: verb and noun. Never renamed, because stored events have it."""

    MAKE_STORY = "make_story"  # an entry starts a new story (T1)
    JOIN_STORY = "join_story"  # another copy of a story; facts: evidence, others (T5)
    PUBLISH_STORY = "publish_story"  # an existing story enters one more category (N3)
    SWITCH_COPY = "switch_copy"  # another copy is shown; facts: category, because (T2, T3)
    REJECT_ENTRY = "reject_entry"  # a rule of the source excludes the entry; facts: rule
    KEEP_OUT = "keep_out"  # a rule of a category excludes an entry that others publish; facts: category, rule
    ROUTE_ENTRY = "route_entry"  # a route adds a category; facts: category, rule
    KEEP_KNOWN = "keep_known"  # an entry of a first poll beyond `initial`: stored, not published (I62)
    REVISE_ENTRY = "revise_entry"  # a new digest under a known key; facts: fields, and the earlier title if it changed
    HOLD_REVISION = "hold_revision"  # the 25th undated revision and later: stored, not shown (T4)
    KEEP_CONTENT = "keep_content"  # the new revision is empty, the old content stays (I61)
    MINT_ID = "mint_id"  # the entry's own id is not an IRI, or is taken: a new id is made (A4, A5)
    CHANGE_STATE = "change_state"  # a source changes its state; facts: from, to, error
    MOVE_URL = (
        "move_url"  # a source is polled at the target of its redirects, or again at its own (P40, P48); facts: host
    )
    WITHDRAW_STORY = "withdraw_story"  # a story leaves a category, with a tombstone; facts: because
    RETURN_STORY = "return_story"  # a story returns to a category from which it was withdrawn (T8)
    MERGE_STORIES = "merge_stories"  # by an operator; facts: merged, entries; for the merged story: into (T7)
    UNMERGE_STORY = "unmerge_story"  # by an operator; facts: to, revived; for the story that results: parted (T8)
    # By an operator: the story is withdrawn everywhere; facts: forgotten, if its texts were removed as well.
    RETRACT_STORY = "retract_story"
    RESTORE_STORY = "restore_story"  # by an operator: a retraction is undone
    REFUSE_REQUEST = "refuse_request"  # an operator's correction is refused; facts: request, command, because
    REKEY_ENTRY = "rekey_entry"  # a known entry has another id; facts: key, because (I35)
    REUSE_ID = "reuse_id"  # a new entry has the id of another entry; facts: other (I35)
    SUSPECT_SOURCE = "suspect_source"  # a source looks like another feed than before; facts: before, after (R44)
    CLEAR_SOURCE = "clear_source"  # a source is no longer suspect; facts: by (R44)
    LOSE_FIELDS = (
        "lose_fields"  # no entry of a source has fields that most had; facts: fields, empty once they are back
    )
    HOLD_ENTRY = "hold_entry"  # a new entry of a source that is suspect (R44) or lost fields; facts: because
    RELEASE_ENTRY = "release_entry"  # a held entry is published; facts: by (R44)
    DROP_ENTRY = "drop_entry"  # a held entry is not of the feed that came back (R44)
    WITHDRAW_ENTRY = "withdraw_entry"  # the source withdraws an entry; facts: when (I26)
    RELIST_ENTRY = (
        "relist_entry"  # a withdrawn entry is listed with a later date than its tombstone; facts: updated (I26)
    )
    FLOOD = "flood"  # more new entries in one document than are published as new; facts: new (R47)
    TEMPLATE = "template"  # most entries of a document changed at once; facts: revised (R47)
    OVERFLOW = "overflow"  # all entries of a document are new: some may have been missed (R45)
    FILL_CATEGORY = (
        "fill_category"  # a category gets the newest entries of a known source; facts: category, entries (N2)
    )
    MAKE_CATEGORY = "make_category"  # an entry is the first that names this category; facts: key
    FILE_GENERAL = "file_general"  # an entry names no category, or too many: it goes to `general`; facts: key
    AWAIT_DETAIL = "await_detail"  # a new entry is published once its detail was fetched
    RETRY_DETAIL = "retry_detail"  # the request of a detail failed and is repeated; facts: code, error, next
    COMPLETE_ENTRY = "complete_entry"  # the detail was fetched, or is given up; facts: because
    THIN_PAGE = "thin_page"  # an archive page no longer shows texts; facts: page, entries (K3)
    LEAVE_OUT = "leave_out"  # an entry can't be read (R41)
    DOUBT_LIST = "doubt_list"  # an OPML list lost most of its sources at once; facts: because
    MOVE_SETTINGS = "move_settings"  # an edit of feeds.yaml changed a stored source; facts: what


# Events with a reason that is stored nowhere else, about one for each entry; they are kept for ever. All other events
# describe changes whose results are in the rows of entries, stories and sources.
_LASTING: Final = frozenset(
    {
        Code.JOIN_STORY,
        Code.REJECT_ENTRY,
        Code.KEEP_OUT,
        Code.ROUTE_ENTRY,
        Code.FILE_GENERAL,
        Code.MAKE_CATEGORY,
        Code.MINT_ID,
        Code.REUSE_ID,
        Code.DROP_ENTRY,
        Code.MERGE_STORIES,
        Code.UNMERGE_STORY,
        Code.RETRACT_STORY,
        Code.RESTORE_STORY,
        Code.REFUSE_REQUEST,
    }
)


@record
class Event:
    """One recorded event. Ids are row ids of the store; None if the event does not concern such a row."""

    code: Code
    source: int | None = None
    entry: int | None = None
    story: int | None = None
    category: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # plain JSON values

    @property
    def lasts(self) -> bool:
        """True if the event is kept for ever: `why` needs it, or it results from an operator's correction."""
        return self.code in _LASTING or "request" in self.facts
