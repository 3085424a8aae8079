"""Known entries whose content changed: what is stored, what is shown, and what a publication becomes (T4, I61, I45)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from aggregator.decide.copies import MAX_UNDATED
from aggregator.decide.draft import Draft
from aggregator.decide.revisions import Revisions, is_changing, is_redated
from aggregator.identify.keys import digest_of
from aggregator.model.changes import RevisedEntry
from aggregator.model.entry import Digest, Entry
from aggregator.model.event import Code
from aggregator.model.known import EntryState, Known, KnownEntry, KnownPublication, KnownStory
from aggregator.model.settings import Detail, Reading, Request
from tests.decide.records import DAY, HOUR, NOON, SOURCE, UUID, categories, draft, entry, known_entry

NEW = Digest("1:new")


def story(*publications: KnownPublication, **fields: Any) -> KnownStory:
    plain = KnownStory(
        id=101,
        atom_id="urn:101",
        page_id="101",
        founder=1,
        created_at=NOON - DAY,
        sources=frozenset({1}),
        publications=publications,
    )
    return replace(plain, **fields)


def publication(**fields: Any) -> KnownPublication:
    plain = KnownPublication(
        story=101,
        category=1,
        entered_at=NOON - DAY,
        shown=1,
        digest=Digest("1:1"),
        updated=NOON - DAY,
        page=None,
        withdrawn_at=None,
    )
    return replace(plain, **fields)


def revised(
    before: KnownEntry, item: Entry, *publications: KnownPublication, template: bool = False, **fields: Any
) -> tuple[RevisedEntry, KnownEntry, Draft]:
    facts = fields.pop("facts", {})
    known = Known(
        store_uuid=UUID,
        categories=categories("x", "y"),
        stories={101: story(*(publications or (publication(),)))},
        **facts,
    )
    work = draft(known, **fields)
    after = Revisions(work).revise(before, item, template=template)
    (found,) = work.revised
    return found, after, work


def said(**fields: Any) -> Entry:
    return replace(entry("k1", title="New", digest=NEW), **fields)


@pytest.mark.parametrize(
    ("before", "item", "changes"),
    [
        pytest.param({}, {}, False, id="same"),
        pytest.param({"published": NOON}, {"published": NOON + HOUR}, False, id="later"),
        pytest.param({"published": NOON}, {"published": NOON - HOUR}, True, id="earlier"),
        pytest.param({}, {"digest": NEW}, True, id="revised"),
        pytest.param({"state": EntryState.WITHDRAWN}, {}, True, id="withdrawn"),
    ],
)
def test_of_what_a_document_may_change_the_texts_are_needed(
    before: dict[str, Any], item: dict[str, Any], changes: bool
) -> None:
    assert is_changing(known_entry(**before), said(**{"digest": Digest("1:1")} | item)) is changes


def test_a_revision_is_stored_and_shown() -> None:
    found, after, work = revised(known_entry(), said())
    assert (found.id, found.digest, found.undated, found.deferred, found.unseen) == (1, NEW, 1, False, False)
    assert (after.title, after.shown_digest, after.content) == ("New", NEW, "<p>c</p>")
    (event,) = work.events
    assert (event.code, event.facts) == (Code.REVISE_ENTRY, {"fields": ["title", "content"], "title": "Title 1"})
    (shown,) = work.publications.shown
    assert (shown.digest, shown.updated) == (NEW, NOON)
    assert work.publications.dirty == {(1, None)}
    same_title = revised(known_entry(), said(title="Title 1"))[2].events[0]
    assert same_title.facts == {"fields": ["content"]}
    nothing = revised(known_entry(content="<p>c</p>"), said(title="Title 1"))[2].events[0]
    assert nothing.facts == {"fields": ["others"]}


@pytest.mark.parametrize(
    ("own", "before", "updated", "undated"),
    [
        (NOON - HOUR, None, NOON - HOUR, 0),
        (NOON - HOUR, NOON - 2 * HOUR, NOON - HOUR, 0),
        (NOON - HOUR, NOON - HOUR, NOON - HOUR, 1),
        (NOON - 3 * DAY, NOON - 4 * DAY, NOON, 0),
        (NOON + HOUR, None, NOON, 0),
        (None, None, NOON, 1),
    ],
)
def test_when_it_was_updated(own: datetime | None, before: datetime | None, updated: datetime, undated: int) -> None:
    found, _, work = revised(known_entry(updated=before), said(updated=own))
    assert (found.undated, work.publications.shown[0].updated) == (undated, updated)


def test_a_source_that_revises_without_end_is_shown_no_more() -> None:
    assert not revised(known_entry(undated=MAX_UNDATED - 1), said())[0].deferred
    found, after, work = revised(known_entry(undated=MAX_UNDATED), said())
    assert (found.deferred, found.undated, after) == (True, MAX_UNDATED + 1, known_entry(undated=MAX_UNDATED))
    assert (work.events[0].code, work.publications.shown) == (Code.HOLD_REVISION, [])
    assert not revised(known_entry(undated=MAX_UNDATED), said(updated=NOON))[0].deferred
    assert not revised(known_entry(undated=MAX_UNDATED), said(), template=True)[0].deferred
    assert revised(known_entry(undated=3), said(), template=True)[0].undated == 3


def test_i61_text_that_is_gone_is_kept() -> None:
    before = known_entry(content="<p>old</p>", summary="s")
    found, after, work = revised(before, said(content="", summary=""))
    assert (found.entry.content, found.entry.summary, found.digest) == ("<p>old</p>", "s", NEW)
    assert found.entry.digest == digest_of(found.entry)
    assert (after.content, work.events[0].code) == ("<p>old</p>", Code.KEEP_CONTENT)
    assert revised(known_entry(content="", summary=""), said(content="", summary=""))[0].entry.content == ""
    assert revised(before, said(content="", summary="new"))[0].entry.content == ""


def test_what_nobody_sees_is_no_revision() -> None:
    item = said(digest=Digest("1:1"))
    found, after, work = revised(known_entry(digest=Digest("1:0")), item)
    assert (found.unseen, found.undated, after.digest) == (True, 0, Digest("1:0"))
    assert (work.events, work.publications.shown) == ([], [])


@pytest.mark.parametrize(
    ("before", "own", "published"),
    [
        (NOON, NOON - HOUR, NOON - HOUR),
        (NOON, NOON + HOUR, NOON),
        (NOON, None, NOON),
        (None, NOON, NOON),
        (None, None, None),
    ],
)
def test_i45_its_date_moves_back_alone(
    before: datetime | None, own: datetime | None, published: datetime | None
) -> None:
    assert revised(known_entry(published=before), said(published=own))[0].published == published
    moved = before is not None and own is not None and own < before
    assert is_redated(known_entry(published=before), said(published=own)) is moved


def test_k2_a_text_that_left_the_store_does_not_come_back() -> None:
    before = known_entry(thinned=True, content="", title="New")
    found, _, work = revised(before, said())
    assert (found.entry.content, found.entry.digest, found.unseen) == ("", before.shown_digest, True)
    assert work.events == []
    titled, _, _ = revised(replace(before, title="Old"), said())
    assert (titled.entry.content, titled.entry.title, titled.unseen) == ("", "New", False)
    assert titled.entry.digest == digest_of(titled.entry)


def test_what_a_detail_gave_stays() -> None:
    detail = replace(SOURCE, detail=Detail(url="x", request=Request(), reading=Reading()))
    before = known_entry(content="<p>from its detail</p>", summary="s")
    found, _, _ = revised(before, said(content="", summary="new"), source=detail)
    assert (found.entry.content, found.entry.summary) == ("<p>from its detail</p>", "new")
    stored = entry(language="de")
    found, _, _ = revised(before, said(content="", summary="new"), source=detail, facts={"completed": {1: stored}})
    assert found.entry.language == "de"
    assert found.entry.digest == digest_of(found.entry)
    plain, _, _ = revised(before, said(content="", summary="new"))
    assert plain.entry.content == ""


def test_an_article_stays_while_the_feed_says_a_part_of_it() -> None:
    article = replace(SOURCE, detail=Detail(url="{link}", request=Request(), reading=Reading(is_article=True)))
    words = " ".join(f"w{a}{b}" for a in "abcdefgh" for b in "abcdefgh")
    before = known_entry(content=f"<p>{words}</p>", shown_digest=Digest("1:article"))
    part = " ".join(words.split()[:20])
    found, _, _ = revised(before, said(content="", summary=part), source=article)
    assert (found.entry.content, found.entry.summary) == (before.content, part)
    other, _, _ = revised(before, said(content="", summary="quite another text"), source=article)
    assert other.entry.content == ""
    listed, _, _ = revised(replace(before, shown_digest=before.digest), said(content="", summary=part), source=article)
    assert listed.entry.content == "", "it never had its article"


def test_where_it_is_shown_or_credited() -> None:
    withdrawn = publication(category=2, withdrawn_at=NOON)
    credited = publication(category=2, shown=9)
    assert revised(known_entry(), said(), publication(), withdrawn)[2].publications.dirty == {(1, None)}
    work = revised(known_entry(), said(), publication(), credited)[2]
    assert [one.category for one in work.publications.shown] == [1]
    assert work.publications.dirty == {(1, None), (2, None)}
    archived = revised(known_entry(), said(), publication(page=3))[2]
    assert archived.publications.dirty == {(1, 3)}
    assert len(archived.publications.unpinned) == 1
    template = revised(known_entry(), said(), publication(page=3), template=True)[2]
    assert (template.publications.dirty, len(template.publications.pins)) == ({(1, None)}, 1)
    assert template.publications.shown[0].updated == NOON - DAY
    assert revised(known_entry(story=None), said())[2].publications.dirty == set()


def test_i42_an_earlier_date_alone() -> None:
    known = Known(
        store_uuid=UUID,
        categories=categories("x"),
        stories={101: story(publication(), publication(category=2, shown=9))},
    )
    work = draft(known)
    before = known_entry(published=NOON, undated=4, content="<p>old</p>")
    Revisions(work).redate(before, said(published=NOON - DAY))
    (found,) = work.revised
    assert (found.published, found.undated, found.digest) == (NOON - DAY, 4, NEW)
    assert (found.entry.title, found.entry.content, found.entry.digest) == (
        "Title 1",
        "<p>old</p>",
        before.shown_digest,
    )
    assert (work.publications.shown, work.publications.dirty) == ([], {(1, None)})
    assert work.events[0].facts == {"fields": ["published"]}
    thin = draft(known)
    Revisions(thin).redate(replace(before, thinned=True, content=""), said(published=NOON - DAY))
    assert thin.revised[0].entry.content == ""
