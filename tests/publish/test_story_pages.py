"""The page of each story: what it shows, when it is made again, and what stands there afterwards (N4, R30, A42, T7)."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
from lxml import html

from aggregator.app import App
from aggregator.errors import StrangerInTheWay
from aggregator.model.settings import CategoryKey
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import Maintenance
from aggregator.render import html_pages
from aggregator.render.template_context import ContextBuilder
from aggregator.serve.application import Application
from aggregator.serve.published_folder import PublishedFolder
from aggregator.store.story_pages import Pages, StoredPage
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

FEEDS = """
publish: {entries: 10, archive_page: 10}
defaults: {dedupe: exact}
categories: {first: {title: First}, second: {title: Second}, hidden: {unlisted: true}}
sources:
  - {key: a, url: 'https://a.example/feed', category: second}
  - {key: b, url: 'https://b.example/feed', category: first}
  - {key: c, url: 'https://c.example/feed', category: hidden}
  - {key: d, url: 'https://d.example/feed', category: second}
"""


def pages(site: SampleSite) -> list[str]:
    """Return the paths of all stories' pages."""
    root = site.folder / "public"
    return sorted(str(path.relative_to(root)) for path in root.glob("entry/*/*.html"))


def read(site: SampleSite, path: str) -> Any:
    """Read a page."""
    return html.fromstring(site.published(path))


def text(site: SampleSite, path: str) -> str:
    """Return the text of a page, blanks collapsed."""
    return " ".join(read(site, path).find(".//main").text_content().split())


def title_of(site: SampleSite, path: str) -> str:
    """Return the title of a story on its page; empty on a note."""
    return "".join(heading.text_content() for heading in read(site, path).findall(".//article//h2"))


def of_story(site: SampleSite, title: str) -> str:
    """Return the path of the page of a story, by its title."""
    (found,) = [path for path in pages(site) if title_of(site, path) == title]
    return found


