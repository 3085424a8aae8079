"""Which copy of a story is shown, and what its `updated` is (DESIGN, T2 to T4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.clean import plain_text
from aggregator.model.known import KnownEntry
from aggregator.model.settings import Roster
from aggregator.urls import Url, host_key_of

OPEN = timedelta(hours=1)  # how long after it was made a publication may still show another copy (T3)
SECOND = timedelta(seconds=1)  # what a published date counts in (A8)
LONGER = 1.5  # how much more text a copy must have to be preferred for it
MAX_UNDATED = 24  # revisions that a source did not date and that are still published (T4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One entry of a story, as far as the choice goes."""

    priority: int
    link: Url | None
    source_host: str  # host key of the source
    credited: bool  # carries an `atom:source`: it came through somebody else
    length: int  # characters of text


def copy_of(entry: KnownEntry, roster: Roster) -> Copy:
    """Give a stored entry as a copy; one whose source left feeds.yaml has no priority any more."""
    source = roster.sources.get(entry.source_key)
    return Copy(
        priority=source.priority if source else 0,
        link=entry.link,
        source_host=entry.source_host,
        credited=entry.credited,
        length=len(plain_text(entry.content or entry.summary)),
    )


def best_of(entries: Sequence[KnownEntry], roster: Roster) -> KnownEntry:
    """Give the copy that T2 would have shown had they come in this order.

    Args:
        entries: one or more; the first is shown until a better one comes.
        roster: where their sources' priorities stand.
    """
    shown, *others = entries
    for challenger in others:
        if is_better(copy_of(challenger, roster), copy_of(shown, roster)):
            shown = challenger
    return shown


class Merit(StrEnum):
    """What decides between two copies, the strongest first (T2)."""

    PRIORITY = "its source has a higher priority"
    ORIGINAL = "its link leads to its own source's site"
    FIRST_HAND = "it did not come through somebody else"
    LONGER = "it has more text, by half or more"
    FIRST = "it was seen first"


def is_better(challenger: Copy, shown: Copy) -> bool:
    """Tell whether a later copy is to be shown instead of the one that stands there (T2)."""
    return compare(challenger, shown)[0]


def compare(challenger: Copy, shown: Copy) -> tuple[bool, Merit]:
    """Tell whether a later copy is to be shown instead of the one that stands there, and what decides (T2).

    Higher priority; then a copy whose link lies on its own source's host key, the original; then one without
    `atom:source`; then, between copies whose links lie on one host key, more text by at least half. First seen wins
    what is left.
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
    """Return a publication's `updated` after its content has changed (T4).

    It is always later than before, also where the poll is not: the clock was set back, or the old value lies ahead of
    it (I42). Dates are published in whole seconds, so it is later by a second at least.
    """
    later = before.replace(microsecond=0) + SECOND
    if own is not None and later <= own <= asked_at:
        return own
    return max(later, asked_at)
