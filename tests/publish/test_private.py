"""A private source in the published files, byte for byte: its address is in none of them (S44)."""

import gzip
import json
from dataclasses import replace

import pytest

from aggregator.model.entry import Enclosure, Entry, Origin
from aggregator.model.settings import SourceKey
from aggregator.model.supplement import Contributor, Image, Reference, Supplement
from aggregator.render.redaction import public_name
from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

TOKEN = "9f8e7d6c5b4a39281706f5e4"
ADDRESS = f"https://pub.example/feed/{TOKEN}/rss?auth=sekrettoken"
PRIVATE = f"sources: [{{key: p, url: '{ADDRESS}', private: true, category: x}}]\n"
ATOM_ID = "tag:pub.example,2026:1"


def holding(site: SampleSite, *texts: str) -> list[str]:
    """Name the outputs that hold one of some texts, status.* and twins among them."""
    root = site.folder / "public"
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        found += [str(path.relative_to(root)) for text in texts if text.encode() in data]
    return found


def own_feed(fake_source: FakeSource, *entries: Entry, **more: object) -> None:
    facts: dict[str, object] = {
        "id": ADDRESS,
        "self_link": Url(ADDRESS),
        "link": Url("https://pub.example/"),
        "icon": Url(f"https://pub.example/{TOKEN}.png"),
    }
    fake_source.says("p", *entries, **facts | more)


def test_s44_a_source_made_private_later_shows_its_address_no_more(site: SampleSite) -> None:
    site.writes(PRIVATE.replace(", private: true", ""))
    with site.opened() as app:
        own_feed(FakeSource(app), said(1, own_id=ATOM_ID))
        app.publisher.publish()
    assert "category/x.atom" in holding(site, TOKEN, "sekrettoken")
    site.writes(PRIVATE)
    with site.opened() as app:
        app.publisher.publish()
    assert holding(site, TOKEN, "sekrettoken") == []
    assert site.items("category/x.json")[0]["id"] == ATOM_ID, "ids never change"


def test_s44_a_private_source_is_public_again_as_it_was(site: SampleSite) -> None:
    site.writes(PRIVATE)
    with site.opened() as app:
        own_feed(FakeSource(app), said(1, own_id=ATOM_ID))
        app.publisher.publish()
    site.writes(PRIVATE.replace(", private: true", ""))
    with site.opened() as app:
        app.publisher.publish()
    (entry,) = site.entries("category/x.atom")
    assert entry.findtext("{*}source/{*}id") == ADDRESS


@pytest.mark.parametrize("since", ["from-the-start", "later"])
def test_s44_nothing_of_an_entry_holds_a_part_of_the_address(site: SampleSite, since: str) -> None:
    base = f"https://pub.example/feed/{TOKEN}"
    content = f"<p>Hear it at <a href='{base}/1.mp3'>{base}/1.mp3</a>, or subscribe: {ADDRESS}</p>"
    entry = said(1, own_id=f"{base}/item/1", link=f"{base}/item/1", text=content)
    sound = Enclosure(url=Url(f"{base}/audio/1.mp3"), type="audio/mpeg")
    beside = Reference(url=Url(f"{base}/1.vtt"))
    supplement = Supplement(
        images=(Image(url=Url(f"{base}/1.jpg")),),
        player=Url(f"{base}/play"),
        replies=(beside,),
        contributors=(Contributor(name=TOKEN, role=TOKEN),),
        transcripts=(beside,),
        chapters=beside,
    )
    site.writes(PRIVATE.replace(", private: true", "") if since == "later" else PRIVATE)
    with site.opened() as app:
        own_feed(FakeSource(app), _with(entry, enclosures=(sound,), supplement=supplement))
        app.publisher.publish()
    site.writes(PRIVATE)
    with site.opened() as app:
        app.publisher.publish()
    assert holding(site, TOKEN, "sekrettoken") == []
    (item,) = site.items("category/x.json")
    assert item["id"].startswith("urn:uuid:")
    assert "attachments" not in item
    assert "key" not in item["_aggregator"]
    assert [element.findtext("{*}id") for element in site.entries("all.atom")] == [item["id"]]


