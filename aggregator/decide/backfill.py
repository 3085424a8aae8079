"""Entries that a category gets when a source enters it (N2). Pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.decide.order import believed, sort_times
from aggregator.identify.keys import digest_of
from aggregator.model.changes import PlacedEntry
from aggregator.model.entry import Entry
from aggregator.model.known import KnownEntry
from aggregator.model.settings import Category
from aggregator.model.story_changes import NewPublication
from aggregator.rules.judgement import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A stored entry that is published somewhere, or was until its source or an operator withdrew it."""

    id: int
    story: int
    entry: Entry
    first_seen: datetime
    places: tuple[int, ...]  # categories in which its source publishes it
    stands: bool  # False: withdrawn by its source or by an operator, who may both undo that
    updated: datetime | None  # of the publication that shows it; None: another copy is shown everywhere

    @property
    def date(self) -> datetime:
        """Date of the entry, as far as it is believed (I42)."""
        own = self.entry.published or self.entry.updated
        return believed(own, self.first_seen) or self.first_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """Publications and entries that a category gets."""

    publications: tuple[NewPublication, ...]
    joined: Mapping[int, int]  # by story: the entry that becomes one of several copies there
    placed: tuple[PlacedEntry, ...]  # entries that their source publishes there too from now on


def backfill(
    published: Iterable[Published],
    category: Category,
    number: int,
    *,
    there: Container[int],
    limit: int,
    at: datetime,
) -> Backfill:
    """Choose the entries that a category gets of a source that enters it.

    Withdrawn entries do not count towards `limit`; should one come back, it is published there too, if its date would
    have let it in.

    Args:
        published: entries of the source, newest first by their own dates.
        category: its rules decide which of them it takes.
        number: the category's id.
        there: the stories that the category has already, withdrawn or not.
        limit: how many entries it gets at most.
        at: when that happens.
    """
    taken: dict[int, Published] = {}
    unseen: list[Published] = []
    for one in published:
        if len(taken) == limit:
            break
        told = one.entry.as_told
        refused = refusal(told, category.include, category.exclude, seen=one.first_seen)
        if one.story in taken or refused is not None:
            continue
        if one.stands:
            taken[one.story] = one
        else:
            unseen.append(one)
    new = [one for story, one in taken.items() if story not in there]
    times = sort_times([one.date for one in new], backfill=True, asked_at=at)
    return Backfill(
        publications=tuple(
            NewPublication(
                story=one.story,
                category=number,
                entered_at=at,
                sort_at=sort_at,
                backfill=True,
                shown=one.id,
                digest=digest_of(one.entry),
                updated=one.updated or believed(one.entry.updated, one.first_seen) or one.date,
            )
            for one, sort_at in zip(new, times, strict=True)
        ),
        joined={story: one.id for story, one in taken.items() if story in there and number not in one.places},
        placed=tuple(
            PlacedEntry(one.id, (*one.places, number)) for one in (*taken.values(), *unseen) if number not in one.places
        ),
    )


def with_places(members: Sequence[KnownEntry], placed: Sequence[PlacedEntry]) -> list[KnownEntry]:
    """Return the entries of a story, with the categories in which their sources publish them from now on."""
    places = {one.id: one.categories for one in placed}
    return [replace(one, categories=places.get(one.id, one.categories)) for one in members]
