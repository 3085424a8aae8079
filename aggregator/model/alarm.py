"""What is worth an operator's notice: one code each, as `status`, metrics, log and docs/alarms.md name it (R67)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aggregator.model.settings import SourceKey


class AlarmCode(StrEnum):
    """Codes of alarms, the worst first: our own side, then what stops a source or loses entries, then what is odd.

    Never renamed, since scripts look for it.
    """

    NETWORK_DOWN = "network_down"  # our own network is
    OUTPUT = "output"  # files can't be rendered or written (R32)
    CRASH = "crash"  # this program ended time and again while it was being polled (R13)
    LAG = "lag"  # sources are asked later than they are due (R19)
    POSTS = "posts"  # some could not be rendered or written (R32, DESIGN 7)
    HUB = "hub"  # it takes no pings (A86)
    DEAD = "dead"  # no success for a week (R46)
    REPLACED = "replaced"  # it looks like another feed than before (R44)
    FIELDS_LOST = "fields_lost"  # most entries had a field that none has any more
    EMPTY = "empty"  # a feed that had entries says none (R43)
    LIST_SHRUNK = "list_shrunk"  # a list of sources lost most of them at once, and is not believed (DESIGN, section 6)
    OVERFLOW = "overflow"  # its window ran over between two polls (R45)
    FLOOD = "flood"  # more new entries at once than are published as new (R47)
    UNFILED = "unfiled"  # items name no category, or too many of them (DESIGN 3.1, Categories)
    REKEYED = "rekeyed"  # its ids change all the time (I35)
    UNCONDITIONAL = "unconditional"  # fetched whole although validators are on offer (P94)
    FUTURE = "future"  # new entries dated ahead (R48)
    PAST = "past"  # new entries dated long ago (R48)
    SILENT = "silent"  # no new entry for much longer than usual (R46)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that is wrong now."""

    code: AlarmCode
    source: SourceKey | None = None  # None: it concerns all of them
    text: str  # for the operator
    since: datetime  # when that was noticed first
