"""Alarms: conditions that an operator should look at. `status`, metrics, log and docs/alarms.md use the codes (R67)."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from aggregator.model.record import record
from aggregator.model.settings import SourceKey

# Limits that texts of alarms name.
FLOOD: Final = 200  # more new entries than this in one poll are a flood (R47);
FLOOD_SHOWN: Final = 50  # so many of them are published as new
MOST: Final = 200  # categories that the items of one source may name; further ones go to `general`


class AlarmCode(StrEnum):
    """Codes of alarms, the worst first.

    First come faults of our own side, then those that stop a source or lose entries, then oddities. Codes are never
    renamed, because scripts of operators depend on them.
    """

    NETWORK_DOWN = "network_down"  # our own network is down
    OUTPUT = "output"  # files can't be rendered or written (R32)
    CRASH = "crash"  # the program crashed several times while this source was polled (R13)
    LAG = "lag"  # sources are polled later than they are due (R19)
    POSTS = "posts"  # some posts (`publish.jekyll`) could not be rendered or written (R32)
    HUB = "hub"  # the WebSub hub accepts no pings (A86)
    MESSAGES = "messages"  # the webhook or an address of `alarms.notify` accepts no messages on alarms
    DEAD = "dead"  # the source failed for a week (R46)
    REPLACED = "replaced"  # the source looks like another feed than before (R44)
    FIELDS_LOST = "fields_lost"  # no entry has a field that most entries had before
    EMPTY = "empty"  # a feed that had entries has none (R43)
    LIST_SHRUNK = "list_shrunk"  # an OPML list lost most of its sources at once; its last good copy is used
    OVERFLOW = "overflow"  # all entries of a document are new: some may have been missed between two polls (R45)
    FLOOD = "flood"  # one document had more new entries than are published as new (R47)
    UNFILED = "unfiled"  # items name no category, or more categories than are allowed
    REKEYED = "rekeyed"  # the ids of entries change at each poll (I35)
    UNCONDITIONAL = "unconditional"  # polled without validators although some are stored (P94)
    FUTURE = "future"  # new entries dated ahead (R48)
    PAST = "past"  # new entries dated long ago (R48)
    SILENT = "silent"  # the source had no new entry for much longer than usual (R46)


# Nothing has to be done about these: they are facts on a source that goes on by itself.
FACTS: Final = frozenset(
    {
        AlarmCode.OVERFLOW,
        AlarmCode.FLOOD,
        AlarmCode.REKEYED,
        AlarmCode.UNCONDITIONAL,
        AlarmCode.FUTURE,
        AlarmCode.PAST,
    }
)
QUIET: Final = (AlarmCode.SILENT, AlarmCode.EMPTY)  # of a source that answers without new entries


@record
class Alarm:
    """An alarm that is raised now, or was."""

    code: AlarmCode
    source: SourceKey | None = None  # None: the alarm concerns the whole program
    text: str  # for the operator
    since: datetime  # when the alarm was raised
    ended_at: datetime | None = None  # when it was over; None: it holds
