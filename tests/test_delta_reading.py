"""Reading only what is new of a feed gives the result of a full reading; anything unusual is read whole.

`tests/delta.py` reads each document twice. The corpus is compared in `test_delta_corpus.py`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from aggregator.errors import StoreError
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.model.window import mark_of
from aggregator.parse import cut
from aggregator.reader import reading
from aggregator.store.schema import entry, source
from tests.delta import Edits, Newsroom, compare, fetched, read_with, tell_twice, window_of
from tests.rows import change, rows

SOURCE = "sources: [{key: news, url: 'https://news.example/feed'}]\n"
WHEN = "Wed, 04 Mar 2026 {:02}:00:00 GMT"
RSS = (
    '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
    "<title>News</title><link>https://news.example/</link><description>d</description>"
    "<lastBuildDate>Wed, 04 Mar 2026 10:00:00 GMT</lastBuildDate>\n{}\n</channel></rss>"
)
ATOM = (
    '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://news.example/">'
    '<id>urn:example:news</id><title>News</title><updated>2026-03-04T10:00:00Z</updated><link href="/"/>\n{}\n</feed>'
)
RDF = (
    '<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/"><channel rdf:about="https://news.example/"><title>News</title>'
    "<link>https://news.example/</link><items><rdf:Seq/></items></channel>\n{}\n</rdf:RDF>"
)
TEXT = "&lt;p&gt;What number {} says, at a length that tells it from &lt;b&gt;all&lt;/b&gt; others: ü, 中.&lt;/p&gt;"


def rss_item(number: int, text: str = TEXT, **fields: str) -> str:
    made = {
        "guid": f"https://news.example/{number}",
        "title": f"Title {number}",
        "link": f"/{number}",
        "pubDate": WHEN.format(number % 24),
        "description": text.format(number),
    }
    return "<item>" + "".join(f"<{name}>{said}</{name}>" for name, said in (made | fields).items() if said) + "</item>"


def atom_entry(number: int, text: str = TEXT, **_: str) -> str:
    return (
        f'<entry xml:lang="en"><id>urn:example:{number}</id><title>Title {number}</title><link href="{number}.html"/>'
        f"<updated>2026-03-04T{number % 24:02}:00:00Z</updated>"
        f'<content type="html">{text.format(number)}</content></entry>'
    )


def rdf_item(number: int, text: str = TEXT, **_: str) -> str:
    return (
        f'<item rdf:about="https://news.example/{number}"><title>Title {number}</title>'
        f"<link>https://news.example/{number}</link><description>{text.format(number)}</description></item>"
    )


FORMATS = {"rss": (RSS, rss_item), "atom": (ATOM, atom_entry), "rdf": (RDF, rdf_item)}


def feed_of(numbers: Sequence[int], kind: str = "rss", **said: str) -> bytes:
    document, item = FORMATS[kind]
    return document.format("\n".join(item(number, **said) for number in numbers)).encode()


BEFORE = feed_of(range(1, 9))
AFTER = feed_of(range(0, 8))
WHOLE = {  # what a publisher or an operator may do, and why the document is read whole then
    "a comment around items": ("<!--" + rss_item(1) + "-->", "misplaced"),
    "an item in another element": ("<x>" + rss_item(1) + "</x>", "misplaced"),
    "an item in an item": (rss_item(0).replace("</item>", rss_item(90) + "</item>"), "structure"),
    "a section that quotes another": (rss_item(0, text="<![CDATA[{} <![CDATA[ ]]>"), "structure"),
    "an empty item": ("<item/>", "structure"),
    "an XML id, which another item may have": (rss_item(0).replace("<item>", "<item xml:id='a'>"), "structure"),
    "an item of another namespace": ("<dc:item/>", "structure"),
    "the same item twice": (rss_item(0) + rss_item(0), "twice"),
    "a known item twice": (rss_item(1), "twice"),
    "a known id with another text": (rss_item(1, text="Edited {}, at length"), "notices"),
    "an id that differs in its scheme": (rss_item(1, guid="http://news.example/1", title="Other"), "notices"),
    "two items with one id": (rss_item(0) + rss_item(0, title="Other", link="/x", pubDate=""), "keys"),
    "an item without id and link": (rss_item(0, guid="", link=""), "keys"),
    "an item without id": (rss_item(0, guid="").replace("<item>", "<item>"), "keys"),
    "an item without anything": ("<item><foo>x</foo></item>", "unusual"),
    "a date that can't be read": (rss_item(0, pubDate="yesterday"), "notices"),
    "a date in figures": (rss_item(0, pubDate="25/2/2026"), "dates"),
    "an entity of HTML": (rss_item(0, text="{} &nbsp; and so on"), "malformed"),
    "a tag that is not closed": (rss_item(0, text="<br>"), "malformed"),
    "a tombstone": ('<d:deleted-entry xmlns:d="http://purl.org/atompub/tombstones/1.0" ref="a" when="b"/>', "unusual"),
    "a complete list": ('<f:complete xmlns:f="http://purl.org/syndication/history/1.0"/>', "unusual"),
    "a second channel": ("</channel><channel>", "structure"),
}
CHANGED = {  # outside of the items
    "another language": (("<description>d", "<language>de</language><description>d"), "context"),
    "another site": (("<link>https://news", "<link>https://other"), "context"),
    "another version": (('version="2.0"', 'version="0.92"'), "context"),
    "an attribute of the root": (("<rss ", "<rss xml:base='https://other.example/' "), "context"),
    "an attribute of the channel": (("<channel>", "<channel xml:lang='de'>"), "context"),
    "another namespace": (('xmlns:dc="http', 'xmlns:dc="https'), "context"),
    "a DOCTYPE": (("<rss ", "<!DOCTYPE rss><rss "), "doctype"),
    "another character set": (('encoding="utf-8"', 'encoding="iso-8859-1"'), "notices"),
    "the end is missing": (("</channel></rss>", ""), "malformed"),
    "another root": (("<rss ", "<RSS "), "structure"),
}


def read_after(before: bytes, after: bytes, **said: Any) -> str:
    return compare(fetched(before), fetched(after, **said))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("new", [1, 3, 7])
def test_new_items_alone_are_read(kind: str, new: int) -> None:
    before, after = feed_of(range(new, 30), kind), feed_of(range(0, 30 - new), kind)
    assert read_after(before, after) == ""
    window = window_of(read_with(b"", fetched(before)))
    part = read_with(window, fetched(after))
    assert [item.title for item in part.entries] == [f"Title {number}" for number in range(new)]
    assert len(part.listing.seen) == 30 - 2 * new
    assert len(part.listing.marks) == 30 - new


@pytest.mark.parametrize("kind", FORMATS)
def test_a_document_without_a_new_item_is_hardly_read(kind: str) -> None:
    before = feed_of(range(9), kind)
    after = before.replace(b"10:00:00", b"11:30:00", 1)
    assert read_after(before, after) == ""
    assert read_with(window_of(read_with(b"", fetched(before))), fetched(after)).entries == ()


@pytest.mark.parametrize("title", ["x<body>y</body>", "x<dc:title>y</dc:title>", "<summary>x</summary>"])
def test_a_text_inside_another_is_nothing_unusual(title: str) -> None:
    items = "\n".join(map(rss_item, range(1, 9)))
    after = RSS.format(rss_item(0, title=title) + items + rss_item(10, text="<p>{}</p> <b>x</b>")).encode()
    assert read_after(BEFORE, after) == ""
    assert read_after(BEFORE, after.replace(b"<title>News", b"<title>News<dc:title>x</dc:title>")) == ""


@pytest.mark.parametrize("what", WHOLE)
def test_unusual_items_are_read_whole(what: str) -> None:
    new, why = WHOLE[what]
    items = "\n".join(map(rss_item, range(1, 9)))
    if why != "misplaced":
        assert read_after(BEFORE, RSS.format(new + items).encode()) == why
    else:
        assert read_after(BEFORE, RSS.format(items.replace(rss_item(1), new)).encode()) == why


@pytest.mark.parametrize("what", CHANGED)
def test_a_change_around_the_items_makes_all_of_them_be_read(what: str) -> None:
    (old, new), why = CHANGED[what]
    assert read_after(BEFORE, AFTER.decode().replace(old, new).encode()) == why


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"url": "https://other.example/feed"}, "context"),
        ({"content_language": "de"}, "context"),
        ({"content_type": "application/xml; charset=windows-1252"}, "notices"),
        ({"content_type": "text/html"}, ""),
        ({"is_delta": True}, "delta"),
    ],
)
def test_a_change_of_the_response_matters_as_far_as_reading_depends_on_it(said: dict[str, Any], why: str) -> None:
    assert read_after(BEFORE, AFTER, **said) == why


def test_a_change_of_the_context_is_found_before_anything_is_read() -> None:
    window = window_of(read_with(b"", fetched(BEFORE)))
    assert read_with(window, fetched(AFTER), Reading(timezone="Asia/Tokyo")).listing.whole == "context"
    assert read_with(window, fetched(AFTER), Reading(allow_classes=frozenset({"a"}))).listing.whole == "context"
    assert read_with(window, fetched(AFTER), Reading()).listing.whole == ""


def test_another_version_of_a_library_reads_all_once(monkeypatch: pytest.MonkeyPatch) -> None:
    window = window_of(read_with(b"", fetched(BEFORE)))
    monkeypatch.setattr(reading, "VERSIONS", (*reading.VERSIONS[:-1], "another"))
    again = read_with(window, fetched(AFTER))
    assert again.listing.whole == "context"
    assert read_with(window_of(again), fetched(feed_of(range(20, 21)) + b"")).listing.whole == "nothing known"
    assert read_with(window_of(again), fetched(AFTER + b"\n")).listing.whole == ""


def test_the_limit_of_a_source_counts_all_items() -> None:
    assert compare(fetched(feed_of(range(1, 4))), fetched(feed_of(range(4))), Reading(limit=3)) == "notices"
    assert compare(fetched(feed_of(range(1, 4))), fetched(feed_of(range(3))), Reading(limit=3)) == ""


def test_the_title_of_a_file_is_no_text_inside_another() -> None:
    file = "<m:group><media:content url='a.png'><media:title>A file</media:title></media:content></m:group></item>"
    named = RSS.replace("<rss ", "<rss xmlns:media='http://search.yahoo.com/mrss/' xmlns:m='urn:m' ")
    items = [rss_item(number).replace("</item>", file) for number in range(9)]
    assert read_after(named.format("".join(items[1:])).encode(), named.format("".join(items)).encode()) == ""


def test_items_without_ids_are_known_by_their_links_if_all_are() -> None:
    bare = {"guid": ""}
    assert read_after(feed_of(range(1, 9), **bare), feed_of(range(8), **bare)) == ""
    both = RSS.format("".join([rss_item(0), *(rss_item(n, guid="") for n in range(1, 9))]))
    assert read_after(feed_of(range(1, 9), **bare), both.encode()) == "keys"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([*range(1, 9), "a", "a"], [*range(9), "a"]),  # the id of the last one is its own now
        ([*range(1, 9)], ["a", "a", "a", *range(1, 9)]),  # among all items, "a" is no constant: they are merged
        (["a"] * 6, ["b"] * 3 + ["a"] * 6),
        (["a"] * 6, ["a"]),
    ],
)
def test_items_that_share_an_id_are_read_whole(before: list[int | str], after: list[int | str], tmp_path: Path) -> None:
    def told(ids: list[int | str]) -> Fetched:
        made = {"title": "Same", "pubDate": ""}
        items = [
            rss_item(number, guid=said, **made) if isinstance(said, str) else rss_item(said, guid="")
            for number, said in zip(range(40 - len(ids), 40), ids, strict=True)
        ]
        return fetched(RSS.format("".join(items)).encode())

    assert not tell_twice(tmp_path, SOURCE, [told(before), told(after)]).cuts


def test_a_section_that_could_end_in_a_known_item_makes_all_of_them_be_read() -> None:
    items = [
        rss_item(n, description="").replace("</item>", "<!-- ]]> --><x><![CDATA[a</x></entry><![CDATA[b]]></x></item>")
        for n in range(9)
    ]
    after = RSS.replace(">d<", "><![CDATA[d <![CDATA[ ]]><")
    assert read_after(RSS.format("".join(items[1:])).encode(), after.format("".join(items)).encode()) == "structure"


@pytest.mark.parametrize("charset", ["gb18030", "shift_jis", "windows-1252"])
def test_other_character_sets_are_read_in_part_if_they_are_declared(charset: str) -> None:
    text = {
        "gb18030": "服务器今天发布了更新",
        "shift_jis": "サーバーの更新を公開した",
        "windows-1252": "Café für älteres",
    }[charset] * 3

    def told(numbers: Sequence[int]) -> bytes:
        return RSS.replace("utf-8", charset).format("".join(rss_item(n, text + " {}") for n in numbers)).encode(charset)

    assert read_after(told(range(1, 20)), told(range(19))) == ""
    utf8 = RSS.format("".join(rss_item(n, text + " {}") for n in range(19))).encode()
    assert read_after(told(range(1, 20)), utf8) != ""


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_was_encoded_twice_is_read_whole(mark: str) -> None:
    """A few such letters are no proof; the new items make it one, and all items read otherwise then."""
    before = mark + RSS.format("".join(rss_item(n, "Ã¼ber {}") for n in range(1, 6)))
    after = mark + RSS.format("".join(rss_item(n, "Ã¼ber {}") for n in range(12)))
    assert read_after(before.encode(), after.encode()) == "charset"


def test_a_body_of_very_many_elements_is_read_whole() -> None:
    window = window_of(read_with(b"", fetched(BEFORE)))
    many = AFTER.decode().replace("<description>d", "<x/>" * cut.MAX_ELEMENTS + "<description>d").encode()
    assert read_with(window, fetched(many)).listing.whole == "large"
    deep = AFTER.decode().replace("<description>d", "<x>" * 200 + "</x>" * 200 + "<description>d").encode()
    assert read_with(window, fetched(deep)).listing.whole == "large"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cut_that_is_broken_is_caught(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = feed_of(range(9), kind)
    edits = Edits(body).versions()
    monkeypatch.setattr(cut, "mark_of", lambda data: mark_of(data[:40]))  # it overlooks most edits
    caught = 0
    for before, after in edits.values():
        try:
            compare(fetched(before, etag="broken"), fetched(after, etag="broken"))  # no reading before is reused
        except AssertionError:
            caught += 1
    assert caught


NAMES = st.sampled_from(sorted(FORMATS))
EDITS = st.lists(
    st.tuples(st.sampled_from(["add", "drop", "edit", "swap", "double", "stamp", "again"]), st.integers(0, 30)),
    max_size=5,
)
PIECES = [
    "{}",
    "{} &lt;item&gt;",
    "<![CDATA[<item>{}</item>]]>",
    "<![CDATA[{}]]>]",
    "{}<!-- </item> -->",
    "&#150;{}",
    " ",
    "{} ]]&gt;",
]


def edited(items: list[str], edit: tuple[str, int], kind: str) -> list[str]:
    what, number = edit
    _, made = FORMATS[kind]
    place = number % (len(items) or 1)
    match what:
        case "add":
            return [made(number, PIECES[number % len(PIECES)]), *items]
        case "again":
            return [made(number), *items]
        case "drop":
            return items[:place] + items[place + 1 :]
        case "edit":
            return [
                *items[:place],
                *(each.replace("Title", "Titles", 1) for each in items[place : place + 1]),
                *items[place + 1 :],
            ]
        case "swap":
            return items[place:] + items[:place]
        case "double":
            return [*items, *items[place : place + 1]]
    return items


def history(kind: str, steps: Sequence[Sequence[tuple[str, int]]]) -> list[Fetched]:
    document, made = FORMATS[kind]
    items, told = [made(number, TEXT) for number in range(5, 9)], []
    for hour, edits in enumerate(steps):
        for edit in edits:
            items = edited(items, edit, kind)
        body = document.replace("10:00:00", f"10:{hour:02}:00", 1) if ("stamp", 1) in edits else document
        told.append(fetched(body.replace("{}", "\n".join(items), 1).encode(), etag=f'"{hour}"'))
    return told


@given(NAMES, st.lists(EDITS, min_size=2, max_size=6))
@settings(max_examples=60)
def test_any_document_after_any_other_reads_as_a_whole(kind: str, steps: list[list[tuple[str, int]]]) -> None:
    told = history(kind, steps)
    for before, after in pairwise(told):
        compare(before, after)


@given(NAMES, st.lists(EDITS, min_size=3, max_size=6))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_history_leaves_the_same_store_and_files(
    tmp_path_factory: pytest.TempPathFactory, kind: str, steps: list[list[tuple[str, int]]]
) -> None:
    tell_twice(tmp_path_factory.mktemp("twice"), SOURCE, history(kind, steps))


def test_a_long_history_is_cut_at_each_poll(tmp_path: Path) -> None:
    told = [fetched(feed_of(range(30 - hour, 42 - hour))) for hour in range(8)]
    room = tell_twice(tmp_path, SOURCE, told)
    assert room.cuts == 7
    assert room.reasons == ["first", *[""] * 7]


SETTINGS = {
    "rules": "exclude: [{title: 'Title 3'}], rewrite: [{content: {replace: What, with: Who}}]",
    "near": "dedupe: near, initial: 2",
    "private": "private: true, keep: 30d",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_a_source_change_nothing_about_that(name: str, tmp_path: Path) -> None:
    told = [fetched(feed_of(range(20 - 2 * hour, 30 - hour))) for hour in range(5)]
    told += [fetched(feed_of(range(11, 25), text="Edited {}, so that all are revised, at some length"))]
    told += [fetched(feed_of(range(9, 25), text="Edited {}, so that all are revised, at some length"))]
    assert tell_twice(tmp_path, SOURCE.replace("}", f", {SETTINGS[name]}}}"), told).cuts >= 5


def test_fields_that_no_new_item_has_are_not_lost_if_known_items_have_them(tmp_path: Path) -> None:
    first = [rss_item(number) for number in range(10, 20)]
    bare = [rss_item(number, "", link="", pubDate="") for number in range(10)]
    told = [fetched(RSS.format("".join(bare[10 - hour : 10] + first[: 10 - hour])).encode()) for hour in range(11)]
    assert tell_twice(tmp_path, SOURCE, told).cuts >= 6


def polled(room: Newsroom, *answers: Fetched) -> None:
    with room.site.opened() as app:
        for answer in answers:
            room.polls(app, answer)
            room.site.clock.move(hours=1)


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    """A site whose source was polled once."""
    room = Newsroom(tmp_path, delta=True)
    room.site.writes(SOURCE)
    polled(room, fetched(BEFORE))
    return room


def titles(room: Newsroom) -> list[str]:
    return [title for (title,) in rows(room.site.folder, "SELECT title FROM entry ORDER BY id")]


def window(room: Newsroom) -> bytes | None:
    (found,) = rows(room.site.folder, "SELECT window FROM source")[0]
    return None if found is None else bytes(found)


@pytest.mark.parametrize("trigger", ["BEFORE INSERT ON entry", "BEFORE UPDATE OF window ON source"])
def test_r1_what_could_not_be_stored_is_read_again(trigger: str, room: Newsroom) -> None:
    before = window(room)
    change(room.site.folder, f"CREATE TRIGGER fails {trigger} BEGIN SELECT RAISE(ABORT, 'no'); END")
    with suppress(StoreError):  # the entries of one poll are rolled back alone, the rows of sources with the group
        polled(room, fetched(AFTER))
    assert window(room) == before
    assert "Title 0" not in titles(room)
    change(room.site.folder, "DROP TRIGGER fails")
    polled(room, fetched(AFTER))
    assert titles(room)[-1] == "Title 0"
    assert window(room) != before


def test_what_was_edited_in_the_store_meanwhile_makes_the_source_be_polled_again(room: Newsroom) -> None:
    change(room.site.folder, update(entry).where(entry.c.title == "Title 3").values(digest="1:" + "0" * 64))
    polled(room, fetched(AFTER))
    assert window(room) is None
    assert rows(room.site.folder, "SELECT claims, polls FROM source") == [(0, 1)], "that was no poll"
    polled(room, fetched(AFTER))
    assert titles(room)[-1] == "Title 0"
    assert room.reasons == ["first", "", "first"]


def test_p66_a_source_whose_address_another_one_uses_too_is_read_whole(room: Newsroom) -> None:
    room.site.writes(SOURCE.replace("]", ", {key: twin, url: 'https://twin.example/', category: other}]"))
    with room.site.opened():
        pass
    change(room.site.folder, "UPDATE source SET url_in_use = 'https://news.example/feed'")
    polled(room, fetched(AFTER), fetched(feed_of(range(30, 38))))
    assert room.cuts == 0
    assert [count for (count,) in rows(room.site.folder, "SELECT entries FROM source ORDER BY key")] == [17, 16]


def test_r47_other_settings_of_reading_read_all_once(room: Newsroom) -> None:
    room.site.writes(SOURCE.replace("}", ", timezone: Asia/Tokyo}"))
    polled(room, fetched(AFTER), fetched(AFTER + b"\n"))
    assert room.reasons == ["first", "first", ""]


def test_a_source_that_is_in_doubt_has_no_window(room: Newsroom) -> None:
    strange = (
        RSS.replace("News", "Casino")
        .replace("//news", "//casino")
        .format("".join(rss_item(number, guid=f"x{number}", title=f"Win {number}") for number in range(50, 58)))
    )
    polled(room, fetched(strange.encode()))
    assert rows(room.site.folder, "SELECT state, read_whole FROM source") == [("suspect", "doubted")]
    assert window(room) is None


def test_an_old_window_that_is_not_understood_is_none(room: Newsroom) -> None:
    change(room.site.folder, update(source).values(window=b"from another version"))
    polled(room, fetched(AFTER), replace(fetched(AFTER + b"\n"), etag='"y"'))
    assert room.reasons == ["first", "first", ""]
