"""I35: entries under other ids than before, and ids with other entries than before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.app import App
from aggregator.decide.changed_ids import Pair, pairs_of
from aggregator.identify.keys import identify
from aggregator.identify.matching import dedupe_link
from aggregator.model.changes import Changes
from aggregator.model.entry import Enclosure, Entry, Feed
from aggregator.model.event import Code
from aggregator.model.known import Trace
from aggregator.urls import Url, normalise_link
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply
from tests.sample_site import START, SampleSite, item, rss

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FEEDS = """
defaults: {initial: 1000}
categories: {x: {}}
sources: [{key: one, url: 'https://one.example/feed', category: x}]
"""


@pytest.fixture
def fake_source(app: App) -> FakeSource:
    return FakeSource(app)


def renamed(entry: Entry, own_id: str, *, host: str | None = None, scheme: str = "https") -> Entry:
    """Return an entry with another id, and with a link to another host if there is one."""
    link = entry.link
    if link is not None and host is not None:
        link = normalise_link(f"{scheme}://{host}/{link.split('/', 3)[3]}")
    return replace(entry, id=own_id, link=link)


def articles(count: int, first: int = 0) -> list[Entry]:
    return [said(n, published=START - n * HOUR) for n in range(first, first + count)]


def codes(changes: Changes) -> list[Code]:
    return [event.code for event in changes.entries.events]


def titles(app: App) -> list[str]:
    with app.store.read() as tx:
        (row,) = tx.categories.rows()
        return [p.title for p in tx.documents.publications(row.id, None)]


def test_p40_another_site_with_paths_as_everywhere_is_not_the_same_one_moved(fake_source: FakeSource, app: App) -> None:
    """A domain was sold, or redirects to another paper: /1, /2, /3 are at every site, and so is a post an hour."""
    mine = [said(f"Mine {n}", link=f"https://one.example/{n}", published=START - n * HOUR) for n in range(6)]
    fake_source.says("one", *mine)
    theirs = [said(f"Theirs {n}", link=f"https://two.example/{n}", published=START - n * HOUR) for n in range(6)]
    assert Code.REKEY_ENTRY not in codes(fake_source.says("one", *theirs))
    assert len(titles(app)) == 12


def test_i35_five_hundred_entries_with_other_ids_hosts_and_schemes(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    before = [
        said(n, own_id=f"http://old.example/?p={n}", link=f"http://old.example/post/{n}", published=START - n * HOUR)
        for n in range(500)
    ]
    fake_source.says("one", *before, link=normalise_link("http://old.example/"))
    with app.store.read() as tx:
        stood = {p.title: (p.atom_id, p.sort_at, p.updated, p.published) for p in tx.documents.publications(1, None)}
    assert len(stood) == 500
    site.clock.move(days=1)
    after = [renamed(entry, f"urn:post:{place}", host="www.new.example") for place, entry in enumerate(before)]
    news = [said(f"new {n}", own_id=f"urn:post:n{n}", link=f"https://www.new.example/post/n{n}") for n in range(3)]
    changes = fake_source.says("one", *news, *after, link=normalise_link("https://www.new.example/"))
    assert changes.entries.new_count == 3
    assert [new.entry.title for new in changes.entries.new] == ["Title new 0", "Title new 1", "Title new 2"]
    assert codes(changes).count(Code.REKEY_ENTRY) == 500
    with app.store.read() as tx:
        stands = {p.title: (p.atom_id, p.sort_at, p.updated, p.published) for p in tx.documents.publications(1, None)}
        links = {p.title: p.link for p in tx.documents.publications(1, None)}
    assert stands | stood == stands, "ids, places and dates are what they were"
    assert links["Title 7"] == "https://www.new.example/post/7", "the links are the new ones"
    site.clock.move(days=1)
    again = fake_source.says("one", *news, *after, link=normalise_link("https://www.new.example/"))
    assert (again.entries.new, again.entries.revised, again.entries.events) == ((), (), ())


def test_i35_below_nine_tenths_the_document_is_new(fake_source: FakeSource) -> None:
    before = [replace(entry, published=None) for entry in articles(10)]
    fake_source.says("one", *before)
    after = [replace(entry, id=f"b{n}", title=f"Other {n}") for n, entry in enumerate(before[:8])]
    changes = fake_source.says("one", *articles(2, first=50), *after)
    assert changes.entries.new_count == 10


def test_i35_on_the_link_alone_a_document_is_believed_as_a_whole(fake_source: FakeSource) -> None:
    before = [replace(entry, published=None) for entry in articles(10)]
    fake_source.says("one", *before)
    after = [replace(entry, id=f"b{n}", title=f"Other {n}") for n, entry in enumerate(before)]
    changes = fake_source.says("one", *articles(1, first=50), *after)
    assert changes.entries.new_count == 1
    assert {event.facts["because"] for event in changes.entries.events if event.code is Code.REKEY_ENTRY} == {
        "same address"
    }


def test_i35_a_single_entry_is_recognised_by_title_address_and_date(fake_source: FakeSource, app: App) -> None:
    old, other = articles(2)
    fake_source.says("one", old, other)
    changes = fake_source.says("one", replace(old, id="again"), other)
    assert changes.entries.new == ()
    assert codes(changes) == [Code.REKEY_ENTRY]
    assert titles(app) == ["Title 0", "Title 1"]


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Another title"},
        {"published": START + DAY},
        {
            "link": normalise_link("https://news.example/elsewhere"),
            "text": "Another text, of as many words as it takes.",
        },
    ],
    ids=str,
)
def test_i35_a_single_entry_that_differs_in_one_of_them_is_new(
    fake_source: FakeSource, other: dict[str, object]
) -> None:
    old, stays = articles(2)
    fake_source.says("one", old, stays)
    changes = fake_source.says("one", replace(old, id="again", **other), stays)  # type: ignore[arg-type]  # fields of Entry
    assert changes.entries.new_count == 1


def test_i35_a_single_entry_whose_address_was_edited_is_known(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    """Many programs take the address as the id; a typing error in it, mended, makes another of both."""
    old, stays = articles(2)
    fake_source.says("one", old, stays)
    link = normalise_link("https://news.example/mended")
    fake_source.says("one", stays)  # it leaves the window, and comes back elsewhere
    site.clock.move(hours=1)
    changes = fake_source.says("one", replace(old, id=link, link=link), stays)
    assert changes.entries.new == ()
    assert codes(changes) == [Code.REKEY_ENTRY, Code.REVISE_ENTRY]
    assert titles(app) == ["Title 0", "Title 1"]


def test_i35_an_undated_one_at_another_address_is_new(fake_source: FakeSource) -> None:
    """An open thread has one title and one text each week."""
    old, stays = (replace(entry, published=None) for entry in articles(2))
    fake_source.says("one", old, stays)
    link = normalise_link("https://news.example/next-week")
    assert fake_source.says("one", replace(old, id=link, link=link), stays).entries.new_count == 1


def episodes(*ids: str, length: int | None = 335_326) -> list[Entry]:
    """Return episodes without text, an hour apart, each with an enclosure that is named after its id."""
    return [
        replace(
            said(own_id, published=START - n * HOUR, title=f"Episode {own_id}", link=None),
            content="",
            text="",
            enclosures=(Enclosure(url=Url(f"https://news.example/{own_id}.m4a"), type="audio/mp4", length=length),),
        )
        for n, own_id in enumerate(ids)
    ]


def test_i35_episodes_with_other_titles_ids_and_file_names_are_known_by_dates_and_bytes(
    fake_source: FakeSource,
) -> None:
    fake_source.says("one", *episodes("a", "b", "c"))
    changes = fake_source.says("one", *episodes("a-01", "b-01", "c-01"))
    assert changes.entries.new == ()
    assert codes(changes).count(Code.REKEY_ENTRY) == 3


@pytest.mark.parametrize(
    ("count", "length"), [pytest.param(2, 335_326, id="too-few"), pytest.param(3, None, id="of-unknown-bytes")]
)
def test_i35_episodes_of_one_date_are_new_where_that_is_all(
    fake_source: FakeSource, count: int, length: int | None
) -> None:
    fake_source.says("one", *episodes(*"abc"[:count], length=length))
    changes = fake_source.says("one", *episodes(*"xyz"[:count], length=length))
    assert changes.entries.new_count == count


def test_i35_an_undated_daily_under_one_title_and_link_is_new_each_day(fake_source: FakeSource) -> None:
    menu = [said(n, title="Today's menu", link="https://news.example/menu", text=f"<p>Soup {n}</p>") for n in range(2)]
    fake_source.says("one", menu[0])
    assert fake_source.says("one", menu[1]).entries.new_count == 1


def test_i35_what_is_still_listed_under_its_own_id_is_nobody_elses_past(fake_source: FakeSource) -> None:
    (old,) = articles(1)
    fake_source.says("one", old)
    assert fake_source.says("one", replace(old, id="again"), old).entries.new_count == 1


def test_i35_ids_that_change_at_every_poll_end_with_links(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    entries = articles(4)
    news = articles(9, first=100)
    for poll in range(9):
        site.clock.move(hours=1)
        listed = [replace(entry, id=f"{poll}-{entry.title}") for entry in (*news[:poll][::-1], *entries)]
        changes = fake_source.says("one", *listed)
        assert changes.entries.new_count == (4 if poll == 0 else 1), poll
        assert changes.update.observed.by_link == (poll >= 2)
        if poll >= 4:
            assert Code.REKEY_ENTRY not in codes(changes), "links are the ids now, and those keep still"
    assert len(titles(app)) == 12


def test_i35_ids_that_count_places(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    entries = articles(6)
    for poll in range(5):
        site.clock.move(hours=1)
        listed = articles(poll, first=100)[::-1] + entries
        changes = fake_source.says("one", *(replace(entry, id=str(place)) for place, entry in enumerate(listed, 1)))
        assert changes.entries.new_count == (6 if poll == 0 else 1)
    assert len(titles(app)) == len(set(titles(app))) == 10


GARDEN = "<p>In spring the beds are dug over, and the seeds go in before the last of the frost is gone from there.</p>"
HARBOUR = "<p>The ferry stays in port until Thursday since its second engine waits for a part from another country.</p>"


def test_i35_an_id_that_is_used_again_names_a_new_article(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    own_id = "https://news.example/latest"
    old = said(1, own_id=own_id, title="Gardening in spring", text=GARDEN, published=START - DAY)
    new = said(2, own_id=own_id, title="No ferry before Thursday", text=HARBOUR, published=START)
    fake_source.says("one", old, *articles(3, first=5))
    site.clock.move(hours=1)
    changes = fake_source.says("one", new, *articles(3, first=5))
    assert changes.entries.new_count == 1
    assert Code.REUSE_ID in codes(changes)
    with app.store.read() as tx:
        ids = {p.title: p.atom_id for p in tx.documents.publications(1, None)}
    assert ids["Gardening in spring"] == own_id, "an id that was given out stays where it is"
    assert ids["No ferry before Thursday"] != own_id
    site.clock.move(hours=1)
    assert fake_source.says("one", new, *articles(3, first=5)).entries.events == ()


def test_i35_an_id_without_a_world_of_its_own_used_again_gets_another_minted_id(
    fake_source: FakeSource, app: App
) -> None:
    for number, (title, text) in enumerate(((("Gardening in spring"), GARDEN), ("No ferry before Thursday", HARBOUR))):
        fake_source.says("one", said(number, own_id="latest", title=title, text=text, published=START + number * HOUR))
    with app.store.read() as tx:
        assert len({p.atom_id for p in tx.documents.publications(1, None)}) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "No ferry before Thursday", "text": HARBOUR},  # at the same address
        {"title": "No ferry before Thursday", "link": normalise_link("https://news.example/2")},  # the same text
        {"link": normalise_link("https://news.example/2"), "text": HARBOUR},  # under the same title
        {
            "title": "No ferry",
            "link": normalise_link("https://news.example/2"),
            "text": HARBOUR,
            "published": START - DAY,  # and the same date
        },
    ],
    ids=["address", "text", "title", "date"],
)
def test_i35_less_than_everything_is_a_revision(fake_source: FakeSource, changes: dict[str, object]) -> None:
    old = said(1, title="Gardening in spring", text=GARDEN, published=START - DAY)
    fake_source.says("one", old)
    new = replace(old, **{"published": START} | changes)  # type: ignore[arg-type]  # fields of Entry
    if "text" in changes:
        new = replace(new, content=HARBOUR)
    assert fake_source.says("one", new).entries.new == ()


def trace(number: int, entry: Entry) -> Trace:
    (keyed,) = identify(Feed(entries=(entry,))).entries
    link = dedupe_link(keyed)
    return Trace(
        id=number,
        link=link,
        digest=keyed.digest,
        text_digest=keyed.text_digest,
        title=keyed.title,
        published=keyed.published,
        enclosures=keyed.enclosures,
    )


def test_pairs_are_one_to_one() -> None:
    one, twin, other = said(1, published=START), said(1, published=START), said(2, published=START)
    document = [("a", one), ("b", other)]
    assert pairs_of(document, {"a", "b"}, [trace(7, one), trace(8, other)]) == {
        "a": Pair(7, "same title, address and date"),
        "b": Pair(8, "same title, address and date"),
    }
    assert pairs_of(document, {"a"}, [trace(7, one), trace(9, twin)]) == {}, "which of the two?"
    assert pairs_of([("a", one), ("c", twin)], {"a", "c"}, [trace(7, one)]) == {}, "which of the two?"
    assert pairs_of(document, set(), [trace(7, one)]) == {}


def test_a_start_page_tells_nothing_apart() -> None:
    here = [replace(said(n, title=""), link=normalise_link("https://news.example/"), content="") for n in range(4)]
    assert pairs_of([(str(n), entry) for n, entry in enumerate(here)], set("0123"), [trace(9, here[0])]) == {}


def test_i35_missing_ids_that_appear_are_no_news(sample_site: SampleSite, publisher: FeedServer) -> None:
    dated = {"pubDate": "Wed, 04 Mar 2026 05:06:07 GMT"}
    bare = [item(n, guid="", **dated) for n in range(5)]
    ided = [item(n, guid=f"id-{n}", **dated) for n in range(5)]
    url = publisher.says("/feed.xml", *(Reply(200, rss(*items)) for items in (bare, ided, bare)))
    sample_site.writes(f"sources: ['{url}']")
    counts = []
    for _ in range(3):
        report = sample_site.poll()
        counts.append((report["new"], report["revised"]))
        sample_site.clock.move(hours=2)
    assert counts == [(5, 0), (0, 0), (0, 0)]
    assert sample_site.titles() == [f"Title {n}" for n in range(5)]


def test_i35_one_entry_without_id_and_link_whose_date_moves(sample_site: SampleSite, publisher: FeedServer) -> None:
    def document(poll: int) -> Reply:
        moving = item("moving", guid="", link="", title="A note", pubDate=f"Wed, 04 Mar 2026 0{poll}:00:00 GMT")
        return Reply(200, rss(moving, *(item(n) for n in range(3 + poll))))

    url = publisher.says("/feed.xml", *map(document, range(7)))
    sample_site.writes(f"sources: ['{url}']")
    news, rekeyed = [], []
    for _ in range(7):
        news.append(sample_site.poll()["new"])
        sample_site.clock.move(hours=2)
        with sample_site.opened("status") as app, app.store.read() as tx:
            key = app.in_force.settings.sources[0].key
            rekeyed.append(len(tx.trail.source_steps(key, (Code.REKEY_ENTRY,), 20)))
            alarms = {alarm.code.value: alarm.text for alarm in app.store.status(app.in_force.roster, START).alarms}
    assert news == [4, 1, 1, 1, 1, 1, 1]
    assert sample_site.titles().count("A note") == 1
    assert rekeyed == [0, 1, 2, 3, 3, 3, 3], "from then on the text is the id, and that keeps still"
    assert alarms["rekeyed"].endswith("titles and texts tell such entries apart now")


@pytest.mark.parametrize(("title", "content"), [("Another note", ""), ("", "<p>It says something else.</p>")])
def test_i35_without_id_and_link_another_title_or_text_is_another_entry(
    fake_source: FakeSource, title: str, content: str
) -> None:
    note = bare(1)
    fake_source.says("one", note)
    other = replace(note, published=START - HOUR, title=title or note.title, content=content or note.content)
    assert fake_source.says("one", other).entries.new_count == 1


def test_i35_two_notes_alike_that_stand_there_together_are_two(fake_source: FakeSource) -> None:
    first, second = bare(1), replace(bare(1), published=START - HOUR)
    assert fake_source.says("one", first, second).entries.new_count == 2
    assert fake_source.says("one", replace(first, published=START), second).entries.new_count == 0
    third = replace(first, published=START + HOUR)
    assert fake_source.says("one", third, replace(first, published=START), second).entries.new_count == 1


def test_i35_a_date_that_moves_once_is_no_habit(fake_source: FakeSource) -> None:
    note = bare(1)
    fake_source.says("one", note)
    assert fake_source.says("one", replace(note, published=START - HOUR)).entries.new_count == 0
    changes = fake_source.says("one", replace(note, published=START - HOUR), said(7))
    assert (changes.update.observed.redated_times, changes.update.observed.by_text) == (0, False)


def bare(number: int) -> Entry:
    """Return a dated entry without id and link."""
    return replace(said(number), id=None, link=None, published=START - DAY)


def test_i32_http_becomes_https(sample_site: SampleSite, publisher: FeedServer) -> None:
    plain = [item(n, guid=f"http://news.example/{n}", link=f"http://news.example/{n}") for n in range(5)]
    safe = [item(n, guid=f"https://news.example/{n}", link=f"https://news.example/{n}") for n in range(5)]
    url = publisher.says("/feed.xml", *(Reply(200, rss(*items)) for items in (plain, safe)))
    sample_site.writes(f"sources: ['{url}']")
    assert sample_site.poll()["new"] == 5
    sample_site.clock.move(hours=2)
    report = sample_site.poll()
    assert (report["new"], report["revised"]) == (0, 0)
    assert [
        each.findtext("{http://www.w3.org/2005/Atom}id") for each in sample_site.entries("category/general.atom")
    ] == [f"http://news.example/{n}" for n in range(5)]
