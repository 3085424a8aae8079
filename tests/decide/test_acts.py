"""merge, unmerge, retract and restore: records, events and refusals of each (T7, T8)."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.decide.corrections import merge, merge_unseen, restore, retract, unmerge
from aggregator.errors import CorrectionRefused
from aggregator.identify.ids import minted_id
from aggregator.identify.matching import telling_of
from aggregator.identify.minhash import bands_of
from aggregator.model.changes import EntryChanges, MovedEntry
from aggregator.model.correction import StoryMembers
from aggregator.model.event import Code
from aggregator.model.known import LOST, EntryState, KnownEntry, KnownPublication, KnownStory
from aggregator.model.story_changes import Ruling, Verdict
from tests.decide.records import DAY, HOUR, MINUTE, NOON, UUID, known_entry, roster

TEXT = "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs, says the mayor."
ROSTER = roster()


def member(number: int, story: int, **fields: Any) -> KnownEntry:
    return known_entry(
        number, story=story, source=number, content=TEXT, first_seen=NOON - DAY + number * MINUTE, **fields
    )


def story(number: int, founder: int, **fields: Any) -> KnownStory:
    publication = KnownPublication(
        story=number,
        category=1,
        entered_at=NOON - DAY,
        shown=founder,
        digest=member(founder, number).digest,
        updated=NOON - DAY,
        page=None,
        withdrawn_at=None,
    )
    plain = KnownStory(
        id=number,
        atom_id=f"urn:{number}",
        page_id=f"{number:016x}",
        founder=founder,
        created_at=NOON - DAY,
        sources=frozenset({founder}),
        publications=(publication,),
    )
    return replace(plain, **fields)


def known(*stories: KnownStory, **fields: Any) -> StoryMembers:
    """Return two stories: 101 of the entries 1 and 2, and 102 of entry 3."""
    plain: dict[str, Any] = {
        "store_uuid": UUID,
        "next_story": 60,
        "stories": {one.id: one for one in stories or (story(101, 1), story(102, 3))},
        "members": {101: (member(1, 101), member(2, 101)), 102: (member(3, 102),)},
        "categories": frozenset({1, 2}),
    }
    return StoryMembers(**(plain | fields))


def told(changes: EntryChanges) -> list[tuple[Code, int | None, int | None, dict[str, Any]]]:
    return [(event.code, event.entry, event.story, dict(event.facts)) for event in changes.events]


def test_t7_a_merge() -> None:
    found = merge(known(), 101, 102, now=NOON, roster=ROSTER)
    assert found.moved == (MovedEntry(id=3, from_story=102, story=101, merged_from=102),)
    assert found.stories.merged == ((102, 101),)
    assert found.stories.withdrawn == ((102, 1),)
    assert (found.stories.traceless, found.stories.new, found.stories.retracted) == (False, (), ())
    assert found.stories.rulings == (Ruling(entry=1, other=3, verdict=Verdict.SAME),)
    assert (1, None) in found.stories.dirty
    facts = {"merged": 102, "atom_id": "urn:102", "entries": [3], "because": "merged"}
    assert told(found) == [
        (Code.MERGE_STORIES, None, 101, facts),
        (Code.MERGE_STORIES, None, 102, {"into": 101, "because": "merged"}),
        (Code.WITHDRAW_STORY, None, 102, {"because": "merged", "category": 1}),
    ]


def test_t7_what_came_by_an_earlier_merge_remembers_its_first_story() -> None:
    again = known(members={101: (member(1, 101),), 102: (member(3, 102), member(4, 102, merged_from=90))})
    found = merge(again, 101, 102, now=NOON, roster=ROSTER)
    assert [(one.id, one.merged_from) for one in found.moved] == [(3, 102), (4, 90)]


def test_t7_an_entry_that_was_called_the_same_as_the_founder_is_ruled_too_and_opposed_pairs_are() -> None:
    facts = {"members": {101: (member(1, 101), member(2, 101)), 102: (member(3, 102), member(4, 102))}}
    same = known(same={3: frozenset({4, 9})}, different={2: frozenset({4})}, **facts)
    pairs = [(one.entry, one.other) for one in merge(same, 101, 102, now=NOON, roster=ROSTER).stories.rulings]
    assert pairs == [(1, 3), (1, 4), (2, 4)]


@pytest.mark.parametrize(
    ("stories", "kept", "merged", "said"),
    [
        ((story(101, 1),), 101, 101, "urn:101 is one story already"),
        ((story(101, 1),), 101, 999, "there is no story 999"),
        ((story(101, 1), story(102, 3, merged_into=7)), 101, 102, "urn:102 was merged into another story meanwhile"),
        ((story(101, 1), story(102, 3, retracted_at=NOON)), 101, 102, "urn:102 is retracted; bring it back first"),
        ((story(101, 1, retracted_at=NOON), story(102, 3)), 101, 102, "urn:101 is retracted; bring it back first"),
    ],
)
def test_merges_that_are_refused(stories: tuple[KnownStory, ...], kept: int, merged: int, said: str) -> None:
    with pytest.raises(CorrectionRefused, match=said):
        merge(known(*stories), kept, merged, now=NOON, roster=ROSTER)


def test_t6_a_merge_that_nobody_sees() -> None:
    found = merge_unseen(known(), 101, 102, now=NOON, roster=ROSTER)
    assert found is not None
    assert (found.stories.traceless, found.stories.rulings, found.stories.merged) == (True, (), ((102, 101),))
    assert found.events[0].facts["because"] == "an entry tells both, and nobody had seen it"
    gone = story(102, 3, merged_into=7)
    assert merge_unseen(known(story(101, 1), gone), 101, 102, now=NOON, roster=ROSTER) is None
    assert merge_unseen(known(replace(gone, id=101), story(102, 3)), 101, 102, now=NOON, roster=ROSTER) is None
    assert merge_unseen(known(story(101, 1)), 101, 102, now=NOON, roster=ROSTER) is None
    assert merge_unseen(known(story(102, 3)), 101, 102, now=NOON, roster=ROSTER) is None
    opposed = known(different={2: frozenset({3})})
    assert merge_unseen(opposed, 101, 102, now=NOON, roster=ROSTER) is None


def test_t8_an_entry_that_leaves_founds_a_story() -> None:
    found = unmerge(known(), 101, 2, now=NOON, roster=ROSTER)
    (made,) = found.stories.new
    assert (made.id, made.atom_id, made.founder) == (60, minted_id(UUID, "news", "k2"), 2)
    assert made.bands == bands_of(telling_of(member(2, 101))) != ()
    assert found.moved == (MovedEntry(id=2, from_story=101, story=60, merged_from=None),)
    assert [(one.story, one.category, one.sort_at) for one in found.stories.publications] == [(60, 1, NOON)]
    assert found.stories.rulings == (Ruling(entry=1, other=2, verdict=Verdict.DIFFERENT),)
    assert found.stories.merged == ()
    assert told(found)[:2] == [
        (Code.UNMERGE_STORY, 2, 101, {"to": 60, "revived": False}),
        (Code.UNMERGE_STORY, None, 60, {"parted": 101}),
    ]


def test_t8_ids_of_stories_that_are_founded_late() -> None:
    def atom_id(one: KnownEntry, **fields: Any) -> str:
        facts = known(members={101: (member(1, 101), one)}, **fields)
        return unmerge(facts, 101, 2, now=NOON, roster=ROSTER).stories.new[0].atom_id

    own, minted = "tag:news.example,2026:2", minted_id(UUID, "news", "k2")
    assert atom_id(member(2, 101, own_id=own)) == own
    assert atom_id(member(2, 101, own_id=own), taken=frozenset({own})) == minted
    assert atom_id(member(2, 101, own_id=own, private=True)) == minted
    assert atom_id(member(2, 101, own_id="no iri")) == minted
    assert atom_id(member(2, 101), taken=frozenset({minted})) == minted_id(UUID, "news", "k2\0" + "2")
    thin = known(members={101: (member(1, 101), member(2, 101, thinned=True))})
    assert unmerge(thin, 101, 2, now=NOON, roster=ROSTER).stories.new[0].bands == ()


def test_t8_what_came_together_leaves_together() -> None:
    both = (member(1, 101), member(3, 101, merged_from=102), member(4, 101, merged_from=102), member(2, 101))
    before = story(102, 3, merged_into=101)
    facts = known(story(101, 1), before, members={101: both})
    found = unmerge(facts, 101, 4, now=NOON, roster=ROSTER)
    assert [(one.id, one.story) for one in found.moved] == [(3, 102), (4, 102)]
    assert (found.stories.merged, found.stories.new) == (((102, None),), ())
    assert found.events[0].facts == {"to": 102, "revived": True}
    pairs = [(one.entry, one.other) for one in found.stories.rulings]
    assert pairs == [(1, 3), (1, 4), (2, 3), (2, 4)]
    every = unmerge(facts, 101, None, now=NOON, roster=ROSTER)
    assert [(one.id, one.story) for one in every.moved] == [(3, 102), (4, 102), (2, 60)]


def test_t8_the_newest_by_its_own_date_stands_first() -> None:
    old = member(2, 101, published=NOON - 2 * DAY)
    new = member(3, 101, updated=NOON - HOUR)
    found = unmerge(known(members={101: (member(1, 101), old, new)}), 101, None, now=NOON, roster=ROSTER)
    assert [one.id for one in found.moved] == [3, 2]
    first, second = found.stories.publications
    assert (first.sort_at, second.sort_at) == (NOON, NOON - MINUTE / 60_000_000)
    assert [one.id for one in found.stories.new] == [60, 61]


@pytest.mark.parametrize(
    ("members", "entry", "said"),
    [
        ((member(1, 101),), None, "urn:101 is told by its founding entry alone: there is nothing to take apart"),
        ((member(1, 101),), 9, "entry 9 does not tell urn:101"),
        ((member(1, 101), member(2, 101)), 1, "entry 1 founded urn:101 and keeps that id; name another entry"),
        (
            (member(1, 101), member(2, 101, state=EntryState.WITHDRAWN)),
            2,
            "entry 2 is withdrawn: it can't stand by itself",
        ),
    ],
)
def test_unmerges_that_are_refused(members: tuple[KnownEntry, ...], entry: int | None, said: str) -> None:
    with pytest.raises(CorrectionRefused) as refused:
        unmerge(known(members={101: members}), 101, entry, now=NOON, roster=ROSTER)
    assert str(refused.value) == said


def test_t8_what_is_left_of_a_retracted_story_stays_unseen() -> None:
    found = unmerge(known(story(101, 1, retracted_at=NOON)), 101, 2, now=NOON, roster=ROSTER)
    assert found.stories.withdrawn == ((101, 1),)
    assert [one.story for one in found.stories.publications] == [60]


def test_a_story_is_retracted_once_and_restored_once() -> None:
    found = retract(known(), 101, now=NOON, roster=ROSTER)
    assert (found.stories.retracted, found.stories.withdrawn) == (((101, NOON),), ((101, 1),))
    assert [(event.code, event.facts.get("because")) for event in found.events] == [
        (Code.RETRACT_STORY, None),
        (Code.WITHDRAW_STORY, "retracted"),
    ]
    with pytest.raises(CorrectionRefused, match="urn:101 is retracted already"):
        retract(known(story(101, 1, retracted_at=NOON)), 101, now=NOON, roster=ROSTER)
    with pytest.raises(CorrectionRefused, match="urn:101 is not retracted"):
        restore(known(), 101, now=NOON, roster=ROSTER)


def test_a_restored_story_is_newer_than_its_tombstone() -> None:
    there = story(101, 1).publications[0]
    gone = story(101, 1, retracted_at=NOON - HOUR, publications=(replace(there, withdrawn_at=NOON - HOUR),))
    found = restore(known(gone), 101, now=NOON, roster=ROSTER)
    assert found.stories.retracted == ((101, None),)
    assert [(one.story, one.shown, one.updated) for one in found.stories.shown] == [(101, 1, NOON)]
    assert [(event.code, event.facts.get("because")) for event in found.events] == [
        (Code.RESTORE_STORY, None),
        (Code.RETURN_STORY, "restored"),
    ]


def test_a_story_that_is_known_by_its_tombstone_alone_does_not_come_back() -> None:
    lost = (member(1, 101, source_key=LOST),)
    with pytest.raises(CorrectionRefused, match="was withdrawn before the store was lost"):
        restore(known(story(101, 1, retracted_at=NOON), members={101: lost}), 101, now=NOON, roster=ROSTER)
    found = restore(
        known(story(101, 1, retracted_at=NOON), members={101: (member(1, 101), member(2, 101, source_key=LOST))}),
        101,
        now=NOON,
        roster=ROSTER,
    )
    assert found.stories.retracted == ((101, None),)