def ask(app: App, command: str, **arguments: object) -> None:
    """Carry out an operator's request."""
    with app.store.begin() as tx:
        number = tx.corrections.file(command, arguments, app.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    with app.store.read() as tx:
        outcome = tx.corrections.outcome(number)
    assert outcome is not None
    assert outcome.done, outcome.said


def story(app: App, path: str) -> int:
    """Return the number of a story, by the path of its page."""
    with app.store.read() as tx:
        number = tx.finding.story(f"https://planet.example/{path}")
    assert number is not None
    return number


# --- what it shows


def test_n4_a_story_has_one_page_with_the_copy_of_the_first_listed_category(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    article = said("one", title="The heron lands", own_id="urn:uuid:0b6d9a1e-55a5-4a8e-9f3e-0d7a9c6f1b22")
    fake_source.says("c", article)
    site.clock.move(hours=2)  # past the hour in which the shown copy is chosen (T3)
    fake_source.says("a", replace(article, link=None))
    site.clock.move(hours=2)
    fake_source.says("b", replace(article, content=article.content + "<h1>Heading</h1>"))
    app.publisher.publish()
    (path,) = pages(site)
    shown = read(site, path)
    assert shown.findtext(".//h3") == "Heading", "A61: headings of the text lie below the story's own"
    assert [h.text_content().strip() for h in shown.findall(".//h1")] == ["Planet"]
    said_there = text(site, path)
    assert "Also told by Feed a" in said_there
    assert "Feed c" not in said_there, "T2: it is published in an unlisted category only"
    assert "In First, Second" in said_there
    assert [a.get("href") for a in shown.findall(".//footer//a")[:2]] == [
        "../../category/first.html",
        "../../category/second.html",
    ]
    assert shown.find(".//link[@rel='canonical']").get("href") == article.link, "A60"
    assert "4 March 2026 or earlier" in said_there, "no date of its own"


def test_n4_what_stands_in_unlisted_categories_only_has_no_page(site: SampleSite, app: App) -> None:
    FakeSource(app).says("c", said("one"))
    app.publisher.publish()
    assert pages(site) == []
    assert b"entry/" not in site.published("category/hidden.html")


def test_pages_link_to_it_and_feeds_to_the_original(site: SampleSite, app: App) -> None:
    FakeSource(app).says("a", said("one"), said("two", link=None))
    app.publisher.publish()
    one, two = of_story(site, "Title one"), of_story(site, "Title two")
    for name, root in (("index.html", ""), ("category/second.html", "../")):
        links = {a.text_content(): a.get("href") for a in read(site, name).findall(".//main//a")}
        assert (links["Title one"], links["Title two"]) == (f"{root}{one}", f"{root}{two}")
    here = f"http://127.0.0.1:8080/{two}"
    assert {item["title"]: item["url"] for item in site.items("category/second.json")} == {
        "Title one": "https://news.example/one",
        "Title two": here,
    }
    assert here.encode() in site.published("all.atom")
    assert read(site, two).find(".//link[@rel='canonical']").get("href") == here


def test_entry_pages_false_links_to_the_originals_and_removes_what_stands(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said("one"))
        app.publisher.publish()
        assert len(pages(site)) == 1
    site.writes(FEEDS.replace("entries: 10,", "entries: 10, entry_pages: false,"))
    with site.opened() as app:
        app.publisher.publish()
        assert pages(site) == []
        assert b"entry/" not in site.published("index.html")
        assert b'href="https://news.example/one"' in site.published("index.html")
        FakeSource(app).says("a", said("two"), said("one"))
        assert not [path for path in app.publisher.publish().changed if path.startswith("entry/")]
    site.writes(FEEDS)
    with site.opened() as app:
        app.publisher.publish()
    assert len(pages(site)) == 2


def test_entry_pages_false_reads_no_story_for_a_page(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[Collection[int]]()
    stored = Pages.stored

    def counting(self: Pages, numbers: Collection[int], order: Mapping[CategoryKey, int]) -> dict[int, StoredPage]:
        read.append(numbers)
        return stored(self, numbers, order)

    monkeypatch.setattr(Pages, "stored", counting)
    site.writes(FEEDS.replace("entries: 10,", "entries: 10, entry_pages: false,"))
    with site.opened() as app:
        FakeSource(app).says("a", *(said(number) for number in range(120)))
        app.publisher.publish()
        with app.store.read() as tx:
            assert not tx.story_pages.dirty(after=0, late=False, limit=1)
            assert not tx.story_pages.dirty(after=0, late=True, limit=1)
    assert not read
    site.writes(FEEDS)
    with site.opened() as app:
        app.publisher.publish()
    assert read
    assert len(pages(site)) == 50


def test_noindex_is_kept_on_every_page(site: SampleSite) -> None:
    site.writes(FEEDS.replace("category: second}", "category: second, noindex: true}"))
    with site.opened() as app:
        FakeSource(app).says("a", said("one"))
        FakeSource(app).says("b", said("two"))
        app.publisher.publish()
    robots = ".//meta[@name='robots']"
    assert read(site, of_story(site, "Title one")).find(robots).get("content") == "noindex"
    assert read(site, of_story(site, "Title two")).find(robots) is None
    category = text(site, "category/second.html")
    assert "Title one" in category
    assert "This is what" not in category, "its text stands only where search engines are kept out"
    assert "This is what item one says" in site.items("category/second.json")[0]["content_html"]


# --- when it is made


def test_only_what_changed_is_rendered(site: SampleSite, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_source = FakeSource(app)
    entries = [said(number) for number in range(30)]
    fake_source.says("a", *entries)
    app.publisher.publish()
    rendered: list[str] = []
    real = html_pages.render_page

    def noted(name: str, scribe: ContextBuilder, path: str, **more: Any) -> bytes:
        rendered.append(path)
        return real(name, scribe, path, **more)

    monkeypatch.setattr(html_pages, "render_page", noted)
    entries[3] = said(3, title="Corrected")
    fake_source.says("a", said("new"), *entries)
    changed = [path for path in app.publisher.publish().changed if path.startswith("entry/")]
    assert sorted(changed) == sorted([of_story(site, "Corrected"), of_story(site, "Title new")])
    assert sorted(path for path in rendered if path.startswith("entry/")) == sorted(changed)
    rendered.clear()
    fake_source.says("b", replace(said(7), id="of-b"))  # a copy joins
    app.publisher.publish()
    assert [path for path in rendered if path.startswith("entry/")] == [of_story(site, "Title 7")]
    assert "Also told by" in text(site, of_story(site, "Title 7"))


def test_m7_a_late_copy_is_credited_on_the_page_of_the_story(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", *(said(number) for number in range(40)))
    site.clock.move(days=2)
    app.publisher.publish()
    archive = site.published("category/second/archive/1.html")
    fake_source.says("d", replace(said(39), id="of-d"))
    app.publisher.publish()
    assert "Also told by Feed d" in text(site, of_story(site, "Title 39"))
    assert site.published("category/second/archive/1.html") == archive


def test_another_title_of_a_category_is_read_on_the_pages_of_its_stories_alone(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said("one"))
        FakeSource(app).says("b", said("two"))
        app.publisher.publish()
        before = site.files()
    site.writes(FEEDS.replace("title: Second", "title: Another"))
    with site.opened() as app:
        app.publisher.publish()
    after = site.files()
    assert "In Another" in text(site, of_story(site, "Title one"))
    other = of_story(site, "Title two")
    assert after[other] == before[other], "A31"


def test_another_order_of_categories_shows_another_copy(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said("one"))
        site.clock.move(hours=2)
        fake_source.says("b", replace(said("one"), id="of-b"))
        app.publisher.publish()
    (path,) = pages(site)
    assert "In First, Second" in text(site, path)
    site.writes(
        FEEDS.replace(
            "first: {title: First}, second: {title: Second}", "second: {title: Second}, first: {title: First}"
        )
    )
    with site.opened() as app:
        app.publisher.publish()
    assert "In Second, First" in text(site, path)


def test_a_look_is_changed_in_parts_and_nothing_waits_for_it(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.publish.story_pages.BATCH", 5)
    monkeypatch.setattr("aggregator.publish.publisher.LATE", 10)
    with site.opened() as app:
        FakeSource(app).says("a", *(said(number) for number in range(40)))
        app.publisher.publish()
    site.writes("site: {title: Another name}\n" + FEEDS)
    with site.opened("serve") as app:
        site.clock.move(minutes=5)
        rounds = 0
        while app.publisher.publish(debounce=timedelta(seconds=30)).waiting:
            rounds += 1
            anew = sum(b"Another name" in site.published(path) for path in pages(site))
            assert anew == 10 * rounds
            assert b"Another name" in site.published("category/second.html")
            site.clock.move(minutes=1)
        assert rounds == 3
        assert all(b"Another name" in site.published(path) for path in pages(site))


def test_r31_a_crash_between_store_and_files_is_repaired(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said("one"))
    with site.opened() as app:
        app.publisher.publish()
        (path,) = pages(site)
        (site.folder / "public" / path).unlink()
        app.publisher.publish()
        assert pages(site) == []
        app.publisher.publish(everything=True)
    assert pages(site) == [path]


def test_r35_another_folder_gets_the_same_pages(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", *(said(number) for number in range(12)))
        app.publisher.publish()
        ask(app, "retract", story=story(app, of_story(site, "Title 3")))
        app.publisher.publish()
    before = {path: site.published(path) for path in pages(site)}
    (site.folder / "public").rename(site.folder / "old")
    site.writes(FEEDS.replace("publish: {", "publish: {to: public, "))
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.files.adopt_folder("/elsewhere", ())
        app.publisher.publish()
    assert {path: site.published(path) for path in pages(site)} == before


def test_r32_a_page_that_cannot_be_rendered_keeps_the_old_one_and_harms_no_other(
    site: SampleSite, app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said("one"), said("two"))
    app.publisher.publish()
    one, two = of_story(site, "Title one"), of_story(site, "Title two")
    before = site.published(one)
    real = ContextBuilder.story

    def fails(self: ContextBuilder, publication: Any) -> Any:
        if publication.title == "Broken":
            raise ZeroDivisionError("a fault of ours")
        return real(self, publication)

    with monkeypatch.context() as patched:
        patched.setattr(ContextBuilder, "story", fails)
        fake_source.says("a", said("one", title="Broken"), said("two", title="Sound"))
        published = app.publisher.publish()
        assert published.failed == (one,)
        assert "a fault of ours" in caplog.text
        assert site.published(one) == before
        assert "Sound" in text(site, two)
        assert app.publisher.publish().failed == (one,), "it is tried again"
    assert one in app.publisher.publish().changed
    assert "Broken" in text(site, one)


def test_somebody_elses_file_stops_no_other_page(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said("one"), said("two"))
        app.publisher.publish()
        one = of_story(site, "Title one")
        with app.store.begin() as tx:
            tx.files.unlist([one])
        (site.folder / "public" / one).write_text("mine")
        FakeSource(app).says("a", said("one", title="Title eins"), said("two", title="Title zwei"))
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        assert site.published(one) == b"mine"
        assert "Title zwei" in b"".join(site.published(path) for path in pages(site)).decode()
        assert site.titles("category/second.atom") == ["Title eins", "Title zwei"]


# --- what stands there afterwards


def test_a42_a_withdrawn_story_leaves_a_note_and_comes_back(site: SampleSite, app: App) -> None:
    FakeSource(app).says("a", said("one"), said("two"))
    app.publisher.publish()
    path = of_story(site, "Title one")
    before = site.published(path)
    ask(app, "retract", story=story(app, path))
    app.publisher.publish()
    note = read(site, path)
    assert note.find(".//meta[@name='robots']").get("content") == "noindex"
    assert "Title one" not in note.text_content()
    assert "withdrawn" in note.text_content()
    ask(app, "retract", story=story(app, path), undo=True)
    app.publisher.publish()
    assert "Title one" in text(site, path)
    assert site.published(path) != before, "updated now (T8)"


def test_t7_a_merged_story_names_the_one_it_is_part_of_and_t8_revives_it(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said("one"), said("two"))
    fake_source.says("d", said("three"))
    app.publisher.publish()
    one, two, three = (of_story(site, f"Title {name}") for name in ("one", "two", "three"))
    ask(app, "merge", story=story(app, one), other=story(app, three))
    ask(app, "merge", story=story(app, two), other=story(app, one))
    app.publisher.publish()
    for path in (one, three):
        link = read(site, path).find(".//main//p[@class='lead']/a")
        assert link.text_content() == "Title two"
        assert urljoin(path, link.get("href")) == two
    fake_source.says("a", said("one"), said("two", title="Zwei"))
    app.publisher.publish()
    assert "Zwei" in text(site, three), "the name of the other follows it"
    ask(app, "unmerge", story=story(app, two))
    app.publisher.publish()
    assert "Title three" in text(site, three)


def test_t8_the_story_that_stays_credits_what_has_left_no_more(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said("one"))
    fake_source.says("d", said("three"))
    app.publisher.publish()
    one, three = (of_story(site, f"Title {name}") for name in ("one", "three"))
    before = site.published(one)
    ask(app, "merge", story=story(app, one), other=story(app, three))
    app.publisher.publish()
    assert site.published(one) != before, "the other source is credited"
    ask(app, "unmerge", story=story(app, one))
    app.publisher.publish()
    assert site.published(one) == before
    assert app.publisher.publish(everything=True).changed == ()


def test_a42_gone_txt_lists_the_notes_and_serve_answers_410(site: SampleSite, app: App) -> None:
    FakeSource(app).says("a", said("one"), said("two"))
    app.publisher.publish()
    path = of_story(site, "Title one")
    assert not (site.folder / "public" / "gone.txt").exists()
    ask(app, "retract", story=story(app, path))
    assert "gone.txt" in app.publisher.publish().changed
    assert site.published("gone.txt").decode().split() == ["generator=aggregator", path]
    status, headers, body = get(site, f"/{path}")
    assert (status, headers["X-Robots-Tag"]) == ("410 Gone", "noindex")
    assert b"withdrawn" in body
    assert app.publisher.publish().changed == ()
    ask(app, "retract", story=story(app, path), undo=True)
    app.publisher.publish()
    assert site.published("gone.txt").decode().split() == ["generator=aggregator"]
    assert get(site, f"/{path}")[0] == "200 OK"


def test_a44_a_removed_category_is_gone_and_comes_back(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", *(said(number) for number in range(25)))
        FakeSource(app).says("c", said("hidden"))
        site.clock.move(days=2)
        app.publisher.publish()
    kept = site.files()
    moved = FEEDS.replace("second: {title: Second}, hidden: {unlisted: true}", "x: {}")
    site.writes(moved.replace("category: second}", "category: x}").replace("category: hidden}", "category: x}"))
    with site.opened() as app:
        app.publisher.publish()
    assert get(site, "/category/second.atom")[::2] == ("410 Gone", b"This category is no longer published here.\n")
    assert get(site, "/category/second/archive/1.html")[0] == "410 Gone"
    assert get(site, "/category/x.atom")[0] == "200 OK"
    assert b"hidden" not in site.published("gone.txt"), "no list tells of an unlisted category"
    assert site.files()["category/second.atom"] == kept["category/second.atom"], "it stays where it is"
    with site.opened() as app:
        site.clock.move(days=89)
        assert Maintenance(app.store, app.clock).end_tombstones() == 0
        site.clock.move(days=2)
        assert Maintenance(app.store, app.clock).end_tombstones() == 1
        assert "gone.txt" in app.publisher.publish().changed
        (removed, _) = app.store.status(app.in_force.roster, site.clock()).removed
    assert get(site, "/category/second.atom")[0] == "404 Not Found"
    assert "404=category/second.atom" in site.published("gone.txt").decode().split()
    assert site.files()["category/second.atom"] == kept["category/second.atom"], "it stays all the same"
    assert (removed.title, site.clock() - removed.removed_at) == ("Second", timedelta(days=91))
    site.writes(FEEDS)
    with site.opened() as app:
        app.publisher.publish()
    assert get(site, "/category/second/archive/1.html")[0] == "200 OK"


def test_a44_a_category_that_comes_back_with_news_is_there_at_once(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said("one"))
        app.publisher.publish()
    site.writes(FEEDS.replace("second: {title: Second}", "x: {}").replace("category: second", "category: x"))
    with site.opened() as app:
        app.publisher.publish()
    assert get(site, "/category/second.atom")[0] == "410 Gone"
    site.writes(FEEDS)
    with site.opened() as app:
        FakeSource(app).says("a", said("two"))  # what is rendered anew must not hide that it was gone
        app.publisher.publish()
    assert get(site, "/category/second.atom")[0] == "200 OK"
    assert b"second" not in site.published("gone.txt")


def test_noindex_is_a_header_too(site: SampleSite) -> None:
    site.writes(FEEDS.replace("category: second}\n  - {key: b", "category: second, noindex: true}\n  - {key: b"))
    with site.opened() as app:
        FakeSource(app).says("a", said("one"))
        app.publisher.publish()
    assert get(site, f"/{of_story(site, 'Title one')}")[1]["X-Robots-Tag"] == "noindex"
    assert "X-Robots-Tag" not in get(site, "/category/second.html")[1]


def get(site: SampleSite, path: str) -> tuple[str, dict[str, str], bytes]:
    """Request a path from our own server; return status, header fields, body."""
    shelf = PublishedFolder(site.folder / "public", lambda _: 300)
    application = Application(shelf, health=lambda: True, ready=lambda: True)
    said: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": ""}
    body = b"".join(application(environ, lambda status, headers, *_: said.extend((status, dict(headers)))))  # type: ignore[arg-type]
    return said[0], said[1], body
