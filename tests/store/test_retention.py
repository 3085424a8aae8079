"""What `keep` takes out of store, archive and pages, and what never goes (DESIGN 4.4, K1 to K4; R63)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aggregator.app import App
from aggregator.model.known import EntryState
from aggregator.search import open_index
from aggregator.search.query import parse_query
from aggregator.service.service import Service
from aggregator.store import retention
from aggregator.store.schema import body, entry, publication, revision, source
from tests.desk import FakeSource, said
from tests.newsroom import ATOM, SampleSite, item, rss
from tests.publisher import Publisher, Reply

PUBLISH = "publish: {entries: 10, archive_page: 10, formats: [atom]}\n"
YAML = PUBLISH + "sources: [{key: a, url: 'https://a.example/', category: x, keep: 30d}]\n"
PAGE = "category/x/archive/1"


@pytest.fixture
def room(tmp_path: Path) -> SampleSite:
    room = SampleSite(tmp_path)
    room.writes(YAML)
    return room


@pytest.fixture
def app(room: SampleSite) -> Iterator[App]:
    with room.opened() as app:
        yield app


def fill(room: SampleSite, app: App) -> None:
    """Let a source have twenty entries, of which the first ten are filed on page 1."""
    desk = FakeSource(app)
    for numbers in (range(10, 0, -1), range(20, 10, -1)):
        desk.says("a", *(said(f"a{number}") for number in numbers))
        app.publish()
        room.clock.move(days=1)
    app.publish()
    desk.says("a", said("a20"))


def file_pages(room: SampleSite, app: App, pages: int) -> None:
    """Fill so many archive pages, each a day after the other, and the main document."""
    for number in range(pages + 1):
        FakeSource(app).says("a", *(said(f"{number}-{place}") for place in range(10)))
        app.publish()
        room.clock.move(days=1)
    app.publish()
    FakeSource(app).says("a", said("0-0"))  # a known one: what it lists is no reason to wait
    FakeSource(app).says("a", said(f"{pages}-0"))


def later(room: SampleSite, app: App, **by: float) -> int:
    """Do what a run does at its end, some time later; give how many entries lost their texts."""
    room.clock.move(**by)
    thinned = app.upkeep.thin()
    app.publish()
    return thinned


def rows(app: App, *columns: str) -> dict[str, Any]:
    """Give what the store has of entries, by their keys."""
    with app.store._engine.connect() as connection:
        found = connection.execute(select(entry.c.key, *(entry.c[name] for name in columns))).all()
    return {row.key: row[1] if len(columns) == 1 else tuple(row[1:]) for row in found}


def with_text(app: App) -> set[str]:
    return {key for key, content in rows(app, "content").items() if content}


def test_k3_a_page_is_thinned_whole_and_once(room: SampleSite) -> None:
    room.writes(YAML.replace("[atom]", "[atom, json, html]"))
    with room.opened() as app:
        _see_it_thinned(room, app)


def _see_it_thinned(room: SampleSite, app: App) -> None:
    fill(room, app)
    before = {path: room.published(f"{PAGE}.{path}") for path in ("atom", "json", "html")}
    main = room.published("category/x.atom")
    assert later(room, app, days=27) == 0, "its newest entry is not old enough"
    assert {path: room.published(f"{PAGE}.{path}") for path in before} == before
    assert later(room, app, days=4) == 10
    after = {path: room.published(f"{PAGE}.{path}") for path in before}
    for path, data in after.items():
        assert (before[path].count(b"at some length") > 0, data.count(b"at some length")) == (True, 0), path
    assert room.published("category/x.atom") == main, "what stands there is never thinned"
    stories = [p.read_text(encoding="utf-8") for p in (room.folder / "public/entry").glob("*/*.html")]
    assert (len(stories), sum("at some length" in story for story in stories)) == (20, 10), "their pages follow"
    assert with_text(app) == {f"item-a{number}" for number in range(11, 21)}
    old, new = (json.loads(some["json"])["items"] for some in (before, after))
    dull = {"content_html", "content_text", "summary"}
    assert [{k: v for k, v in one.items() if k not in dull} for one in old] == [
        {k: v for k, v in one.items() if k not in dull} for one in new
    ], "title, link, dates, ids and credits stay"
    assert later(room, app, days=100) == 0, "the others stand in the main document"
    assert {path: room.published(f"{PAGE}.{path}") for path in after} == after
    assert room.published("category/x.atom") == main


def test_k1_everything_else_stays(room: SampleSite, app: App) -> None:
    fill(room, app)
    kept = [c.name for c in entry.c if c.name not in ("content", "summary", "thinned", "unpublished", "original")]
    before = rows(app, *kept)
    later(room, app, days=30)
    assert rows(app, *kept) == before


def test_k2_a_text_that_its_source_still_lists_has_its_page_wait(room: SampleSite, app: App) -> None:
    fill(room, app)
    FakeSource(app).says("a", said("a20"), said("a3"))
    assert later(room, app, days=40) == 0
    FakeSource(app).says("a", said("a20"))
    assert later(room, app, days=2) == 10


def test_k2_a_source_that_left_lists_nothing_and_its_last_word_holds(room: SampleSite) -> None:
    with room.opened() as app:
        fill(room, app)
        FakeSource(app).says("a", said("a20"), said("a3"))
    room.writes(PUBLISH + "sources: [{key: b, url: 'https://b.example/', category: x}]\n")
    with room.opened() as app:
        assert later(room, app, days=40) == 10


def test_r63_what_comes_back_is_neither_new_nor_revised(room: SampleSite, app: App) -> None:
    fill(room, app)
    later(room, app, days=30)
    page = room.published(f"{PAGE}.atom")
    changes = FakeSource(app).says("a", said("a20"), said("a3")).entries
    assert (changes.new, changes.revised, changes.revisions) == ((), (), 0)
    app.publish()
    assert room.published(f"{PAGE}.atom") == page


def test_k2_a_text_that_is_gone_does_not_come_back_with_a_revision(room: SampleSite, app: App) -> None:
    fill(room, app)
    later(room, app, days=30)
    page, desk = room.published(f"{PAGE}.atom"), FakeSource(app)
    other = said("a3", text="<p>Another text altogether, of which nobody has seen a word until now.</p>")
    assert desk.says("a", other).entries.revisions == 0
    app.publish()
    assert room.published(f"{PAGE}.atom") == page, "what stands there is the same: title, link, dates"
    assert desk.says("a", other).entries.revised == (), "it is known"
    corrected = replace(other, title="A corrected title", updated=room.clock())
    assert desk.says("a", corrected).entries.revisions == 1
    app.publish()
    (seen,) = [e for e in room.entries(f"{PAGE}.atom") if e.findtext(f"{ATOM}title") == "A corrected title"]
    assert seen.findtext(f"{ATOM}content") is None
    assert "item-a3" not in with_text(app)


def test_an_earlier_date_brings_no_text_back(room: SampleSite, app: App) -> None:
    desk = FakeSource(app)
    date = room.clock()
    desk.says("a", *(said(f"a{number}", published=date) for number in range(1, 31)))
    room.clock.move(days=2)
    app.publish()
    desk.says("a", said("new"))
    later(room, app, days=40)
    thin = sorted(set(rows(app, "content")) - with_text(app))
    assert len(thin) == 20
    room.clock.move(hours=1)
    desk.says("a", replace(said(thin[0].removeprefix("item-")), published=date.replace(year=2020)))
    assert thin[0] not in with_text(app)
    assert rows(app, "published")[thin[0]].year == 2020


def test_k2_revisions_go_and_so_does_what_the_source_told(room: SampleSite, publisher: Publisher) -> None:
    documents = [
        rss(*(item(n) for n in range(10)), item(99)),
        rss(*(item(n) for n in range(20)), item(99, description="It says something else now, at some length, too.")),
        rss(item(19)),
    ]
    url = publisher.says("/feed", *(Reply(200, document) for document in documents))
    step = "rewrite: [{content: {replace: some, with: no}}, {summary: {replace: some, with: no}}]"
    room.writes(YAML.replace("https://a.example/", url).replace("keep: 30d", f"keep: 30d, {step}"))
    for _ in documents:
        room.poll()
        room.clock.move(days=1)
    with room.opened() as app, app.store._engine.connect() as connection:
        assert len(connection.execute(select(revision)).all()) == 1
        assert all(rows(app, "original").values())
        connection.rollback()
        later(room, app, days=40)
        assert connection.execute(select(revision)).all() == []
        assert sum(found == (None, "", "") for found in rows(app, "original", "content", "summary").values()) == 11


def test_a_page_keeps_the_texts_of_sources_that_keep_theirs(room: SampleSite) -> None:
    room.writes(
        PUBLISH + "defaults: {dedupe: off}\nsources:\n  - {key: a, url: 'https://a.example/', category: x, keep: 30d}\n"
        "  - {key: b, url: 'https://b.example/', category: x}\n"
    )
    with room.opened() as app:
        desk = FakeSource(app)
        for numbers in (range(5, 0, -1), range(10, 5, -1)):
            for key in ("a", "b"):
                desk.says(key, *(said(f"{key}{number}") for number in numbers))
                room.clock.move(hours=13)
            app.publish()
        assert later(room, app, days=30) == 5
        contents = [e.findtext(f"{ATOM}content") for e in room.entries(f"{PAGE}.atom")]
        assert [bool(content) for content in contents] == [True] * 5 + [False] * 5
        page = room.published(f"{PAGE}.atom")
        assert later(room, app, days=30) == 0
        assert room.published(f"{PAGE}.atom") == page


def test_a_story_in_two_categories_loses_its_text_when_both_pages_have(room: SampleSite) -> None:
    room.writes(YAML.replace("category: x", "category: [x, y]"))
    with room.opened() as app:
        fill(room, app)
        with app.store._engine.begin() as connection:  # y was slower: its main document still shows it
            y = connection.execute(select(publication.c.category_id).distinct()).scalars().all()[-1]
            connection.execute(publication.update().where(publication.c.category_id == y).values(page=None))
        assert later(room, app, days=30) == 0
        assert b"at some length" not in room.published(f"{PAGE}.atom"), "the page of x is thinned all the same"
        assert b"at some length" in room.published("category/y.atom")
        assert len(with_text(app)) == 20


def test_what_was_withdrawn_before_it_was_filed_goes_too(room: SampleSite, app: App) -> None:
    desk = FakeSource(app)
    desk.says("a", said("a1"), said("a2"))
    room.clock.move(hours=2)
    with app.store.begin() as tx:
        tx.corrections.file("retract", {"story": 1}, room.clock())
    app.take_requests()
    desk.says("a", said("a3"))
    assert later(room, app, days=40) == 1
    with app.store.read() as tx:
        assert tx.trail.entry(1)[0].thinned


def test_k4_what_was_never_published_loses_its_text_after_thirty_days(room: SampleSite) -> None:
    yaml = "sources: [{key: a, url: 'https://a.example/', category: x, initial: 1, exclude: [{title: Advert}]}]\n"
    room.writes(yaml)
    with room.opened() as app:
        FakeSource(app).says("a", said("a1"), said("a2"), said("ad", title="Advert"))
        assert later(room, app, days=29) == 0
        assert later(room, app, days=2) == 2
        with app.store.read() as tx:
            states = {tx.trail.entry(n)[0].state for n in (1, 2, 3) if tx.trail.entry(n)[0].thinned}
        assert states == {EntryState.KNOWN, EntryState.REJECTED}
        assert len(with_text(app)) == 1
        assert FakeSource(app).says("a", said("a1"), said("a2"), said("ad", title="Advert")).entries.fresh == 0
    room.writes(yaml.replace("Advert", "Something else"))
    with room.opened() as app, app.store.read() as tx:
        due = tx.look_up(app.settings.sources[0])
        assert due is not None
        judged = [one.entry.title for part in tx.stored_entries.filed(due.id) for one in part]
    assert judged == ["Title a1"], "what has no text is judged by no edited rule"


def test_the_index_of_words_forgets(room: SampleSite) -> None:
    with room.opened("serve") as app:
        fill(room, app)
        index = open_index(app.store)

        def found(text: str) -> int:
            index.catch_up()
            return len(index.find(parse_query(text), limit=99))

        assert (found("length"), found("title")) == (20, 20)
        later(room, app, days=30)
        assert (found("length"), found("title")) == (10, 20)


def test_posts_follow(room: SampleSite) -> None:
    room.writes(YAML.replace("[atom]", "[atom], jekyll: {to: posts}"))
    with room.opened() as app:
        fill(room, app)
        later(room, app, days=30)
    texts = [path.read_text(encoding="utf-8") for path in (room.folder / "posts").iterdir()]
    assert (len(texts), sum("at some length" in text for text in texts)) == (20, 10)


def test_old_bodies_go_but_for_the_last(room: SampleSite, app: App) -> None:
    with app.store._engine.begin() as connection:
        number = connection.execute(select(source.c.id)).scalar_one()
        for days in (50, 40):
            values = {"source_id": number, "headers": {}, "digest": "", "codec": "deflate", "data": b""}
            connection.execute(body.insert().values(values | {"fetched_at": room.clock() - timedelta(days=days)}))
    assert app.upkeep.trim_bodies() == 1


def test_a_step_is_bounded_and_goes_on_where_it_was_killed(
    room: SampleSite, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGES", 1)
    file_pages(room, app, 3)
    room.clock.move(days=40)
    with app.store.begin() as tx:
        step = tx.retention.thin(room.clock())
    assert (step.pages, step.entries, step.is_done) == (1, 10, False)
    with pytest.raises(ZeroDivisionError), app.store.begin() as tx:
        tx.retention.thin(room.clock()).pages / 0  # something goes wrong before its end
    assert len(with_text(app)) == 30, "nothing of a step, or all of it"
    app.publish()
    assert later(room, app) == 20
    pages = [path.read_bytes() for path in (room.folder / "public/category/x/archive").glob("*.atom")]
    assert [b"at some length" in page for page in pages] == [False] * 3


def test_a_day_has_one_look_and_the_rest_of_it_costs_nothing(room: SampleSite, app: App) -> None:
    fill(room, app)
    app.upkeep.thin()
    statements = list[str]()
    room.clock.move(hours=23)
    with app.store.heard_statements(statements.append):
        app.upkeep.thin()
    assert [s for s in statements if "FROM" in s and "FROM store" not in s] == []
    room.clock.move(hours=2)
    with app.store.heard_statements(statements.append):
        app.upkeep.thin()
    assert any("FROM publication" in s for s in statements)


def test_pages_behind_one_that_is_too_young_are_not_read(room: SampleSite, app: App) -> None:
    file_pages(room, app, 3)
    with app.store._engine.connect() as connection:
        texts = retention.Retention(connection)
        ripe, leaving, last = texts._ripe_pages(texts._next_pages((0, 0)), texts._keeps(), room.clock())
    assert (ripe, leaving, last[1]) == ([], [], retention.BEHIND_ALL)


def test_the_room_of_a_text_is_free_for_what_comes(room: SampleSite, app: App) -> None:
    """Rows that only shrink stay on pages of their own: a month of newspapers had a store that grew as if none had."""
    desk = FakeSource(app)
    for numbers in (range(10), range(10, 20)):
        desk.says("a", *(said(f"a{number}", text=f"<p>{number} {'long ' * 700}</p>") for number in numbers))
        app.publish()
        room.clock.move(days=1)
    app.publish()
    desk.says("a", said("a19"))
    assert later(room, app, days=40) == 10
    with app.store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar_one() >= 5
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_a_shorter_keep_waits_a_day_for_second_thoughts(room: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
    with room.opened() as app:
        fill(room, app)
        later(room, app, days=20)
    assert "shorten_keep" not in caplog.messages, "a new source is no edit"
    room.writes(YAML.replace("30d", "3d"))
    with room.opened() as app:
        assert "shorten_keep" in caplog.messages
        assert later(room, app, hours=23) == 0
    room.writes(YAML)
    with room.opened() as app:
        assert later(room, app, hours=2) == 0
    room.writes(YAML.replace("30d", "3d"))
    with room.opened() as app:
        later(room, app, hours=23)
        assert later(room, app, hours=2) == 10


def test_a_service_thins_and_publishes(room: SampleSite, app: App) -> None:
    fill(room, app)
    room.clock.move(days=40)
    service = Service(app, {})
    service._thin()
    service._flush()
    assert b"at some length" not in room.published(f"{PAGE}.atom")