def _with(entry: Entry, **changes: object) -> Entry:
    return replace(entry, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("link", [ADDRESS, ADDRESS.partition("?")[0], "https://pub.example/?x=sekrettoken"])
def test_s44_a_site_link_that_tells_the_address_is_left_out(site: SampleSite, link: str) -> None:
    site.writes(PRIVATE)
    with site.opened() as app:
        own_feed(FakeSource(app), said(1), link=Url(link))
        app.publisher.publish()
    assert holding(site, TOKEN, "sekrettoken") == []


def test_s44_the_site_of_a_private_source_is_shown(site: SampleSite) -> None:
    site.writes(PRIVATE)
    with site.opened() as app:
        own_feed(FakeSource(app), said(1))
        app.publisher.publish()
    (entry,) = site.entries("category/x.atom")
    links = [(link.get("rel"), link.get("href")) for link in entry.findall("{*}source/{*}link")]
    assert links == [("alternate", "https://pub.example/")]


def test_s44_the_origin_that_an_entry_carries_is_no_way_round(site: SampleSite) -> None:
    carried = Origin(id=ADDRESS, title="Own", self_link=Url(ADDRESS))
    site.writes(PRIVATE)
    with site.opened() as app:
        own_feed(FakeSource(app), _with(said(1), origin=carried))
        app.publisher.publish()
    assert holding(site, TOKEN, "sekrettoken") == []


@pytest.mark.parametrize("title", ["", "Titled"])
def test_s44_a_derived_key_shows_no_host(site: SampleSite, title: str) -> None:
    site.writes("sources: [{url: 'https://hidden.example/', private: true}, 'https://open.example/']\n")
    with site.opened() as app:
        (key,) = [source.key for source in app.in_force.settings.sources if source.private]
        (other,) = [source.key for source in app.in_force.settings.sources if not source.private]
        fake_source = FakeSource(app)
        fake_source.says(key, said(1, link="https://news.example/1"), title=title)
        fake_source.says(other, said(2, link="https://news.example/2"))
        app.publisher.publish()
    assert holding(site, "hidden.example") == []
    named = {item["_aggregator"]["source"] for item in site.items()}
    (status,) = [s["key"] for s in json.loads(site.published("status.json"))["sources"] if s["url"] is None]
    assert named == {other, status}
    assert status.startswith("private-")
    assert f'id="source-{status}"'.encode() in site.published("sources.html")


def test_s44_a_source_stays_private_when_it_has_left_feeds_yaml(site: SampleSite) -> None:
    other = "{key: o, url: 'https://open.example/', category: x}"
    site.writes(PRIVATE.replace("]\n", f", {other}]\n"))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("o", said(1, own_id="tag:open.example,2026:1"))
        own_feed(fake_source, said(1, own_id="tag:open.example,2026:1"), said(2))
        app.publisher.publish()
    before = site.files()
    assert holding(site, "Feed p") != [], "it has a title"
    (first, _) = sorted(site.items("category/x.json"), key=lambda item: str(item["title"]))
    assert "also" not in first["_aggregator"], "a private copy is credited nowhere"
    site.writes(f"sources: [{other}]\n")
    with site.opened() as app:
        app.publisher.publish(everything=True)
    assert holding(site, TOKEN, "sekrettoken") == []
    after = site.files()
    lists = {f"sources.{form}{twin}" for form in ("html", "opml") for twin in ("", ".gz")}
    gone = {path for path in before if path not in after}
    assert {path.removesuffix(".gz") for path in gone} == {f"source/{public_name(SourceKey('p'))}.html"}
    changed = {path for path in before if path in after and before[path][0] != after[path][0]}
    pages = {path for path in changed if path.startswith("entry/")}
    assert changed - pages <= lists
    assert pages, "those of its stories, which lead to its page no more"


def test_s44_a_private_edit_that_was_never_published_holds_too(site: SampleSite) -> None:
    site.writes(PRIVATE.replace(", private: true", ""))
    with site.opened() as app:
        own_feed(FakeSource(app), said(1))
        app.publisher.publish()
    site.writes(PRIVATE)
    with site.opened():
        pass  # stored, not rendered
    site.writes("sources: [{key: o, url: 'https://open.example/', category: x}]\n")
    with site.opened() as app:
        app.publisher.publish()
    assert holding(site, TOKEN, "sekrettoken") == []


def test_s69_status_says_nothing_of_unlisted_categories(site: SampleSite) -> None:
    site.writes(
        "categories: {hush: {unlisted: true, title: Hush}, open: {}}\n"
        "sources: [{key: one, url: 'https://one.example/', category: hush, title: Whisper},"
        " {key: two, url: 'https://two.example/', category: [open, hush]}]\n"
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1))
        fake_source.says("two", said(2))
        app.publisher.publish()
    hushed = ("hush", "Hush", "Whisper", "one.example")
    assert [path for path in holding(site, *hushed) if not path.startswith("category/hush")] == []
    (source,) = json.loads(site.published("status.json"))["sources"]
    assert (source["key"], source["categories"]) == ("two", ["open"])


