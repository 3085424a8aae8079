"""What happened and why: the one list of codes that `why`, `plan`, `status` and the log share."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

PASSING_FOR: Final = timedelta(days=90)  # events that do not last (P93, R73)


class Code(StrEnum):
    """A decision, or a change of state. Verb and noun; never renamed, since stored events bear it."""

    MAKE_STORY = "make_story"  # an entry that tells something new (T1)
    JOIN_STORY = "join_story"  # another copy of a story; facts: evidence, others (T5)
    PUBLISH_STORY = "publish_story"  # a story that was there enters one more category (N3)
    SWITCH_COPY = "switch_copy"  # another copy is shown; facts: category, because (T2, T3)
    REJECT_ENTRY = "reject_entry"  # a rule said no; facts: rule
    KEEP_OUT = "keep_out"  # published, and a category's rule said no; facts: category, rule
    ROUTE_ENTRY = "route_entry"  # to a category beside its source's; facts: category, rule
    KEEP_KNOWN = "keep_known"  # beyond `initial` on a first poll (I62)
    REVISE_ENTRY = "revise_entry"  # a new digest under a known key; facts: fields, and the title before if that is one
    HOLD_REVISION = "hold_revision"  # the 25th undated revision and later: stored, not shown (T4)
    KEEP_CONTENT = "keep_content"  # came back empty, the old content stays (I61)
    MINT_ID = "mint_id"  # its own id is none, or is taken (A4, A5)
    CHANGE_STATE = "change_state"  # of a source; facts: from, to, error
    MOVE_URL = "move_url"  # of a source, to where its redirects lead, or back (P40, P48); facts: host
    WITHDRAW_STORY = "withdraw_story"  # from a category, with a tombstone; facts: because
    RETURN_STORY = "return_story"  # to a category from which it was withdrawn (T8)
    MERGE_STORIES = "merge_stories"  # an operator's word; facts: merged, entries; of the merged one: into (T7)
    UNMERGE_STORY = "unmerge_story"  # an operator's word; facts: to, revived; of the one that came of it: parted (T8)
    RETRACT_STORY = "retract_story"  # an operator's word: seen nowhere any more
    RESTORE_STORY = "restore_story"  # an operator took that back
    REFUSE_REQUEST = "refuse_request"  # of an operator; facts: request, command, because
    REKEY_ENTRY = "rekey_entry"  # came under another id; facts: key, because (I35)
    REUSE_ID = "reuse_id"  # a new entry under the id of another one; facts: other (I35)
    SUSPECT_SOURCE = "suspect_source"  # looks like another feed than before; facts: before, after (R44)
    CLEAR_SOURCE = "clear_source"  # it is believed again; facts: by (R44)
    LOSE_FIELDS = "lose_fields"  # of a source: most entries had them, none has any more; facts: fields, or none
    HOLD_ENTRY = "hold_entry"  # new, of a source that is suspect (R44), or lost fields; facts: because
    RELEASE_ENTRY = "release_entry"  # held before, published now; facts: by (R44)
    DROP_ENTRY = "drop_entry"  # held before, and not of the source that came back (R44)
    WITHDRAW_ENTRY = "withdraw_entry"  # taken back by its source; facts: when (I26)
    RELIST_ENTRY = "relist_entry"  # listed again, with a later date than its tombstone; facts: updated (I26)
    FLOOD = "flood"  # more new entries in one document than are published as new; facts: new (R47)
    TEMPLATE = "template"  # most entries of a document changed at once; facts: revised (R47)
    OVERFLOW = "overflow"  # all entries of a document are new: some may have been missed (R45)
    FILL_CATEGORY = "fill_category"  # gets the newest entries of a source that was there; facts: category, entries (N2)
    MAKE_CATEGORY = "make_category"  # that an entry was the first to name; facts: key (DESIGN 3.1, Categories)
    FILE_GENERAL = "file_general"  # an entry that names no category, or one too many; facts: key
    AWAIT_DETAIL = "await_detail"  # new, and published once its detail is there (DESIGN, section 6)
    RETRY_DETAIL = "retry_detail"  # it did not come, and is asked for again; facts: code, error, next
    COMPLETE_ENTRY = "complete_entry"  # what it waited for came, or did not in time; facts: because
    THIN_PAGE = "thin_page"  # an archive page that shows no texts any more; facts: page, entries (K3)
    LEAVE_OUT = "leave_out"  # an entry that can't be read (R41)
    DOUBT_LIST = "doubt_list"  # a list of sources lost most of them at once; facts: because
    MOVE_SETTINGS = "move_settings"  # feeds.yaml changed what is known of a source; facts: what


# Why a thing is what it is, stands where it stands, or does not: said nowhere else, and about once for an entry. All
# others tell how it came to that, and what stands itself in the rows of entries, stories and sources.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the trail. Ids are those of the store's rows; None where the thing plays no part."""

    code: Code
    source: int | None = None
    entry: int | None = None
    story: int | None = None
    category: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # plain JSON values

    @property
    def lasts(self) -> bool:
        """Tell whether it stays for ever: what `why` can't tell without it, and all that came of an operator's word."""
        return self.code in _LASTING or "request" in self.facts
