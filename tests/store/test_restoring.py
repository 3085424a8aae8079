"""Rows that published documents give back to a lost store, and those they add to an older backup."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aggregator.app import App
from aggregator.identify.ids import page_id_of
from aggregator.model.entry import Digest, Entry, EntryKey, Origin
from aggregator.model.known import LOST
from aggregator.model.restored import (
    Restored,
    RestoredCategory,
    RestoredEntry,
    RestoredPublication,
    RestoredTombstone,
)
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.store.database import Store, open_store
from aggregator.store.taking_in import TakenIn
from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.rows import change, rows
from tests.sample_site import START, SampleSite
from tests.stores import url_of

UUID_OF_LOST = UUID("00000000-0000-4000-8000-00000000000a")
NEVER = round(START.timestamp() / 86400, 5)  # days from 1970 to START
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEEDS = """
defaults: {dedupe: off}
sources:
  - {key: a, url: 'https://a.example/', category: [x, y]}
  - {key: b, url: 'https://b.example/', category: x}
"""
A, B, GONE = SourceKey("a"), SourceKey("b"), SourceKey("gone")
X, Y, Z = CategoryKey("x"), CategoryKey("y"), CategoryKey("z")


def a_category(key: CategoryKey, *said: datetime, **fields: Any) -> RestoredCategory:
    """Return a category of a feeds.yaml, whose main document and archive pages have these dates."""
    plain = RestoredCategory(
        key=key,
        slug=f"{key}-slug",
        feed_id=f"urn:feed:{key}",
        created_at=START - 90 * DAY,
        said=said or (START - HOUR,),
        is_listed=True,
    )
    return replace(plain, **fields)


def an_entry(number: int, source: SourceKey, *places: CategoryKey, **fields: Any) -> RestoredEntry:
    """Return an entry that founds the story `urn:NUMBER`, and came as many days before START."""
    text = f"What entry {number} says in more than eight words of its own, so that it has bands."
    plain = RestoredEntry(
        source=source,
        url=Url(f"https://{source}.example/"),
        entry=Entry(key=EntryKey(f"key-{number}"), id=f"key-{number}", title=f"Title {number}", content=text, text=text,
                    digest=Digest(f"1:{number}"), published=START - number * DAY),
        origin=Origin(id=f"urn:{source}", title=f"Feed {source}"),
        story=f"urn:{number}",
        first_seen=START - number * DAY + HOUR,
        categories=places,
    )  # fmt: skip
    return replace(plain, **fields)


def a_publication(number: int, place: CategoryKey, by: SourceKey, **fields: Any) -> RestoredPublication:
    """Return the publication of the entry of the same number."""
    plain = RestoredPublication(
        story=f"urn:{number}",
        category=place,
        shown=(by, f"key-{number}"),
        digest=Digest(f"1:{number}"),
        sort_at=START - number * DAY,
        entered_at=START - number * DAY + 2 * HOUR,
        updated=START - number * DAY + 3 * HOUR,
        page=None,
    )
    return replace(plain, **fields)


def days(when: object) -> float:
    """Return a stored time as days before START; a second is 0.00001."""
    assert isinstance(when, int | float)
    return round((START.timestamp() - when / 1e6) / 86400, 5)


@pytest.fixture
def empty(store_url: str) -> Iterator[Store]:
    """Yield a store without any category or source."""
    store = open_store(store_url, now=START - DAY)
    yield store
    store.close()


def restored(*entries: RestoredEntry, **fields: Any) -> Restored:
    plain = Restored(
        store=UUID_OF_LOST,
        categories=(a_category(X), a_category(Y)),
        entries=entries,
        publications=(),
        tombstones=(),
    )
    return replace(plain, **fields)


# A lost store.


def test_categories_come_back_as_documents_tell_them(empty: Store) -> None:
    listed = a_category(X, START - HOUR, START - 3 * DAY, START - 2 * DAY)
    others = (
        a_category(Y, is_listed=False),
        a_category(Z, is_listed=False, is_unlisted=False),
        a_category(CategoryKey("old"), is_listed=False, is_forgotten=True),
    )
    with empty.begin() as tx:
        assert tx.store_row.is_new()
        tx.restoring.lay_ground(restored(categories=(listed, *others), said=START - 2 * HOUR), START)
    names = "key, slug, feed_id, created_at, active, unlisted, removed_at, title, show, pages, dirty, rendered"
    found = [tuple(row) for row in rows(empty, f"SELECT {names}, dirty_pages FROM category ORDER BY id")]
    ago = 90.0
    assert [(*row[:3], days(row[3]), *row[4:6], row[6] and days(row[6]), *row[7:]) for row in found] == [
        ("x", "x-slug", "urn:feed:x", ago, 1, 0, None, "x", "full", 2, 1, 0, "{}"),
        ("y", "y-slug", "urn:feed:y", ago, 0, 1, 0.0, "y", "full", 0, 1, 0, "{}"),
        ("z", "z-slug", "urn:feed:z", ago, 0, 0, 0.0, "z", "full", 0, 1, 0, "{}"),
        ("old", "old-slug", "urn:feed:old", ago, 0, 1, ago, "old", "full", 0, 1, 0, "{}"),
    ]
    assert rows(empty, "SELECT uuid, adopts FROM store") == [(str(UUID_OF_LOST), 1)]
    documents = rows(empty, "SELECT category_id, page, updated FROM document ORDER BY category_id, page")
    assert [(*row[:2], days(row[2])) for row in documents] == [
        (0, 0, 0.08333), (1, 0, 0.04167), (1, 1, 3.0), (1, 2, 2.0), (2, 0, 0.04167), (3, 0, 0.04167), (4, 0, 0.04167),
    ]  # fmt: skip


def test_a_site_without_categories_or_store_id_leaves_the_store_its_own(empty: Store) -> None:
    [(before,)] = rows(empty, "SELECT uuid FROM store")
    with empty.begin() as tx:
        tx.restoring.lay_ground(restored(store=None, categories=()), START)
    assert rows(empty, "SELECT uuid, adopts FROM store") == [(before, 1)]
    assert rows(empty, "SELECT count(*) FROM document") == [(0,)]


def laid(site: SampleSite, told: Restored, *, detailed: dict[SourceKey, int] | None = None) -> App:
    """Restore into a new store as the command does, and return the open app."""
    settings_store = open_store(url_of(site.folder), now=START)
    with settings_store.begin() as tx:
        tx.restoring.lay_ground(told, START)
    settings_store.close()
    with site.opened("restore") as app:
        with app.store.begin() as tx:
            tx.restoring.fill(told, START, detailed=detailed or {})
        return app


COPY = an_entry(3, B, X, story="urn:1", rank=1, first_seen=START - 9 * DAY)
WHOLE = restored(
    an_entry(2, A, X, Y, CategoryKey("unknown")),
    an_entry(1, A, X, layer=1),
    COPY,
    an_entry(5, GONE, Y, rank=0),
    categories=(a_category(X, START, START), a_category(Y)),
    publications=(
        a_publication(2, X, A),
        a_publication(2, Y, A, thinned=True),
        a_publication(1, X, A, page=1, layer=1),
        a_publication(5, Y, GONE),
    ),
    tombstones=(
        RestoredTombstone(category=Y, ref="urn:1", when=START - 4 * DAY),
        RestoredTombstone(category=X, ref="urn:2", when=START - 4 * DAY),
        RestoredTombstone(category=CategoryKey("unknown"), ref="urn:1", when=START),
        RestoredTombstone(category=X, ref="urn:withdrawn", when=START - 6 * DAY),
        RestoredTombstone(category=Y, ref="urn:withdrawn", when=START - 7 * DAY),
        RestoredTombstone(category=Y, ref="urn:also", when=START - 8 * DAY),
        RestoredTombstone(category=CategoryKey("unknown"), ref="urn:also", when=START),
    ),
)


def entries_of(where: Path) -> list[tuple[Any, ...]]:
    """Return source, key, state, story, categories, whether it has bands, and when it came and joined."""
    query = (
        "SELECT s.key, e.key, e.state, t.atom_id, e.categories, "
        "(SELECT count(*) > 0 FROM fingerprint WHERE entry_id = e.id), e.first_seen, e.joined_at, e.origin "
        "FROM entry e JOIN source s ON s.id = e.source_id LEFT JOIN story t ON t.id = e.story_id ORDER BY e.id"
    )
    return [
        (*row[:4], json.loads(row[4]), *row[5:6], days(row[6]), days(row[7]), json.loads(row[8])["title"])
        for row in rows(where, query)
    ]


def publications_of(where: Path) -> list[tuple[Any, ...]]:
    """Return atom:id, category, key of the shown entry, page and whether it lost its text; then times in days."""
    query = (
        "SELECT t.atom_id, c.key, e.key, p.page, p.thinned_at IS NOT NULL, p.backfill, p.digest, "
        "p.entered_at, p.sort_at, p.updated, p.filed_at, p.withdrawn_at "
        "FROM publication p JOIN story t ON t.id = p.story_id JOIN category c ON c.id = p.category_id "
        "JOIN entry e ON e.id = p.shown_id ORDER BY t.id, c.id"
    )
    return [(*row[:7], *(None if when is None else days(when) for when in row[7:])) for row in rows(where, query)]


def test_entries_stories_and_publications_come_back(site: SampleSite) -> None:
    laid(site, WHOLE)
    second = round(1 / 86400, 5)  # what joins from now on joins later
    assert entries_of(site.folder) == [
        ("a", "key-2", "published", "urn:2", [1, 2], 1, 1.95833, 1.95833, "Feed a"),
        ("a", "key-1", "published", "urn:1", [1], 1, 0.95833, second, "Feed a"),
        ("b", "key-3", "published", "urn:1", [1], 0, 9.0, 9.0, "Feed b"),
        ("gone", "key-5", "published", "urn:5", [2], 1, 4.95833, 4.95833, "Feed gone"),
        (LOST, "urn:withdrawn", "withdrawn", "urn:withdrawn", [], 0, 0.0, 0.0, ""),
        (LOST, "urn:also", "withdrawn", "urn:also", [], 0, 0.0, 0.0, ""),
    ]
    nothing = rows(site.folder, "SELECT digest FROM entry WHERE key = 'urn:also'")[0][0]
    assert publications_of(site.folder) == [
        ("urn:2", "x", "key-2", None, 0, 0, "1:2", 1.91667, 2.0, 1.875, None, None),
        ("urn:2", "y", "key-2", None, 1, 0, "1:2", 1.91667, 2.0, 1.875, None, None),
        ("urn:1", "x", "key-1", 1, 0, 0, "1:1", 0.91667, 1.0, 0.875, second, None),
        ("urn:1", "y", "key-1", None, 0, 0, "1:1", 5.0, 5.0, 5.0, None, 4.0),
        ("urn:5", "y", "key-5", None, 0, 0, "1:5", 4.91667, 5.0, 4.875, None, None),
        ("urn:withdrawn", "x", "urn:withdrawn", None, 0, 0, nothing, 7.0, 7.0, 7.0, None, 6.0),
        ("urn:withdrawn", "y", "urn:withdrawn", None, 0, 0, nothing, 8.0, 8.0, 8.0, None, 7.0),
        ("urn:also", "y", "urn:also", None, 0, 0, nothing, 9.0, 9.0, 9.0, None, 8.0),
    ]
    found = rows(
        site.folder, "SELECT id, atom_id, page_id, founder_id, retracted_at IS NOT NULL FROM story ORDER BY id"
    )
    ids = ("urn:2", "urn:1", "urn:5", "urn:withdrawn", "urn:also")
    expected = [(*pair, page_id_of(pair[1])) for pair in enumerate(ids, start=1)]
    assert [tuple(row[:3]) for row in found] == expected
    assert [tuple(row[3:]) for row in found] == [(1, 0), (2, 0), (4, 0), (5, 1), (6, 1)]
    assert rows(site.folder, "SELECT next_entry, next_story, restored_at IS NOT NULL FROM store") == [(7, 6, 1)]
    assert rows(site.folder, "SELECT dirty - rendered, rendered_at IS NOT NULL FROM category WHERE pages = 1") == [
        (0, 1)
    ]


def test_a_source_goes_on_as_if_it_had_been_polled(site: SampleSite) -> None:
    laid(site, WHOLE)
    query = "SELECT key, active, entries, first_stored_at, listed, arrivals, feed, observations FROM source ORDER BY id"
    told = ("title", "restored_until")
    found = [
        (*row[:6], *(text and json.loads(text).get(name) for text, name in zip(row[6:], told, strict=True)))
        for row in rows(site.folder, query)
    ]
    until = {row[0]: row[7] for row in found}
    arrived = {n: int((START - n * DAY + HOUR).timestamp()) for n in range(9)}
    nine = int((START - 9 * DAY).timestamp())
    assert [(*row[:3], row[3] and days(row[3]), *(row[n] and json.loads(row[n]) for n in (4, 5)), row[6])
            for row in found] == [
        ("a", 1, 2, 1.95833, [2, 1], [arrived[2], arrived[1]], "Feed a"),
        ("b", 1, 1, 9.0, [3], [nine], "Feed b"),
        ("gone", 0, 1, 4.95833, [4], [arrived[5]], "Feed gone"),
        (LOST, 0, 2, None, None, None, None),
    ]  # fmt: skip
    assert until[LOST] is None
    assert [days(until[key] * 1e6) for key in "ab"] == [1.0, 3.0]
    resting = "url, url_in_use, paused, own_machine, private, noindex, priority, polls, failures, interval, state"
    assert rows(site.folder, f"SELECT {resting} FROM source WHERE key IN ('gone', '-lost') ORDER BY id") == [
        ("https://gone.example/", "https://gone.example/", 0, 0, 0, 0, 0, 0, 0, 0, "never"),
        ("about:blank", "about:blank", 0, 0, 0, 0, 0, 0, 0, 0, "never"),
    ]


@pytest.mark.parametrize(
    ("initial", "until"),
    [
        pytest.param(None, 1.0, id="no-details"),
        pytest.param(3, 2.0, id="fewer-than-initial: a day of waiting"),
        pytest.param(2, 1.5, id="as-many: not before the oldest"),
        pytest.param(1, 1.5, id="more"),
    ],
)
def test_entries_that_waited_for_a_detail_may_still_come(site: SampleSite, initial: int | None, until: float) -> None:
    one, older = an_entry(1, A, X), an_entry(2, A, X)
    older = replace(older, entry=replace(older.entry, published=None, updated=START - 1.5 * DAY))
    laid(site, restored(one, older), detailed={} if initial is None else {A: initial})
    assert restored_until(site, "a") == until


def test_a_source_of_undated_entries_was_restored_at_no_date(site: SampleSite) -> None:
    undated = an_entry(1, A, X)
    undated = replace(undated, entry=replace(undated.entry, published=None), first_seen=START + DAY)
    laid(site, restored(undated), detailed={A: 5})
    assert restored_until(site, "a") == NEVER
    found = rows(site.folder, "SELECT first_stored_at, arrivals FROM source WHERE key = 'a'")[0]
    assert (days(found[0]), json.loads(found[1])) == (0.0, [int(START.timestamp())]), "nothing came after now"


def restored_until(site: SampleSite, key: str) -> float | None:
    """Return the date of the newest restored entry of a source, in days before START."""
    [(observed,)] = rows(site.folder, "SELECT observations FROM source WHERE key = :key", key=key)
    seconds = json.loads(observed).get("restored_until") if observed else None
    return None if seconds is None else days(seconds * 1e6)


def test_a_category_that_items_named_belongs_to_their_source(site: SampleSite) -> None:
    places = (
        a_category(X),
        a_category(Y, is_listed=False, namer=A),
        a_category(Z, is_listed=False, namer=GONE),
    )
    laid(site, restored(an_entry(1, A, X), categories=places))
    query = "SELECT key, source_id, active, unlisted, removed_at IS NULL FROM category ORDER BY id"
    assert rows(site.folder, query)[1:] == [("y", 1, 1, 0, 1), ("z", None, 0, 1, 0)]


def test_only_a_store_without_entries_and_outputs_is_new(site: SampleSite) -> None:
    with site.opened() as app:
        with app.store.read() as tx:
            assert (tx.store_row.is_new(), tx.restoring.is_filled()) == (True, False)
        FakeSource(app).says("a", said(1))
        with app.store.read() as tx:
            assert (tx.store_row.is_new(), tx.restoring.is_filled()) == (False, True)
    change(site.folder, "UPDATE store SET folder = 'public'")
    change(site.folder, "DELETE FROM publication")
    with site.opened("status") as app, app.store.read() as tx:
        assert not tx.store_row.is_new()


# A backup that is older than the outputs.


@pytest.fixture
def backup(site: SampleSite) -> App:
    """Return an app whose store has the stories 1 and 2, as a backup has them."""
    return laid(
        site,
        restored(
            an_entry(2, A, X, Y),
            an_entry(1, A, X),
            publications=(a_publication(2, X, A), a_publication(2, Y, A), a_publication(1, X, A)),
        ),
    )


def taken_in(site: SampleSite, told: Restored) -> TakenIn:
    with site.opened("restore") as app, app.store.begin() as tx:
        return tx.taking_in.take_in(told, START)


FIRST = (an_entry(2, A, X, Y), an_entry(1, A, X))
STOOD = (a_publication(2, X, A), a_publication(2, Y, A), a_publication(1, X, A))


def later(*entries: RestoredEntry, publications: tuple[RestoredPublication, ...] = STOOD, **fields: Any) -> Restored:
    """Return outputs of after the backup: what it had, and more."""
    return restored(*FIRST, *entries, publications=publications, **fields)


def test_outputs_of_the_same_time_or_of_another_store_add_nothing(site: SampleSite, backup: App) -> None:
    before = entries_of(site.folder), publications_of(site.folder), rows(site.folder, "SELECT * FROM source")
    assert taken_in(site, later()) == TakenIn(stories=0, pages=0, revised=0, withdrawn=0)
    new = later(an_entry(4, A, X), publications=(*STOOD, a_publication(4, X, A)))
    for other in (None, UUID("00000000-0000-4000-8000-00000000000b")):
        assert taken_in(site, replace(new, store=other)) == TakenIn()
    assert (entries_of(site.folder), publications_of(site.folder)) == before[:2]


def test_stories_of_after_the_backup_are_added_with_their_places_and_ranks(site: SampleSite, backup: App) -> None:
    told = later(
        an_entry(4, A, X, Y, layer=1, rank=1),
        an_entry(3, B, X, story="urn:4", rank=0),
        an_entry(6, GONE, Y),
        publications=(
            *STOOD,
            a_publication(4, X, A, page=1, layer=1, thinned=True),
            a_publication(6, Y, GONE),
            a_publication(6, CategoryKey("unknown"), GONE),
        ),
        categories=(a_category(X, START, START, START), a_category(Y), a_category(Z, START, START, is_listed=False)),
    )
    assert taken_in(site, told) == TakenIn(stories=2, pages=3, revised=0, withdrawn=0)
    second = round(1 / 86400, 5)
    assert entries_of(site.folder)[2:] == [
        ("b", "key-3", "published", "urn:4", [1], 0, 2.95833, 2.95833, "Feed b"),
        ("a", "key-4", "published", "urn:4", [1, 2], 1, 3.95833, second, "Feed a"),
        ("gone", "key-6", "published", "urn:6", [2], 1, 5.95833, 5.95833, "Feed gone"),
    ]
    assert publications_of(site.folder)[3:] == [
        ("urn:4", "x", "key-4", 1, 1, 0, "1:4", 3.91667, 4.0, 3.875, second, None),
        ("urn:6", "y", "key-6", None, 0, 0, "1:6", 5.91667, 6.0, 5.875, None, None),
    ]
    assert rows(site.folder, "SELECT id, atom_id, founder_id, page_id FROM story WHERE id > 2 ORDER BY id") == [
        (3, "urn:4", 4, page_id_of("urn:4")), (4, "urn:6", 5, page_id_of("urn:6")),
    ]  # fmt: skip
    assert rows(site.folder, "SELECT next_entry, next_story FROM store") == [(6, 5)]
    assert rows(site.folder, "SELECT id, key, active, pages FROM category ORDER BY id") == [
        (1, "x", 1, 2), (2, "y", 1, 0), (3, "z", 0, 1),
    ]  # fmt: skip
    found = rows(site.folder, "SELECT key, entries, first_stored_at FROM source ORDER BY id")
    assert [(row[0], row[1], days(row[2])) for row in found] == [
        ("a", 3, 1.95833), ("b", 1, 2.95833), ("gone", 1, 5.95833),
    ]  # fmt: skip
    assert taken_in(site, told) == TakenIn(), "a second time, nothing is new"


def test_a_revision_of_after_the_backup_is_taken_in_and_an_older_one_is_not(site: SampleSite, backup: App) -> None:
    one = an_entry(1, A, X)
    revised = replace(one, entry=replace(one.entry, title="Revised", digest=Digest("1:new")))
    first = STOOD[2]

    def told(updated: datetime, digest: str) -> Restored:
        shown = replace(first, updated=updated, digest=Digest(digest))
        return restored(FIRST[0], revised, publications=(*STOOD[:2], shown))

    assert taken_in(site, told(first.updated - timedelta(seconds=1), "1:new")) == TakenIn()
    assert taken_in(site, told(first.updated, "1:new")) == TakenIn(revised=1)
    assert rows(site.folder, "SELECT title, digest FROM entry WHERE key = 'key-1'") == [("Revised", "1:new")]
    assert publications_of(site.folder)[2][6:10] == ("1:new", 0.91667, 1.0, 0.875)
    assert taken_in(site, told(first.updated + HOUR, "1:new")) == TakenIn(), "only the date is later"
    assert publications_of(site.folder)[2][9] == 0.83333


def test_pages_that_were_closed_after_the_backup_hold_their_stories(site: SampleSite, backup: App) -> None:
    shown = replace(STOOD[2], page=1, layer=2)
    assert taken_in(site, later(publications=(*STOOD[:2], shown))).stories == 0
    change(site.folder, "UPDATE publication SET backfill = TRUE WHERE page IS NULL")
    assert [row[3] for row in publications_of(site.folder)] == [None, None, 1]
    assert publications_of(site.folder)[2][10] == round(1 / 86400, 5)
    assert taken_in(site, later(publications=(replace(STOOD[0], page=1, layer=1), STOOD[1], shown))) == TakenIn()
    assert [(row[3], row[5]) for row in publications_of(site.folder)] == [(1, 0), (None, 1), (1, 0)]


def test_what_was_withdrawn_after_the_backup_is(site: SampleSite, backup: App) -> None:
    """A story that stands nowhere any more is retracted, or the next poll would publish it."""
    tombstones = (
        RestoredTombstone(category=X, ref="urn:1", when=START - HOUR),
        RestoredTombstone(category=Y, ref="urn:2", when=START - 2 * HOUR),
        RestoredTombstone(category=X, ref="urn:2", when=START - HOUR),
    )
    told = later(publications=STOOD[:1], tombstones=tombstones)
    assert taken_in(site, told) == TakenIn(withdrawn=2)
    assert [(*row[:2], row[11]) for row in publications_of(site.folder)] == [
        ("urn:2", "x", None), ("urn:2", "y", 0.08333), ("urn:1", "x", 0.04167),
    ]  # fmt: skip
    found = rows(site.folder, "SELECT atom_id, retracted_at FROM story ORDER BY id")
    assert [(row[0], row[1] and days(row[1])) for row in found] == [("urn:2", None), ("urn:1", 0.04167)]
    assert taken_in(site, told) == TakenIn()


@pytest.mark.parametrize(("seconds", "withdrawn"), [(-1, 0), (0, 1)])
def test_a_tombstone_of_before_the_last_date_is_older(
    site: SampleSite, backup: App, seconds: int, withdrawn: int
) -> None:
    when = STOOD[2].updated + timedelta(seconds=seconds)
    tombstones = (RestoredTombstone(category=X, ref="urn:1", when=when),)
    assert taken_in(site, later(publications=STOOD[:2], tombstones=tombstones)) == TakenIn(withdrawn=withdrawn)


def test_what_stands_again_after_the_backup_does(site: SampleSite, backup: App) -> None:
    change(site.folder, "UPDATE publication SET withdrawn_at = updated WHERE story_id = 2")
    change(site.folder, "UPDATE story SET retracted_at = 1 WHERE id = 2")
    assert taken_in(site, later()) == TakenIn()
    assert publications_of(site.folder)[2][11] is not None, "its date is not after the withdrawal"
    again = replace(STOOD[2], updated=STOOD[2].updated + timedelta(seconds=1))
    assert taken_in(site, later(publications=(*STOOD[:2], again))) == TakenIn()
    assert publications_of(site.folder)[2][11] is None
    assert rows(site.folder, "SELECT retracted_at FROM story WHERE id = 2") == [(None,)]


def test_withdrawn_stories_that_the_backup_never_had_keep_their_ids_from_use(site: SampleSite, backup: App) -> None:
    tombstones = (RestoredTombstone(category=X, ref="urn:9", when=START - HOUR),)
    assert taken_in(site, later(tombstones=tombstones)) == TakenIn()
    assert entries_of(site.folder)[2] == (LOST, "urn:9", "withdrawn", "urn:9", [], 0, 0.0, 0.0, "")
    assert [row[0] for row in publications_of(site.folder)][3:] == ["urn:9"]
    assert rows(site.folder, "SELECT id, founder_id, retracted_at IS NOT NULL FROM story WHERE id > 2") == [(3, 3, 1)]
    assert [restored_until(site, key) for key in "ab"] == [1.0, NEVER], "the next poll of each compares"


def test_entries_of_a_merged_story_and_withdrawn_ones_do_not_come_back(site: SampleSite, backup: App) -> None:
    change(site.folder, "UPDATE story SET merged_into = 1 WHERE id = 2")
    late = an_entry(8, A, X, story="urn:1")
    assert taken_in(site, later(late)) == TakenIn()
    assert [row[1] for row in entries_of(site.folder)] == ["key-2", "key-1"]
    change(site.folder, "UPDATE story SET merged_into = NULL")
    change(site.folder, "UPDATE entry SET state = 'withdrawn' WHERE key = 'key-1'")
    shown = replace(STOOD[2], updated=START, digest=Digest("1:other"))
    assert taken_in(site, later(publications=(*STOOD[:2], shown))) == TakenIn()
    assert publications_of(site.folder)[2][6] == "1:1"


def test_an_entry_that_was_held_at_the_backup_is_released(site: SampleSite, backup: App) -> None:
    change(site.folder, "UPDATE entry SET story_id = NULL, state = 'held', joined_at = NULL WHERE key = 'key-1'")
    change(site.folder, "DELETE FROM publication WHERE story_id = 2")
    change(site.folder, "DELETE FROM story WHERE id = 2")
    change(site.folder, "DELETE FROM fingerprint WHERE entry_id = 2")
    one = an_entry(1, A, X)
    told = restored(FIRST[0], replace(one, entry=replace(one.entry, title="Whole now")), publications=STOOD)
    assert taken_in(site, told) == TakenIn(stories=1)
    [found] = [row for row in entries_of(site.folder) if row[1] == "key-1"]
    assert found[:6] == ("a", "key-1", "published", "urn:1", [1], 1)
    assert found[6:8] == (0.95833, 0.95833)
    assert rows(site.folder, "SELECT title FROM entry WHERE key = 'key-1'") == [("Whole now",)]
    assert rows(site.folder, "SELECT entries FROM source WHERE key = 'a'") == [(2,)]