def test_s69_no_path_of_this_machine_is_published(site: SampleSite) -> None:
    site.folder.joinpath("harbour.xml").write_text("<rss version='2.0'><channel/></rss>", encoding="utf-8")
    site.writes("sources: [{key: own, kind: file, url: harbour.xml, category: x}]\n")
    with site.opened() as app:
        FakeSource(app).says("own", said(1))
        app.publisher.publish()
    assert holding(site, str(site.folder), "file:") == []
    (source,) = json.loads(site.published("status.json"))["sources"]
    assert (source["key"], source["url"]) == ("own", None)


def test_t2_a_copy_of_an_unlisted_category_is_credited_there_alone(site: SampleSite) -> None:
    def feeds(hush: str, extra: str = "") -> str:
        return (
            f"publish: {{entries: 10, archive_page: 10}}\ncategories: {{open: {{}}, other: {{}}{hush}}}\nsources:\n"
            "  - {key: two, url: 'https://two.example/', category: [open, other]}\n"
            "  - {key: three, url: 'https://three.example/', category: other}\n" + extra
        )

    whisper = "  - {key: one, url: 'https://one.example/', category: hush, title: Whisper}\n"
    hushed = ("Whisper", "one.example")
    site.writes(feeds(", hush: {unlisted: true}", whisper))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("two", *(said(n) for n in range(25)))
        fake_source.says("one", *(said(n, own_id=f"copy-{n}", link=f"https://one.example/{n}") for n in range(25)))
        fake_source.says("three", said(1, own_id="third", link="https://three.example/1"))
        app.publisher.publish()
    named = holding(site, *hushed)
    assert named
    assert [path for path in named if not path.startswith("category/hush")] == []
    assert "category/open.atom" in holding(site, "three.example"), "a copy in another listed category is"
    site.writes(feeds(""))
    with site.opened() as app:
        app.publisher.publish(everything=True)
    assert [path for path in holding(site, *hushed) if not path.startswith("category/hush")] == [], (
        "nor once it is gone"
    )
    site.writes(feeds(", hush: {}", whisper))
    with site.opened() as app:
        app.publisher.publish()
    assert "category/open.atom" in holding(site, *hushed), "it is listed now"


def test_s44_the_id_of_a_private_founder_is_veiled_also_when_another_copy_alone_is_left(site: SampleSite) -> None:
    """Its own tombstone must not show what the publication hid: the id is the same before and after."""
    both = PRIVATE.replace("]\n", ", {key: two, url: 'https://two.example/', category: x}]\n")
    own_id = f"https://pub.example/feed/{TOKEN}/1"
    site.writes(both.replace(", private: true", ""))
    with site.opened() as app:
        fake_source = FakeSource(app)
        own_feed(fake_source, said(1, own_id=own_id))
        fake_source.says("two", said(1, own_id="copy"), said(2))
    site.writes(both)
    with site.opened() as app:
        app.publisher.publish()
        before = {item["id"] for item in site.items("category/x.json")}
        own_feed(FakeSource(app), said(3), deleted=((own_id, site.clock()),))
        app.publisher.publish()
    after = {item["id"] for item in site.items("category/x.json")}
    assert before < after
    assert holding(site, TOKEN) == []


def test_a4_a_private_copy_of_a_public_story_leaves_its_id_alone(site: SampleSite) -> None:
    """The same publisher's feed for members has a part of its address in common with the ids of the public one."""
    member = "{key: p, url: 'https://pub.example/world-politics/feed?auth=sekrettoken', private: true, category: x}"
    site.writes(f"sources: [{{key: two, url: 'https://pub.example/app-politics/rss', category: x}}, {member}]\n")
    own_id = "https://pub.example/world-politics/2026/1"
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("two", said(1, own_id=own_id))
        app.publisher.publish()
        assert [item["id"] for item in site.items("category/x.json")] == [own_id]
        fake_source.says("p", said(1, own_id=own_id))
        app.publisher.publish()
    assert [item["id"] for item in site.items("category/x.json")] == [own_id]
