"""Entries that are seen for the first time: stored, published, held, waiting, joining a story."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from aggregator.decide.draft import Draft
from aggregator.decide.limits import Newcomer
from aggregator.decide.new_entries import NewEntries
from aggregator.identify.ids import minted_id
from aggregator.model.alarm import FLOOD, FLOOD_SHOWN
from aggregator.model.entry import Digest, Entry
from aggregator.model.event import Code
from aggregator.model.known import EntryState, Known, KnownCategory, KnownEntry, KnownPublication, KnownStory
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.settings import CategoryKey, Dedupe, Detail, Reading, Request, Rule, SourceKey
from aggregator.urls import Url
from tests.decide.records import DAY, HOUR, MINUTE, NOON, SOURCE, UUID, categories, draft, entry, known_entry, roster

TEXT = "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs, says the mayor."


def known(**fields: Any) -> Known:
    plain: dict[str, Any] = {"store_uuid": UUID, "next_entry": 50, "next_story": 60, "categories": categories("x", "y")}
    return Known(**(plain | fields))


def newcomer(number: int, *, at: datetime = NOON, item: Entry | None = None, **fields: Any) -> Newcomer:
    return replace(Newcomer(item or entry(f"k{number}", title=f"T{number}"), f"f{number}", at), **fields)


def added(*news: Newcomer, hold: str = "", links: tuple[str, ...] = (), **fields: Any) -> Draft:
    work = draft(fields.pop("known", known()), **fields)
    NewEntries(work, links).add(news, hold=hold)
    return work


def states(work: Draft) -> list[tuple[int, EntryState]]:
    return [(one.id, one.state) for one in work.new]


def codes(work: Draft) -> list[Code]:
    return [event.code for event in work.events]


def test_a_new_entry_founds_a_story() -> None:
    work = added(newcomer(1), newcomer(2, at=NOON - HOUR))
    assert states(work) == [(50, EntryState.PUBLISHED), (51, EntryState.PUBLISHED)]
    assert [(one.story, one.categories, one.form) for one in work.new] == [(60, (1,), "f1"), (61, (1,), "f2")]
    assert [(one.id, one.founder) for one in work.stories] == [(60, 50), (61, 51)]
    assert work.stories[0].atom_id == minted_id(UUID, "news", "k1")
    entered = work.publications.entered
    assert [(one.story, one.category, one.shown, one.backfill) for one in entered] == [
        (60, 1, 50, False),
        (61, 1, 51, False),
    ]
    assert entered[0].sort_at == NOON > entered[1].sort_at
    assert codes(work) == [Code.MAKE_STORY, Code.MAKE_STORY]
    assert work.events[0].facts == {"categories": [1], "backfill": False}


def test_its_own_id_is_the_atom_id_unless_it_is_taken_or_its_source_is_private() -> None:
    own = entry("k1", id="tag:news.example,2026:1")
    assert added(newcomer(1, item=own)).stories[0].atom_id == own.id
    minted = minted_id(UUID, "news", "k1")
    taken = added(newcomer(1, item=own), known=known(taken=frozenset({own.id})))
    assert (taken.stories[0].atom_id, codes(taken)) == (minted, [Code.MINT_ID, Code.MAKE_STORY])
    assert taken.events[0].facts == {"taken": own.id}
    both = added(newcomer(1, item=own), known=known(taken=frozenset({own.id, minted})))
    assert both.stories[0].atom_id == minted_id(UUID, "news", "k1\0" + "50")
    private = added(newcomer(1, item=own), source=replace(SOURCE, private=True))
    assert (private.stories[0].atom_id, codes(private)) == (minted, [Code.MAKE_STORY])
    twice = added(newcomer(1, item=own), newcomer(2, item=replace(own, key=own.key)))
    assert twice.stories[0].atom_id != twice.stories[1].atom_id
    assert added(newcomer(1, item=entry("k1", id="no iri"))).stories[0].atom_id == minted


def test_an_entry_that_a_rule_rejects() -> None:
    no = replace(SOURCE, exclude=(Rule(patterns=(("title", "T1"),)),))
    work = added(newcomer(1), newcomer(2), source=no)
    assert states(work) == [(50, EntryState.REJECTED), (51, EntryState.PUBLISHED)]
    assert work.events[0].facts == {"rule": "exclude title: T1"}
    assert [hit.rule for hit in work.hits] == ["exclude title: T1"]


@pytest.mark.parametrize(("hold", "facts"), [("suspect", {}), ("no title", {"because": "no title"})])
def test_entries_that_are_held(hold: str, facts: dict[str, object]) -> None:
    work = added(newcomer(1), hold=hold)
    assert (states(work), codes(work)) == ([(50, EntryState.HELD)], [Code.HOLD_ENTRY])
    assert work.events[0].facts == facts
    assert work.stories == []


def test_a_first_poll_publishes_so_many_at_their_own_dates() -> None:
    few = replace(SOURCE, initial=2)
    news = [newcomer(n, at=NOON - n * DAY) for n in range(3)]
    work = added(*news, source=few, stored_before=False)
    assert sorted(states(work)) == [(50, EntryState.PUBLISHED), (51, EntryState.PUBLISHED), (52, EntryState.KNOWN)]
    assert [(one.sort_at, one.backfill) for one in work.publications.entered] == [(NOON, True), (NOON - DAY, True)]
    assert codes(work)[0] is Code.KEEP_KNOWN
    later = added(*news, source=few)
    assert [state for _, state in states(later)] == [EntryState.PUBLISHED] * 3


@pytest.mark.parametrize(("count", "as_new"), [(FLOOD, FLOOD), (FLOOD + 1, FLOOD_SHOWN)])
def test_r47_of_a_flood_the_newest_are_news(count: int, as_new: int) -> None:
    work = added(*(newcomer(n, at=NOON - n * MINUTE) for n in range(count)))
    assert sum(not one.backfill for one in work.publications.entered) == as_new
    assert len(work.publications.entered) == count


def test_a_stored_entry_is_released() -> None:
    work = added(newcomer(1, id=7, because="by edited rules"), newcomer(2, id=8))
    assert [(one.id, one.state, one.story) for one in work.released] == [
        (7, EntryState.PUBLISHED, 60),
        (8, EntryState.PUBLISHED, 61),
    ]
    assert work.new == []
    assert work.events[0].code is Code.RELEASE_ENTRY
    assert [event.facts for event in work.events[:2]] == [{"because": "by edited rules"}, {}]


@pytest.mark.parametrize(
    ("item", "buried", "is_known"),
    [
        (entry(published=NOON - DAY), frozenset(), True),
        (entry(updated=NOON - DAY), frozenset(), True),
        (entry(published=NOON - DAY + MINUTE), frozenset(), False),
        (entry(), frozenset(), False),
        (entry(id="urn:1"), frozenset({"urn:1"}), True),
        (entry(), frozenset({minted_id(UUID, "news", "k")}), True),
        (entry(id="urn:2"), frozenset({"urn:1"}), False),
    ],
)
def test_an_entry_from_before_the_store_was_lost(item: Entry, buried: frozenset[str], is_known: bool) -> None:
    restored = replace(NOTHING_OBSERVED, restored_until=NOON - DAY)
    work = added(newcomer(1, item=item), known=known(buried=buried), observed=restored)
    assert (work.new[0].state is EntryState.KNOWN) is is_known
    assert added(newcomer(1, item=item), known=known(buried=buried)).new[0].state is EntryState.PUBLISHED


def test_an_entry_that_waits_for_its_article() -> None:
    detail = Detail(url="{link}", request=Request(), reading=Reading(is_article=True))
    link = Url("https://news.example/1")
    with_link = newcomer(1, at=NOON - HOUR, item=entry("k1", link=link))
    work = added(
        with_link, newcomer(2), newcomer(3, item=entry("k3", link=link)), source=replace(SOURCE, detail=detail)
    )
    assert states(work) == [(50, EntryState.WAITING), (51, EntryState.PUBLISHED), (52, EntryState.WAITING)]
    first, second = work.waiting
    assert (first.id, first.asked, first.host_key, first.backfill) == (50, (("link", link),), "news.example", False)
    assert (first.due_at, second.due_at) == (NOON, NOON - MINUTE / 60_000_000)
    assert codes(work).count(Code.AWAIT_DETAIL) == 2


# Copies of a story that is there.


def other(**fields: Any) -> KnownEntry:
    plain = known_entry(1, source=2, source_key=SourceKey("other"), text_digest="1:t", content=TEXT, story=101)
    return replace(plain, **fields)


def told(founder: KnownEntry, number: int = 101, **fields: Any) -> KnownStory:
    publication = KnownPublication(
        story=number,
        category=2,
        entered_at=NOON - MINUTE,
        shown=founder.id,
        digest=founder.digest,
        updated=NOON - MINUTE,
        page=None,
        withdrawn_at=None,
    )
    plain = KnownStory(
        id=number,
        atom_id=f"urn:{number}",
        page_id=f"{number:016x}",
        founder=founder.id,
        created_at=NOON - HOUR,
        sources=frozenset({founder.source}),
        publications=(publication,),
    )
    return replace(plain, **fields)


def met(*pairs: tuple[KnownEntry, KnownStory], item: Entry | None = None, **fields: Any) -> Draft:
    facts: dict[str, Any] = {
        "others": {one.id: one for one, _ in pairs},
        "stories": {story.id: story for _, story in pairs},
    }
    facts |= fields.pop("facts", {})
    copy = item or entry("k1", content=TEXT, text=TEXT, text_digest=Digest("1:t"))
    sources = roster(SOURCE, replace(SOURCE, key=SourceKey("other")), replace(SOURCE, key=SourceKey("third")))
    return added(newcomer(1, item=copy), known=known(**facts), roster=sources, **fields)


def test_a_copy_joins_the_story_and_its_own_category() -> None:
    work = met((other(), told(other())))
    assert [(one.id, one.story, one.categories) for one in work.new] == [(50, 101, (1,))]
    assert work.stories == []
    assert [(one.story, one.category, one.shown) for one in work.publications.entered] == [(101, 1, 50)]
    assert work.publications.dirty == {(1, None), (2, None)}
    join, publish = work.events
    assert (join.code, join.entry, join.story) == (Code.JOIN_STORY, 50, 101)
    assert join.facts == {
        "evidence": "same title and text",
        "similarity": 1.0,
        "because": "",
        "with_entry": 1,
        "others": [],
    }
    assert publish.code is Code.PUBLISH_STORY


def test_a_retracted_story_is_joined_and_stays_unseen() -> None:
    work = met((other(), told(other(), retracted_at=NOON)))
    assert (work.new[0].story, work.publications.entered, codes(work)) == (101, [], [Code.JOIN_STORY])


def test_a_source_without_dedupe_joins_nothing() -> None:
    assert met((other(), told(other())), source=replace(SOURCE, dedupe=Dedupe.OFF)).new[0].story == 60


def test_a_story_is_joined_once_by_one_document() -> None:
    facts = {"others": {1: other()}, "stories": {101: told(other())}}
    copies = [newcomer(n, item=entry(f"k{n}", content=TEXT, text=TEXT, text_digest=Digest("1:t"))) for n in (1, 2)]
    sources = roster(SOURCE, replace(SOURCE, key=SourceKey("other")))
    work = added(*copies, known=known(**facts), roster=sources)
    assert [one.story for one in work.new] == [101, 60]


@pytest.mark.parametrize(
    ("links", "bearers", "joins"),
    [(1, {}, True), (2, {}, False), (1, {1: 1}, False), (0, {1: 1}, True), (1, {7: 3}, True)],
)
def test_a_link_that_its_source_uses_more_than_once_is_no_evidence(
    links: int, bearers: dict[int, int], joins: bool
) -> None:
    link = "news.example/lamp"
    there = other(text_digest=None, match_link=link, title="T")
    item = entry("k1", content=TEXT, text=TEXT, link=Url(f"https://{link}"))
    facts = {"bearers": {link: {2: 1} | bearers}}
    work = met((there, told(there)), item=item, facts=facts, links=(link,) * links)
    assert (work.new[0].story == 101) is joins


def two(**second: Any) -> tuple[tuple[KnownEntry, KnownStory], tuple[KnownEntry, KnownStory]]:
    one, third = other(), replace(other(), id=2, source=3, source_key=SourceKey("third"), story=102)
    return (one, told(one)), (third, told(third, 102, **second))


def test_t6_two_stories_that_one_entry_tells_may_be_merged_while_one_is_unseen() -> None:
    work = met(*two())
    assert work.merge_candidates == [(101, 102)]
    assert work.events[0].facts["others"] == [102]
    seen = {
        "x": KnownCategory(id=1, key=CategoryKey("x"), slug="x"),
        "y": KnownCategory(id=2, key=CategoryKey("y"), slug="y", offered_at=NOON),
    }
    facts = {"categories": {CategoryKey(key): one for key, one in seen.items()}}
    assert met(*two(), facts=facts).merge_candidates == []
    assert met(*two(), facts={"offered_at": NOON}).merge_candidates == []
    assert met(*two(), facts={"offered_at": NOON - HOUR}).merge_candidates == [(101, 102)]
    assert met(*two(), facts={"offered_at": NOON - MINUTE}).merge_candidates == []


def test_t6_the_older_story_goes_if_it_alone_is_unseen() -> None:
    late = two()[1][1].publications[0]
    assert met(*two(publications=(replace(late, page=1),))).merge_candidates == [(102, 101)]
    assert met(*two(sources=frozenset({2}))).merge_candidates == []
    assert met(*two(retracted_at=NOON)).merge_candidates == []
