"""Which copy of a story is shown, and what its `updated` is (DESIGN, T2 to T4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.urls import Url, host_key_of

OPEN = timedelta(hours=1)  # how long after it was made a publication may still show another copy (T3)
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


def is_better(challenger: Copy, shown: Copy) -> bool:
    """Tell whether a later copy is to be shown instead of the one that stands there (T2).

    Higher priority; then a copy whose link lies on its own source's host key, the original; then one without
    `atom:source`; then, between copies whose links lie on one host key, more text by at least half. First seen wins
    what is left.
    """
    for ours, theirs in (
        (challenger.priority, shown.priority),
        (_is_original(challenger), _is_original(shown)),
        (not challenger.credited, not shown.credited),
    ):
        if ours != theirs:
            return ours > theirs
    same_host = challenger.link and shown.link and host_key_of(challenger.link) == host_key_of(shown.link)
    return bool(same_host) and challenger.length >= LONGER * max(1, shown.length)


def _is_original(copy: Copy) -> bool:
    return copy.link is not None and host_key_of(copy.link) == copy.source_host


def moved_updated(before: datetime, own: datetime | None, asked_at: datetime) -> datetime:
    """Give a publication's `updated` after what it shows has changed (T4); it never goes back (invariant 3)."""
    if own is not None and before < own <= asked_at:
        return own
    return max(before, asked_at)
