"""Changes of stories and their publications, as a poll or a correction decides them."""

from datetime import datetime
from enum import StrEnum

from aggregator.model.entry import Digest
from aggregator.model.record import record

BANDS = 10  # MinHash bands of a text (`identify/minhash.py`)


class Verdict(StrEnum):
    """An operator's decision on two entries. It stays when both entries are gone."""

    SAME = "same"
    DIFFERENT = "different"


@record
class Ruling:
    """A verdict on two entries, as the store keeps it."""

    entry: int  # the smaller id of the two
    other: int
    verdict: Verdict

    @classmethod
    def on(cls, one: int, other: int, verdict: Verdict) -> "Ruling":
        """Return the ruling on two entries, named in either order."""
        return cls(entry=min(one, other), other=max(one, other), verdict=verdict)


@record
class NewStory:
    """A story to insert."""

    id: int
    atom_id: str
    page_id: str
    founder: int  # id of its first entry
    bands: tuple[int, ...] = ()  # of a founding entry that was in another story before (T8); `NewEntry` has its own


@record
class NewPublication:
    """A story that enters a category."""

    story: int
    category: int
    entered_at: datetime
    sort_at: datetime
    backfill: bool
    shown: int
    digest: Digest
    updated: datetime


@record
class ShownChange:
    """A publication that shows another entry or another text. A withdrawn publication becomes visible again."""

    story: int
    category: int
    shown: int
    digest: Digest
    updated: datetime


@record
class Pin:
    """An entry whose present text an archive page keeps showing, though the entry changes (M7)."""

    category: int
    story: int
    entry: int
    digest: Digest | None  # of what the page shows; None: the entry is only credited there


@record
class Unpinned:
    """An entry whose stored text an archive page shows again."""

    category: int
    story: int
    entry: int | None  # None: all entries of the story


@record
class StoryChanges:
    """Changes of stories and publications: the part that polls, corrections and edits of feeds.yaml have in common.

    No publication is both shown and withdrawn here: `PublicationDraft` keeps the last decision on each.
    """

    new: tuple[NewStory, ...] = ()
    merged: tuple[tuple[int, int | None], ...] = ()  # (story, target story); None: the merge is undone
    retracted: tuple[tuple[int, datetime | None], ...] = ()  # (story, time); None: the retraction is undone
    publications: tuple[NewPublication, ...] = ()
    shown: tuple[ShownChange, ...] = ()
    withdrawn: tuple[tuple[int, int], ...] = ()  # (story, category): no copy is left there (T9), or corrected
    traceless: bool = False  # no reader has seen the withdrawn publications, so they get no tombstone (T6)
    rulings: tuple[Ruling, ...] = ()
    dirty: frozenset[tuple[int, int | None]] = frozenset()  # (category, archive page or None for the main document)
    pins: frozenset[Pin] = frozenset()
    unpinned: frozenset[Unpinned] = frozenset()  # may include pins of `pins`


NO_STORY_CHANGES = StoryChanges()
