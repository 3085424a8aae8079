"""`keep`: which texts are removed from store, archive and pages, and which columns never are (K1 to K4; R63)."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from aggregator.app import App
from aggregator.model.known import EntryState
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import Maintenance
from aggregator.search import open_index
from aggregator.search.query import parse_query
from aggregator.service.service import Service
from aggregator.store import retention
from aggregator.store.schema import body, entry, publication, revision, source
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply
from tests.rows import change, connected, rows
from tests.sample_site import ATOM, SampleSite, item, rss

PUBLISH = "publish: {entries: 10, archive_page: 10, formats: [atom]}\n"
FEEDS = PUBLISH + "sources: [{key: a, url: 'https://a.example/', category: x, keep: 30d}]\n"
PAGE = "category/x/archive/1"


def fill(site: SampleSite, app: App) -> None:
    """Store twenty entries of a source, of which the first ten are filed on page 1."""
    fake_source = FakeSource(app)
    for numbers in (range(10, 0, -1), range(20, 10, -1)):
        fake_source.says("a", *(said(f"a{number}") for number in numbers))
        app.publisher.publish()
        site.clock.move(days=1)
    app.publisher.publish()
    fake_source.says("a", said("a20"))


def file_pages(site: SampleSite, app: App, pages: int) -> None:
    """Fill a number of archive pages, each a day after the last, and the main document."""
    for number in range(pages + 1):
        FakeSource(app).says("a", *(said(f"{number}-{place}") for place in range(10)))
        app.publisher.publish()
        site.clock.move(days=1)
    app.publisher.publish()
    FakeSource(app).says("a", said("0-0"))  # a known one: what it lists is no reason to wait
    FakeSource(app).says("a", said(f"{pages}-0"))


def later(site: SampleSite, app: App, **by: float) -> int:
    """Thin and publish, as at the end of a run, some time later; return the number of entries that lost their texts."""
    site.clock.move(**by)
    thinned = Maintenance(app.store, app.clock).thin()
    app.publisher.publish()
    return thinned


def entries(app: App, *columns: str) -> dict[str, Any]:
    """Return columns of all entries, by key."""
    found = rows(app.store, select(entry.c.key, *(entry.c[name] for name in columns)))
    return {row.key: row[1] if len(columns) == 1 else tuple(row[1:]) for row in found}


def with_text(app: App) -> set[str]:
    return {key for key, content in entries(app, "content").items() if content}


def test_k3_a_page_is_thinned_whole_and_once(site: SampleSite) -> None:
    site.writes(FEEDS.replace("[atom]", "[atom, json, html]"))
    with site.opened() as app:
        _see_it_thinned(site, app)


def _see_it_thinned(site: SampleSite, app: App) -> None:
    fill(site, app)
    before = {path: site.published(f"{PAGE}.{path}") for path in ("atom", "json", "html")}
    main = site.published("category/x.atom")
    assert later(site, app, days=27) == 0, "its newest entry is not old enough"
    assert {path: site.published(f"{PAGE}.{path}") for path in before} == before
    assert later(site, app, days=4) == 10
    after = {path: site.published(f"{PAGE}.{path}") for path in before}
    for path, data in after.items():
        assert (before[path].count(b"at some length") > 0, data.count(b"at some length")) == (True, 0), path
    assert site.published("category/x.atom") == main, "what stands there is never thinned"
    stories = [p.read_text(encoding="utf-8") for p in (site.folder / "public/entry").glob("*/*.html")]
    assert (len(stories), sum("at some length" in story for story in stories)) == (20, 10), "their pages follow"
    assert with_text(app) == {f"item-a{number}" for number in range(11, 21)}
    old, new = (json.loads(some["json"])["items"] for some in (before, after))
    dull = {"content_html", "content_text", "summary"}
    assert [{k: v for k, v in one.items() if k not in dull} for one in old] == [
        {k: v for k, v in one.items() if k not in dull} for one in new
    ], "title, link, dates, ids and credits stay"
    assert later(site, app, days=100) == 0, "the others stand in the main document"
    assert {path: site.published(f"{PAGE}.{path}") for path in after} == after
    assert site.published("category/x.atom") == main


def test_k1_everything_else_stays(site: SampleSite, app: App) -> None:
    fill(site, app)
    kept = [c.name for c in entry.c if c.name not in ("content", "summary", "thinned", "unpublished", "original")]
    before = entries(app, *kept)
    later(site, app, days=30)
    assert entries(app, *kept) == before


def test_k2_a_text_that_its_source_still_lists_has_its_page_wait(site: SampleSite, app: App) -> None:
    fill(site, app)
    FakeSource(app).says("a", said("a20"), said("a3"))
    assert later(site, app, days=40) == 0
    FakeSource(app).says("a", said("a20"))
    assert later(site, app, days=2) == 10


def test_k2_a_source_that_left_lists_nothing_and_its_last_word_holds(site: SampleSite) -> None:
    with site.opened() as app:
        fill(site, app)
        FakeSource(app).says("a", said("a20"), said("a3"))
    site.writes(PUBLISH + "sources: [{key: b, url: 'https://b.example/', category: x}]\n")
    with site.opened() as app:
        assert later(site, app, days=40) == 10


def test_r63_what_comes_back_is_neither_new_nor_revised(site: SampleSite, app: App) -> None:
    fill(site, app)
    later(site, app, days=30)
    page = site.published(f"{PAGE}.atom")
    changes = FakeSource(app).says("a", said("a20"), said("a3")).entries
    assert (changes.new, changes.revised, changes.revisions) == ((), (), 0)
    app.publisher.publish()
    assert site.published(f"{PAGE}.atom") == page


def test_k2_a_text_that_is_gone_does_not_come_back_with_a_revision(site: SampleSite, app: App) -> None:
    fill(site, app)
    later(site, app, days=30)
    page, fake_source = site.published(f"{PAGE}.atom"), FakeSource(app)
    other = said("a3", text="<p>Another text altogether, of which nobody has seen a word until now.</p>")
    assert fake_source.says("a", other).entries.revisions == 0
    app.publisher.publish()
    assert site.published(f"{PAGE}.atom") == page, "what stands there is the same: title, link, dates"
    assert fake_source.says("a", other).entries.revised == (), "it is known"
    corrected = replace(other, title="A corrected title", updated=site.clock())
    assert fake_source.says("a", corrected).entries.revisions == 1
    app.publisher.publish()
    (seen,) = [e for e in site.entries(f"{PAGE}.atom") if e.findtext(f"{ATOM}title") == "A corrected title"]
    assert seen.findtext(f"{ATOM}content") is None
    assert "item-a3" not in with_text(app)


def test_an_earlier_date_brings_no_text_back(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    date = site.clock()
    fake_source.says("a", *(said(f"a{number}", published=date) for number in range(1, 31)))
    site.clock.move(days=2)
    app.publisher.publish()
    fake_source.says("a", said("new"))
    later(site, app, days=40)
    thin = sorted(set(entries(app, "content")) - with_text(app))
    assert len(thin) == 20
    site.clock.move(hours=1)
    fake_source.says("a", replace(said(thin[0].removeprefix("item-")), published=date.replace(year=2020)))
    assert thin[0] not in with_text(app)
    assert entries(app, "published")[thin[0]].year == 2020


def test_k2_revisions_go_and_so_does_what_the_source_told(site: SampleSite, publisher: FeedServer) -> None:
    documents = [
        rss(*(item(n) for n in range(10)), item(99)),
        rss(*(item(n) for n in range(20)), item(99, description="It says something else now, at some length, too.")),
        rss(item(19)),
    ]
    url = publisher.says("/feed", *(Reply(200, document) for document in documents))
    step = "rewrite: [{content: {replace: some, with: no}}, {summary: {replace: some, with: no}}]"
    site.writes(FEEDS.replace("https://a.example/", url).replace("keep: 30d", f"keep: 30d, {step}"))
    for _ in documents:
        site.poll()
        site.clock.move(days=1)
    with site.opened() as app:
        assert len(rows(app.store, select(revision))) == 1
        assert all(entries(app, "original").values())
        later(site, app, days=40)
        assert rows(app.store, select(revision)) == []
        assert sum(found == (None, "", "") for found in entries(app, "original", "content", "summary").values()) == 11


def test_a_page_keeps_the_texts_of_sources_that_keep_theirs(site: SampleSite) -> None:
    site.writes(
        PUBLISH + "defaults: {dedupe: off}\nsources:\n  - {key: a, url: 'https://a.example/', category: x, keep: 30d}\n"
        "  - {key: b, url: 'https://b.example/', category: x}\n"
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        for numbers in (range(5, 0, -1), range(10, 5, -1)):
            for key in ("a", "b"):
                fake_source.says(key, *(said(f"{key}{number}") for number in numbers))
                site.clock.move(hours=13)
            app.publisher.publish()
        assert later(site, app, days=30) == 5
        contents = [e.findtext(f"{ATOM}content") for e in site.entries(f"{PAGE}.atom")]
        assert [bool(content) for content in contents] == [True] * 5 + [False] * 5
        page = site.published(f"{PAGE}.atom")
        assert later(site, app, days=30) == 0
        assert site.published(f"{PAGE}.atom") == page


def test_a_story_in_two_categories_loses_its_text_when_both_pages_have(site: SampleSite) -> None:
    site.writes(FEEDS.replace("category: x", "category: [x, y]"))
    with site.opened() as app:
        fill(site, app)
        with connected(app.store, writes=True) as connection:  # y was slower: its main document still shows it
            y = connection.execute(select(func.max(publication.c.category_id))).scalar_one()
            connection.execute(publication.update().where(publication.c.category_id == y).values(page=None))
        assert later(site, app, days=30) == 0
        assert b"at some length" not in site.published(f"{PAGE}.atom"), "the page of x is thinned all the same"
        assert b"at some length" in site.published("category/y.atom")
        assert len(with_text(app)) == 20


def test_what_was_withdrawn_before_it_was_filed_goes_too(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said("a1"), said("a2"))
    site.clock.move(hours=2)
    with app.store.begin() as tx:
        tx.corrections.file("retract", {"story": 1}, site.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    fake_source.says("a", said("a3"))
    assert later(site, app, days=40) == 1
    with app.store.read() as tx:
        assert tx.trail.entry(1)[0].thinned


def test_k4_what_was_never_published_loses_its_text_after_thirty_days(site: SampleSite) -> None:
    yaml = "sources: [{key: a, url: 'https://a.example/', category: x, initial: 1, exclude: [{title: Advert}]}]\n"
    site.writes(yaml)
    with site.opened() as app:
        FakeSource(app).says("a", said("a1"), said("a2"), said("ad", title="Advert"))
        assert later(site, app, days=29) == 0
        assert later(site, app, days=2) == 2
        with app.store.read() as tx:
            states = {tx.trail.entry(n)[0].state for n in (1, 2, 3) if tx.trail.entry(n)[0].thinned}
        assert states == {EntryState.KNOWN, EntryState.REJECTED}
        assert len(with_text(app)) == 1
        assert FakeSource(app).says("a", said("a1"), said("a2"), said("ad", title="Advert")).entries.new_count == 0
    site.writes(yaml.replace("Advert", "Something else"))
    with site.opened() as app, app.store.read() as tx:
        job = tx.claims.look_up(app.in_force.settings.sources[0])
        assert job is not None
        judged = [one.entry.title for part in tx.stored_entries.filed(job.source_id) for one in part]
    assert judged == ["Title a1"], "what has no text is judged by no edited rule"


def test_the_index_of_words_forgets(site: SampleSite) -> None:
    with site.opened("serve") as app:
        fill(site, app)
        index = open_index(app.store, site.folder)

        def found(text: str) -> int:
            index.update()
            finds, number = index.find(parse_query(text), limit=99)
            assert len(finds) == number
            return number

        assert (found("length"), found("title")) == (20, 20)
        later(site, app, days=30)
        assert (found("length"), found("title")) == (10, 20)


def test_posts_follow(site: SampleSite) -> None:
    site.writes(FEEDS.replace("[atom]", "[atom], jekyll: {to: posts}"))
    with site.opened() as app:
        fill(site, app)
        later(site, app, days=30)
    texts = [path.read_text(encoding="utf-8") for path in (site.folder / "posts").iterdir()]
    assert (len(texts), sum("at some length" in text for text in texts)) == (20, 10)


def test_old_bodies_go_but_for_the_last(site: SampleSite, app: App) -> None:
    with connected(app.store, writes=True) as connection:
        number = connection.execute(select(source.c.id)).scalar_one()
        for days in (50, 40):
            values = {"source_id": number, "headers": {}, "digest": "", "codec": "deflate", "data": b""}
            connection.execute(body.insert().values(values | {"fetched_at": site.clock() - timedelta(days=days)}))
    assert Maintenance(app.store, app.clock).trim_bodies() == 1


def test_a_step_is_bounded_and_goes_on_where_it_was_killed(
    site: SampleSite, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGES", 1)
    file_pages(site, app, 3)
    site.clock.move(days=40)
    with app.store.begin() as tx:
        step = tx.retention.thin(site.clock())
    assert (step.pages, step.entries, step.is_done) == (1, 10, False)
    with pytest.raises(ZeroDivisionError), app.store.begin() as tx:
        tx.retention.thin(site.clock()).pages / 0  # something goes wrong before its end
    assert len(with_text(app)) == 30, "nothing of a step, or all of it"
    app.publisher.publish()
    assert later(site, app) == 20
    pages = [path.read_bytes() for path in (site.folder / "public/category/x/archive").glob("*.atom")]
    assert [b"at some length" in page for page in pages] == [False] * 3


def test_a_day_has_one_look_and_the_rest_of_it_costs_nothing(site: SampleSite, app: App) -> None:
    fill(site, app)
    Maintenance(app.store, app.clock).thin()
    statements = list[str]()
    site.clock.move(hours=23)
    with app.store.heard_statements(statements.append):
        Maintenance(app.store, app.clock).thin()
    assert [s for s in statements if "FROM" in s and "FROM store" not in s] == []
    site.clock.move(hours=2)
    with app.store.heard_statements(statements.append):
        Maintenance(app.store, app.clock).thin()
    assert any("FROM publication" in s for s in statements)


def test_pages_behind_one_that_is_too_young_are_not_read(
    site: SampleSite, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGES", 1)
    file_pages(site, app, 3)
    with app.store.begin() as tx:
        first, second = tx.retention.thin(site.clock()), tx.retention.thin(site.clock())
    assert (first.pages, first.entries, first.is_done) == (0, 0, False)
    assert second.is_done, "pages 2 and 3 take no step of their own"


@pytest.mark.only_sqlite
def test_the_room_of_a_text_is_free_for_what_comes(site: SampleSite, app: App) -> None:
    """Rows that shrink in place free no pages of SQLite: the store grew in a month as if it kept all texts."""
    fake_source = FakeSource(app)
    for numbers in (range(10), range(10, 20)):
        fake_source.says("a", *(said(f"a{number}", text=f"<p>{number} {'long ' * 700}</p>") for number in numbers))
        app.publisher.publish()
        site.clock.move(days=1)
    app.publisher.publish()
    fake_source.says("a", said("a19"))
    assert later(site, app, days=40) == 10
    assert rows(app.store, "PRAGMA freelist_count")[0][0] >= 5
    assert rows(app.store, "PRAGMA foreign_key_check") == []


def test_a_shorter_keep_waits_a_day_for_second_thoughts(site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
    with site.opened() as app:
        fill(site, app)
        later(site, app, days=20)
    assert "shorten_keep" not in caplog.messages, "a new source is no edit"
    site.writes(FEEDS.replace("30d", "3d"))
    with site.opened() as app:
        assert "shorten_keep" in caplog.messages
        assert later(site, app, hours=23) == 0
    site.writes(FEEDS)
    with site.opened() as app:
        assert later(site, app, hours=2) == 0
    site.writes(FEEDS.replace("30d", "3d"))
    with site.opened() as app:
        later(site, app, hours=23)
        assert later(site, app, hours=2) == 10


def test_a_service_thins_and_publishes(site: SampleSite, app: App) -> None:
    fill(site, app)
    site.clock.move(days=40)
    service = Service(app, {})
    service.jobs["keep"].run()
    service.jobs["flush"].run()
    assert b"at some length" not in site.published(f"{PAGE}.atom")


def test_k2_how_many_texts_a_shorter_keep_would_take(site: SampleSite, app: App) -> None:
    def would_thin(days: float, key: str = "a") -> int:
        with app.store.read() as tx:
            return tx.retention.would_thin(key, timedelta(days=days), app.clock())

    assert would_thin(1) == 0
    fill(site, app)
    site.clock.move(days=3)
    assert would_thin(1, "other") == 0
    assert would_thin(1) == 10, "what the main document shows stays"
    assert would_thin(5) == 10, "at the very time"
    assert would_thin(5.001) == 0
    FakeSource(app).says("a", said("a20"), said("a1"))
    assert would_thin(1) == 9, "what the source lists stays"
    change(app.store, "UPDATE store SET restored_at = :at", at=int(site.clock().timestamp() * 1e6))
    assert would_thin(1) == 0, "no document tells when a restored story entered"
    site.clock.move(days=2)
    assert would_thin(1) == 9
    change(app.store, "UPDATE entry SET thinned = 1 WHERE own_id IN ('item-a2', 'item-a3')")
    assert would_thin(1) == 7
    change(app.store, "UPDATE publication SET withdrawn_at = 1 WHERE page IS NULL AND shown_id = 12")
    assert would_thin(1) == 8, "the main document does not show what is withdrawn"
