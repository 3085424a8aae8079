"""Choice of the copy of a story that is shown, and of its `updated` (T2 to T4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.clean.text import plain_text
from aggregator.model.known import KnownEntry
from aggregator.model.settings import Roster
from aggregator.urls import Url, host_key_of

OPEN = timedelta(hours=1)  # for so long after it was made, a publication may switch to another copy (T3)
SECOND = timedelta(seconds=1)  # resolution of published dates (A8)
LONGER = 1.5  # a copy with so many times the text is preferred
MAX_UNDATED = 24  # undated revisions that are still published (T4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The fields of an entry by which the shown copy is chosen."""

    priority: int
    link: Url | None
    source_host: str  # host key of the source
    credited: bool  # has an `atom:source`: the source took it from elsewhere
    length: int  # characters of text


def copy_of(entry: KnownEntry, roster: Roster) -> Copy:
    """Return a stored entry as a copy; if its source left feeds.yaml, its priority is 0."""
    source = roster.sources.get(entry.source_key)
    return Copy(
        priority=source.priority if source else 0,
        link=entry.link,
        source_host=entry.source_host,
        credited=entry.credited,
        length=len(plain_text(entry.content or entry.summary)),
    )


def best_of(entries: Sequence[KnownEntry], roster: Roster) -> KnownEntry:
    """Return the copy that is shown if the entries come in this order (T2).

    Args:
        entries: at least one; the first is shown until a better one comes.
        roster: has the priorities of their sources.
    """
    shown, *others = entries
    for challenger in others:
        if is_better(copy_of(challenger, roster), copy_of(shown, roster)):
            shown = challenger
    return shown


class Merit(StrEnum):
    """Reason why one copy is shown and not another, the strongest first (T2)."""

    PRIORITY = "its source has a higher priority"
    ORIGINAL = "its link leads to its own source's site"
    FIRST_HAND = "it did not come through somebody else"
    LONGER = "it has more text, by half or more"
    FIRST = "it was seen first"


def is_better(challenger: Copy, shown: Copy) -> bool:
    """Return whether a later copy is shown instead of the present one (T2)."""
    return compare(challenger, shown)[0]


def compare(challenger: Copy, shown: Copy) -> tuple[bool, Merit]:
    """Return whether a later copy is shown instead of the present one, and the reason (T2).

    The order: higher priority; a link on the host key of its own source (the original); no `atom:source`; and between
    copies whose links are on one host key, at least 1.5 times the text. Otherwise the first seen is shown.
    """
    for merit, ours, theirs in (
        (Merit.PRIORITY, challenger.priority, shown.priority),
        (Merit.ORIGINAL, _is_original(challenger), _is_original(shown)),
        (Merit.FIRST_HAND, not challenger.credited, not shown.credited),
    ):
        if ours != theirs:
            return ours > theirs, merit
    same_host = challenger.link and shown.link and host_key_of(challenger.link) == host_key_of(shown.link)
    longer = bool(same_host) and challenger.length >= LONGER * max(1, shown.length)
    return longer, Merit.LONGER if longer else Merit.FIRST


def _is_original(copy: Copy) -> bool:
    return copy.link is not None and host_key_of(copy.link) == copy.source_host


def moved_updated(before: datetime, own: datetime | None, asked_at: datetime) -> datetime:
    """Return the `updated` of a publication whose content has changed (T4).

    It is always later than before, even if the poll is not: the clock may have been set back, or the old value lies in
    the future (I42). Dates are published in whole seconds, so it is later by at least one second.
    """
    later = before.replace(microsecond=0) + SECOND
    if own is not None and later <= own <= asked_at:
        return own
    return max(later, asked_at)
