"""Publications after any sequence of an operator's corrections (T2, T3, T7, T8, T9, invariants 2 and 3). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.decide.corrections import merge, merge_unseen, restore, retract, unmerge
from aggregator.decide.publications import PublicationDraft
from aggregator.errors import CorrectionRefused
from aggregator.model.changes import EntryChanges
from aggregator.model.correction import StoryMembers
from aggregator.model.entry import Digest
from aggregator.model.known import EntryState, KnownEntry, KnownPublication, KnownStory
from aggregator.model.settings import Roster, SourceKey
from aggregator.model.story_changes import Verdict
from aggregator.urls import Url
from tests.sample_site import START

UUID = "7f3f0f0e-3a7b-4c56-9d0a-000000000001"
CATEGORIES = frozenset({1, 2, 3})
ROSTER = Roster({}, {})


def entry(number: int, story: int, categories: Sequence[int], *, published: bool, text: int) -> KnownEntry:
    return KnownEntry(
        id=number,
        source=number,
        source_key=SourceKey(f"s{number}"),
        source_host="example.org",
        key=f"k{number}",
        form=f"f{number}",
        own_id=f"tag:s{number},2026:1" if number % 2 else None,
        digest=Digest(f"d{number}"),
        shown_digest=Digest(f"d{number}"),
        id_hash=None,
        text_digest=None,
        match_link=None,
        title=f"Title {number}",
        link=Url(f"https://{'example.org' if number % 3 else 'mirror.net'}/{number}"),
        summary="",
        content="x" * text,
        published=None,
        updated=None,
        first_seen=START + timedelta(minutes=number),
        undated=0,
        state=EntryState.PUBLISHED if published else EntryState.WITHDRAWN,
        story=story,
        taken_back_at=None if published else START,  # without a time it would be a forgotten one (0132)
        merged_from=None,
        categories=tuple(sorted(set(categories))),
        credited=number % 5 == 0,
        private=number % 7 == 0,
    )


class StoredStories:
    """Stories and entries as the store would have them after the decided changes."""

    def __init__(self, entries: Sequence[KnownEntry]) -> None:
        self.entries = {each.id: each for each in entries}
        self.now = START + timedelta(hours=2)
        self.stories: dict[int, KnownStory] = {}
        self.verdicts: dict[tuple[int, int], Verdict] = {}
        self.tombstones: set[tuple[int, int]] = set()
        for number in sorted({each.story for each in entries if each.story is not None}):
            members = self.members(number)
            founder = members[0]
            self.stories[number] = KnownStory(
                id=number,
                atom_id=f"urn:story:{number}",
                page_id=f"{number:016x}",
                founder=founder.id,
                created_at=founder.first_seen,
                sources=frozenset(),
                publications=(),
            )
        for number in list(self.stories):  # publications as the founding entries' polls would have made them
            self.apply(retract(self.told(), number, now=START, roster=ROSTER))
            self.apply(restore(self.told(), number, now=START, roster=ROSTER))

    def members(self, story: int) -> tuple[KnownEntry, ...]:
        return tuple(sorted((e for e in self.entries.values() if e.story == story), key=lambda e: (e.first_seen, e.id)))

    def told(self) -> StoryMembers:
        said: dict[Verdict, dict[int, frozenset[int]]] = {Verdict.SAME: {}, Verdict.DIFFERENT: {}}
        for pair, verdict in self.verdicts.items():
            for one, other in (pair, pair[::-1]):
                said[verdict][one] = said[verdict].get(one, frozenset()) | {other}
        return StoryMembers(
            store_uuid=UUID,
            next_story=max(self.stories, default=0) + 1,
            stories=self.stories,
            members={number: self.members(number) for number in self.stories},
            same=said[Verdict.SAME],
            different=said[Verdict.DIFFERENT],
            taken=frozenset(story.atom_id for story in self.stories.values()),
            taken_pages=frozenset(story.page_id for story in self.stories.values()),
            categories=CATEGORIES,
        )

    def apply(self, changes: EntryChanges) -> None:
        places = {(p.story, p.category): p for story in self.stories.values() for p in story.publications}
        for made in changes.stories.new:
            assert made.id not in self.stories
            assert made.atom_id not in {story.atom_id for story in self.stories.values()}, "an id is never reused"
            self.stories[made.id] = KnownStory(
                id=made.id,
                atom_id=made.atom_id,
                page_id=made.page_id,
                founder=made.founder,
                created_at=self.now,
                sources=frozenset(),
                publications=(),
            )
        for moved in changes.moved:
            self.entries[moved.id] = replace(self.entries[moved.id], story=moved.story, merged_from=moved.merged_from)
        for new in changes.stories.publications:
            assert (new.story, new.category) not in places
            places[new.story, new.category] = KnownPublication(
                story=new.story,
                category=new.category,
                entered_at=new.entered_at,
                shown=new.shown,
                digest=new.digest,
                updated=new.updated,
                page=None,
                withdrawn_at=None,
            )
        for shown in changes.stories.shown:
            before = places[shown.story, shown.category]
            assert shown.updated >= before.updated, "invariant 3"
            places[shown.story, shown.category] = replace(
                before, shown=shown.shown, digest=shown.digest, updated=shown.updated, withdrawn_at=None
            )
            self.tombstones.discard((shown.story, shown.category))
        for key in changes.stories.withdrawn:
            assert not places[key].withdrawn
            places[key] = replace(places[key], withdrawn_at=self.now)
            self.tombstones |= {key}
        for ruling in changes.stories.rulings:
            assert ruling.entry < ruling.other
            self.verdicts[ruling.entry, ruling.other] = ruling.verdict
        merged, retracted = dict(changes.stories.merged), dict(changes.stories.retracted)
        for number, story in list(self.stories.items()):
            self.stories[number] = replace(
                story,
                publications=tuple(p for (told, _), p in sorted(places.items()) if told == number),
                merged_into=merged.get(number, story.merged_into),
                retracted_at=retracted.get(number, story.retracted_at),
            )

    def standing(self) -> Mapping[tuple[int, int], KnownPublication]:
        """Return the visible publications, and assert that they agree with the entries of their stories."""
        found = {(p.story, p.category): p for s in self.stories.values() for p in s.publications if not p.withdrawn}
        for number, story in self.stories.items():
            seen = () if story.retracted_at else self.members(number)
            tellers = [each for each in seen if each.state is EntryState.PUBLISHED]
            places = {category for each in tellers for category in each.categories}
            assert places == {category for told, category in found if told == number}, "it stands where its entries do"
            for category in places:
                shown = self.entries[found[number, category].shown]
                assert shown.story == number
                assert category in shown.categories, "nothing is shown where its own source is not published"
        return found


entries = st.lists(
    st.tuples(st.integers(1, 4), st.sets(st.integers(1, 3), min_size=1), st.booleans(), st.integers(1, 300)),
    min_size=1,
    max_size=9,
).map(
    lambda drawn: [
        entry(number, story, sorted(places), published=published or number == 1, text=text)
        for number, (story, places, published, text) in enumerate(drawn, 1)
    ]
)
acts = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 90)), max_size=12)


def act(stored: StoredStories, which: int, one: int, other: int) -> None:
    """Carry out one correction of an operator, by number."""
    told, now = stored.told(), stored.now
    if which == 0:
        stored.apply(merge(told, one, other, now=now, roster=ROSTER))
    elif which == 1:
        stored.apply(unmerge(told, one, None, now=now, roster=ROSTER))
    elif which == 2:
        stored.apply(unmerge(told, one, other, now=now, roster=ROSTER))
    elif which == 3:
        stored.apply(retract(told, one, now=now, roster=ROSTER))
    elif which == 4:
        stored.apply(restore(told, one, now=now, roster=ROSTER))
    elif one != other:
        changes = merge_unseen(told, one, other, now=now, roster=ROSTER)
        if changes is not None and not (told.stories[one].retracted_at or told.stories[other].retracted_at):
            stored.apply(changes)


@given(entries=entries, acts=acts)
def test_whatever_is_done_a_story_stands_where_its_entries_do(
    entries: list[KnownEntry], acts: list[tuple[int, int, int, int]]
) -> None:
    stored = StoredStories(entries)
    count = len(stored.entries)
    for which, one, other, minutes in acts:
        stored.now += timedelta(minutes=minutes)
        before = stored.standing()
        try:
            act(stored, which, one, other)
        except CorrectionRefused:
            assert stored.standing() == before
        after = stored.standing()
        assert set(before) - set(after) <= stored.tombstones, "what readers saw and see no more has a tombstone"
        assert not set(after) & stored.tombstones
        assert len(stored.entries) == count
        assert all(each.story is not None for each in stored.entries.values())


@given(entries=entries, one=st.integers(1, 4), other=st.integers(1, 4), minutes=st.integers(0, 200))
def test_an_unmerge_undoes_a_merge(entries: list[KnownEntry], one: int, other: int, minutes: int) -> None:
    stored = StoredStories(entries)
    before, homes = stored.standing(), {each.id: each.story for each in stored.entries.values()}
    stored.now += timedelta(minutes=minutes)
    try:
        stored.apply(merge(stored.told(), one, other, now=stored.now, roster=ROSTER))
    except CorrectionRefused:
        return
    assert not stored.members(other)
    (came,) = {each.id for each in stored.members(one) if each.id == stored.stories[other].founder}
    stored.apply(unmerge(stored.told(), one, came, now=stored.now, roster=ROSTER))
    after = stored.standing()
    assert {each.id: each.story for each in stored.entries.values()} == homes
    assert set(after) == set(before)
    assert all(after[key].entered_at == before[key].entered_at for key in before)
    assert set(stored.verdicts.values()) <= {Verdict.DIFFERENT}


@given(entries=entries, number=st.integers(1, 4), minutes=st.integers(0, 200))
def test_an_undone_retraction_leaves_nothing_but_a_date(entries: list[KnownEntry], number: int, minutes: int) -> None:
    stored = StoredStories(entries)
    before = stored.standing()
    if number not in stored.stories:
        return
    stored.apply(retract(stored.told(), number, now=stored.now, roster=ROSTER))
    assert not any(told == number for told, _ in stored.standing())
    stored.now += timedelta(minutes=minutes)
    stored.apply(restore(stored.told(), number, now=stored.now, roster=ROSTER))
    after = stored.standing()
    assert {key: replace(p, updated=START) for key, p in after.items()} == {
        key: replace(p, updated=START) for key, p in before.items()
    }
    assert all(p.updated >= stored.now for (told, _), p in after.items() if told == number)


def one_story() -> tuple[KnownStory, KnownEntry]:
    """Return a story in category 1 that shows the first of its two entries, and the second."""
    first, second = (entry(number, 1, [1], published=True, text=10) for number in (1, 2))
    stored = StoredStories([first, second])
    return stored.stories[1], second


def test_a_publication_that_is_switched_and_then_withdrawn_is_withdrawn_last() -> None:
    story, second = one_story()
    draft = PublicationDraft(now=START + timedelta(days=1), roster=ROSTER, categories=CATEGORIES)
    draft.settle(story, [second], because="the first is gone")
    draft.settle(story, [], because="both are gone")
    changes = draft.changes()
    assert [item.shown for item in changes.shown] == [second.id]
    assert changes.withdrawn == ((1, 1),)


def test_a_publication_that_is_withdrawn_and_comes_back_is_not_withdrawn() -> None:
    story, second = one_story()
    draft = PublicationDraft(now=START + timedelta(days=1), roster=ROSTER, categories=CATEGORIES)
    draft.settle(story, [], because="both are gone")
    draft.settle(story, [second], because="one is back")
    changes = draft.changes()
    assert [item.shown for item in changes.shown] == [second.id]
    assert changes.withdrawn == ()
