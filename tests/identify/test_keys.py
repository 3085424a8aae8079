"""Keys of entries, by which a later document has the same entry (I30 to I38)."""

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean.titles import MAX_TITLE
from aggregator.identify.keys import (
    VERSION,
    digest_of,
    global_id_hash,
    identify,
    identify_again,
    key_form,
    speaks_for_itself,
    text_digest_of,
)
from aggregator.model.entry import Enclosure, Entry, EntryKey, Feed, KeyRule, Person, Tag
from aggregator.urls import Url, normalise, normalise_link

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
SITE = normalise("https://site.example/")


def url(path: str) -> Url:
    return normalise_link(f"https://site.example/{path}")


def keyed(*entries: Entry) -> list[Entry]:
    feed = Feed(link=SITE, entries=tuple(replace(entry, position=n) for n, entry in enumerate(entries)))
    return list(identify(feed).entries)


def rules(*entries: Entry) -> list[KeyRule]:
    return [entry.key_rule for entry in keyed(*entries)]


def test_i30_the_id_is_the_key_byte_for_byte() -> None:
    ids = ["x", "X", "http://site.example/1?", "http://site.example/1", " é"]
    assert [entry.key for entry in keyed(*(Entry(id=each, title="t") for each in ids))] == ids


def test_i32_http_and_https_are_compared_as_one_and_stored_as_they_are() -> None:
    assert key_form("http://a.example/1") == key_form("HTTPS://a.example/1") != key_form("https://a.example/2")
    [entry] = keyed(Entry(id="http://a.example/1", title="t"), Entry(id="https://a.example/1", title="t"))
    assert entry.key == "https://a.example/1"


def test_i33_copies_merge_and_the_latest_wins_in_the_first_ones_place() -> None:
    old = Entry(id="1", title="Old", link=url("1"), updated=NOON)
    new = Entry(id="1", title="New", link=url("1"), updated=NOON + timedelta(hours=1))
    for order in ((old, new), (new, old)):
        found = keyed(*order, Entry(id="2", title="Other"))
        assert [(entry.key, entry.title, entry.position) for entry in found] == [("1", "New", 0), ("2", "Other", 2)]


def test_i33_comments_under_the_id_of_their_article_are_not_copies() -> None:
    said = [("first", NOON), ("second", NOON + timedelta(seconds=9)), ("second", NOON + timedelta(seconds=20))]
    comments = [Entry(id="35", title="Re: A", link=url("a"), text=text, published=at) for text, at in said]
    for order in (comments, comments[::-1]):
        found = keyed(*order, Entry(id="2", title="Other"))
        assert sorted((entry.text, entry.key_rule) for entry in found if entry.id is None) == [
            ("first", KeyRule.TITLE_AND_DATE),
            ("second", KeyRule.TITLE_AND_DATE),
        ]


@pytest.mark.parametrize("text", ["old", "new"])
def test_i33_a_revision_keeps_its_date_and_its_id(text: str) -> None:
    old = Entry(id="1", title="A", link=url("a"), text="old", published=NOON, updated=NOON)
    new = replace(old, text=text, updated=NOON + timedelta(hours=1))
    assert [(entry.key, entry.text) for entry in keyed(old, new)] == [("1", text)]


def test_i33_merging_is_told() -> None:
    feed = identify(Feed(entries=(Entry(id="1", title="a"), Entry(id="1", title="a", position=1))))
    assert feed.notices == ("1 entries bear the id of another, and its link or title: merged",)


def test_i33_an_id_that_two_different_entries_bear_is_none() -> None:
    one, two = Entry(id="1", title="A", link=url("a")), Entry(id="1", title="B", link=url("b"))
    for order in ((one, two), (two, one)):
        assert {entry.title: str(entry.key) for entry in keyed(*order)} == {"A": str(url("a")), "B": str(url("b"))}


def test_i33_one_id_for_all_is_none() -> None:
    entries = [Entry(id="x", title="Same title", link=url(str(n))) for n in range(3)]
    assert rules(*entries) == [KeyRule.LINK] * 3


def test_i33_a_start_page_is_no_evidence_of_sameness() -> None:
    one, two = Entry(id="1", title="A", link=SITE, text="a"), Entry(id="1", title="B", link=SITE, text="b")
    assert rules(one, two) == [KeyRule.TITLE_AND_CONTENT] * 2


def test_i34_the_cascade() -> None:
    enclosure = (Enclosure(url=url("a.mp3")),)
    entries = (
        Entry(title="by link", link=url("1"), enclosures=enclosure, published=NOON),
        Entry(title="by file", link=SITE, enclosures=(Enclosure(url=url("b.mp3")),), published=NOON),
        Entry(title="by date", link=url("twice"), published=NOON),
        Entry(title="by text", link=url("twice"), text="text"),
    )
    assert rules(*entries) == [
        KeyRule.LINK,
        KeyRule.ENCLOSURE,
        KeyRule.TITLE_AND_DATE,
        KeyRule.TITLE_AND_CONTENT,
    ]


def test_i34_what_two_share_tells_neither_from_the_other() -> None:
    shared = (Enclosure(url=url("a.mp3")),)
    one = Entry(title="t", enclosures=shared, published=NOON, text="one")
    two = Entry(title="t", enclosures=shared, published=NOON, text="two")
    assert rules(one, two) == [KeyRule.TITLE_AND_CONTENT] * 2
    assert len(keyed(one, one)) == 1


def test_i34_a_key_is_never_given_twice() -> None:
    found = keyed(Entry(id=url("1"), title="a", link=url("2")), Entry(title="b", link=url("1"), published=NOON))
    assert [entry.key_rule for entry in found] == [KeyRule.ID, KeyRule.TITLE_AND_DATE]


ENTRY = Entry(
    title="Tide & time",
    link=url("tide?a=1#x"),
    content='<p>High <b>water</b> at <a href="https://a.example/x?b=1">noon</a>.</p>'
    '<img src="https://a.example/p.png?s=1" alt="">',
    summary="<p>Short</p>",
    authors=(Person(name="Ann", uri=url("ann"), email="a@x.example"), Person(name="Bob")),
    enclosures=(Enclosure(url=url("a.mp3?token=1"), type="audio/mpeg", length=5),),
    tags=(Tag(term="b"), Tag(term="a", scheme="urn:s", label="A")),
    text="High water at noon. The rest of it.",
)


def test_i38_the_digest_is_frozen_for_ever() -> None:
    """Change this value, and every entry that is stored anywhere becomes a revision."""
    assert digest_of(ENTRY) == "1:d40fededb61fe8a3653c08ba57a94569f8ee1d44fa6d8c6710c265e41fe8adac"
    assert digest_of(Entry()) == "1:b0f66adc83641586656866813fd9dd0b8ebb63796075661ba45d1aa8089e1d44"
    assert text_digest_of(ENTRY) == "1:729e04dd913578cc6892174a3c74a51f621f366e82a02853ce0393710ed37baf"
    assert key_form("https://site.example/") == "d91a273998add0d6284d6f88e6b467b3c0440adb8f569f4495e62737d706f397"
    assert [entry.key for entry in keyed(Entry(title="t", published=NOON), Entry(title="t", text="x"))] == [
        "sha256:1b14df2a2d559049dd298ddf599b2d1775a741bec7d5ffc14760bf7317913877",
        "sha256:6fca3fcfeb33651f070e9903370a070344d3659d7cc8190fc4e22838220b2128",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Tide and time"},
        {"link": url("tide?a=2#x")},
        {"content": ENTRY.content.replace("noon", "one")},
        {"content": ENTRY.content.replace("x?b=1", "y?b=1")},
        {"content": ENTRY.content.replace("p.png", "q.png")},
        {"summary": "<p>Shorter</p>"},
        {"summary": ""},
        {"authors": ENTRY.authors[:1]},
        {"enclosures": ()},
        {"tags": ENTRY.tags[:1]},
        {"content": ENTRY.summary, "summary": ENTRY.content},
    ],
)
def test_i38_what_a_reader_sees_is_in_the_digest(changes: dict[str, object]) -> None:
    assert digest_of(replace(ENTRY, **changes)) != digest_of(ENTRY)  # type: ignore[arg-type]  # fields of Entry


@pytest.mark.parametrize(
    "changes",
    [
        {"content": ENTRY.content.replace("<b>", "<strong>").replace("</b>", "</strong>")},
        {"content": ENTRY.content.replace("<p>", "<div>\n  <p>").replace("</p>", "</p></div>")},
        {"content": ENTRY.content.replace("https://", "http://")},
        {"content": ENTRY.content.replace("p.png?s=1", "p.png?s=2")},
        {"content": ENTRY.content.replace("?b=1", "?b=1&amp;utm_source=rss&amp;utm_medium=x")},
        {"content": ENTRY.content + '<a href="https://feeds.feedburner.com/~ff/x?a=1"></a>'},
        {
            "content": ENTRY.content
            + '<img src="https://ads.example/banner-7.png"><a href="https://x.taboola.com/1"></a>'
        },
        {"content": ENTRY.content.replace("https://a.example/p.png", "https://i2.cdn.example/2026/p.png")},
        {"content": ENTRY.content.replace("?b=1", "?b=1&amp;X-Amz-Expires=9&amp;X-Amz-Signature=0ff")},
        {"content": ENTRY.content.replace("/x?b=1", "/x;jsessionid=7A9?b=1")},
        {"title": "Tide  & ti me"},
        {"link": normalise_link("http://site.example/tide?a=1&utm_campaign=z#x")},
        {"enclosures": (Enclosure(url=url("a.mp3?token=2"), length=6),)},
        {"tags": ENTRY.tags[::-1]},
        {"published": NOON, "updated": NOON, "position": 7, "id": "x", "language": "de", "rights": "r"},
        {"authors": tuple(replace(person, email="b@x.example", uri=None) for person in ENTRY.authors)},
    ],
)
def test_i38_what_a_reader_does_not_see_is_not(changes: dict[str, object]) -> None:
    assert digest_of(replace(ENTRY, **changes)) == digest_of(ENTRY)  # type: ignore[arg-type]  # fields of Entry


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>12 comments</p>", "<p>13 comments</p>"),
        ("<p>Points: 5</p><p># Comments: 7</p>", "<p>Points: 6</p><p># Comments: 1,007</p>"),
        ("<p>Comments (7) · 3 likes · 1 share</p>", "<p>Comments (8) · 14 likes · 2 shares</p>"),
        ("<p>阅读(8) 评论：0</p>", "<p>阅读(1.2万) 评论：19</p>"),
        ("<p>123次阅读</p>", "<p>4567次阅读</p>"),
        ("<p>Posted 3 hours ago</p>", "<p>Posted 2 days ago</p>"),
        ("<p>3小时前 发布于北京</p>", "<p>5天前 发布于北京</p>"),
        ("<p>vor 3 Stunden</p>", "<p>vor einem Tag</p>"),
    ],
)
def test_i38_counters_are_not(before: str, after: str) -> None:
    assert digest_of(Entry(content=before)) == digest_of(Entry(content=after))
    assert digest_of(Entry(content="<p>12 dead</p>")) != digest_of(Entry(content="<p>13 dead</p>"))
    assert digest_of(Entry(content="<p>死亡12人</p>")) != digest_of(Entry(content="<p>死亡13人</p>"))
    assert digest_of(Entry(content="<p>3 days left</p>")) != digest_of(Entry(content="<p>2 days left</p>"))


# The patterns of I38 without the conditions that are searched first. These forms are stored for ever: see VERSION.
_WHAT = "[Pp]oints|[Cc]omments|[Rr]eplies|[Vv]iews|[Ss]core|[Ll]ikes|[Ss]hares|[Uu]pvotes|[Kk]ommentare"
_ONE = "[Pp]oint|[Cc]omment|[Vv]iew|[Ll]ike|[Ss]hare|[Uu]pvote|[Kk]ommentar"
_HAN = "阅读|閱讀|浏览|瀏覽|评论|評論|点赞|點讚|点击|點擊|转发|轉發|回复|回覆|收藏"
_NOISE = (
    (rf"((?:{_WHAT}) ?[:(] ?)\d[\d.,]{{0,14}}", r"\1"),
    (rf"(?<!\d)\d[\d.,]{{0,14}} (?:{_WHAT}|{_ONE})\b", ""),
    (rf"((?:{_HAN})[数數量]? ?[:：(（]? ?)\d[\d.,]{{0,14}}[万萬kK]?", r"\1"),
    (rf"(?<!\d)\d[\d.,]{{0,14}}[万萬kK]?( ?[次人条條个個] ?(?:{_HAN}))", r"\1"),
    (r"\b(?:\d{1,4}|an?|one) (?:second|minute|min|hour|day|week|month|year)s? ago\b", ""),
    (r"\bvor (?:\d{1,4}|eine[rm]) (?:Sekunde|Minute|Stunde|Tag|Woche|Monat|Jahr)(?:e?n)?\b", ""),
    (r"(?<!\d)\d{1,4} ?(?:秒|分钟|分鐘|小时|小時|天|周|週|个月|個月|年)前", ""),
)
_NUMBERS = "0 7 12 1,234 5.6 ١٢ 12345678901234567 a an one eine einer einem".split()
_GAPS = [
    "",
    " ",
    ":",
    ": ",
    " :",
    " : ",
    "(",
    "( ",
    " (",
    " ( ",
    "：",
    "（ ",
    ". ",
    "x",
    "次",
    " 人",
    "次 ",
    " 个 ",
    "数",
    "万",
]
_WORDS = [
    *"Points points Comments replies views score Likes shares upvotes Kommentare point comment View Share".split(),
    *_HAN.split("|"),
    *("second ago", "minutes ago", "min ago", "hours ago", "days", "ago", "vor", "vor ", "Stunden", "Tag", "Jahre"),
    *("秒前", "分钟前", "小时前", "天 前", "年", "前", "周前", "个月前"),
]
_SENTENCES = [
    *(f"{one}{gap}{other}" for one, gap, other in product(_WORDS, _GAPS, _NUMBERS)),
    *(f"{one}{gap}{other}" for one, gap, other in product(_NUMBERS, _GAPS, _WORDS)),
]


def test_i38_counters_are_those_that_the_plain_patterns_find() -> None:
    chance = Random(1)
    joined = (chance.choice(("", " ", "é")).join(chance.sample(_SENTENCES, 3)) for _ in range(1000))
    # Without the first counter, "vor" and the blank stand side by side.
    for content in ("vor12 comments 3 Stunden", *_SENTENCES, *joined):
        assert digest_of(Entry(content=content)) == _digest_by_plain_patterns(content), content


def _digest_by_plain_patterns(content: str) -> str:
    text = " ".join(content.split())
    for pattern, rest in _NOISE:
        text = re.sub(pattern, rest, text)
    seen = unicodedata.normalize("NFC", "".join(text.split()))
    fields = "\0".join(("", "", seen, "", "", "", ""))
    return f"{VERSION}:{sha256(fields.encode()).hexdigest()}"


def test_a_text_of_digits_costs_no_more_than_another() -> None:
    digest_of(Entry(content="7" * 200_000 + " views ago 前 阅读"))  # the square of that would take minutes


def test_digests_name_their_version() -> None:
    assert digest_of(ENTRY).startswith(f"{VERSION}:")
    assert len(digest_of(ENTRY)) == len(VERSION) + 1 + 64


def test_text_digest_is_about_letters_only() -> None:
    told = replace(
        ENTRY, title="ＴＩＤＥ & time", text="high  WATER\u00a0at noon. The rest of it.", link=None, content="x"
    )
    assert text_digest_of(told) == text_digest_of(ENTRY)
    assert text_digest_of(replace(ENTRY, text=ENTRY.text.replace(".", "!"))) != text_digest_of(ENTRY)


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("one two three four five six seven", False),
        ("one two three four five six seven 8", True),
        ("潮水在中午十二", False),
        ("潮水在中午十二点", True),
        ("", False),
    ],
)
def test_text_digest_needs_eight_tokens(text: str, enough: bool) -> None:
    assert (
        text_digest_of(Entry(title="A title of more than eight words, which alone says nothing", text=text)) is not None
    ) == enough


@pytest.mark.parametrize(
    ("own_id", "is_global"),
    [
        ("urn:uuid:60a76c80-d399-11d9-b91C-0003939e0af6", True),
        ("tag:site.example,2026:1", True),
        ("https://site.example/?p=1", True),
        ("http://site.example/?p=1", True),
        ("http://site.example/a b", False),
        ("17", False),
        ("uuid:1", False),
        ("mailto:a@x.example", False),
    ],
)
def test_which_ids_can_be_unique_in_the_world(own_id: str, is_global: bool) -> None:
    assert (global_id_hash(own_id) is not None) == is_global


def test_which_ids_speak_for_themselves() -> None:
    assert [speaks_for_itself(each) for each in ("urn:x:1", "TAG:a,2026:1", "https://a.example/", "1")] == [
        True,
        True,
        False,
        False,
    ]


WORDS = st.sampled_from(["a", "b", "c", ""])
LINKS = st.sampled_from([None, SITE, url("1"), url("2"), url("3")])
DATES = st.none() | st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours))
ENTRIES = st.lists(
    st.builds(
        Entry,
        id=st.sampled_from([None, "1", "2", "http://x.example/1", "https://x.example/1", url("1")]),
        title=WORDS,
        link=LINKS,
        text=WORDS,
        content=WORDS,
        enclosures=st.sampled_from([(), (Enclosure(url=url("e1")),), (Enclosure(url=url("e2")),)]),
        published=DATES,
        updated=DATES,
    ),
    max_size=8,
)


@given(ENTRIES, st.randoms())
def test_keys_survive_reordering(entries: list[Entry], chance: object) -> None:
    shuffled = list(entries)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # random.Random, which hypothesis hides
    told = {(entry.key, entry.key_rule, entry.digest) for entry in keyed(*entries)}
    assert {(entry.key, entry.key_rule, entry.digest) for entry in keyed(*shuffled)} == told


@given(ENTRIES)
def test_keys_are_unique_and_stay_the_second_time(entries: list[Entry]) -> None:
    found = keyed(*entries)
    assert len({key_form(entry.key) for entry in found}) == len(found)
    assert all(entry.key and entry.digest for entry in found)
    assert [entry.position for entry in found] == sorted(entry.position for entry in found)


@given(st.lists(st.tuples(st.integers(0, 9), DATES, DATES), unique_by=lambda each: each[0], max_size=6), st.booleans())
def test_keys_survive_redating(told: list[tuple[int, datetime | None, datetime | None]], with_ids: bool) -> None:
    def entries(dated: bool) -> list[Entry]:
        return [
            Entry(
                id=str(number) if with_ids else None,
                title="t",
                link=url(str(number)),
                published=published if dated else None,
                updated=updated if dated else None,
            )
            for number, published, updated in told
        ]

    assert [(e.key, e.digest) for e in keyed(*entries(dated=True))] == [
        (e.key, e.digest) for e in keyed(*entries(dated=False))
    ]


def test_a_title_over_the_limit_is_cut_and_noted_and_its_key_is_of_the_whole() -> None:
    long = "x" * (MAX_TITLE + 1)
    found = identify(Feed(format="x", entries=(Entry(key=EntryKey(""), title=long, text="a"),)))
    assert found.notices == (f"a title of over {MAX_TITLE:,} characters was cut",)
    assert len(found.entries[0].title) <= MAX_TITLE
    just = identify(Feed(format="x", entries=(Entry(key=EntryKey(""), title=long[1:], text="a"),)))
    assert (just.notices, just.entries[0].title) == ((), long[1:])


def test_i35_ids_and_dates_that_change_all_the_time_are_left_aside() -> None:
    link = Url("https://e.org/a")
    entry = Entry(key=EntryKey(""), id="urn:1", title="T", text="t", link=link, published=NOON)
    bare = Entry(key=EntryKey(""), title="T", text="t", published=NOON)
    feed = identify(Feed(format="x", entries=(entry,)))
    assert identify_again(feed, by_link=False, by_text=False) is feed
    assert identify_again(feed, by_link=False, by_text=True).entries[0].key == "urn:1"
    again = identify_again(feed, by_link=True, by_text=False).entries[0]
    assert (again.key, again.key_rule, again.id) == (EntryKey(link), KeyRule.LINK, None)
    dated = identify(Feed(format="x", entries=(bare,)))
    assert dated.entries[0].key_rule is KeyRule.TITLE_AND_DATE
    assert identify_again(dated, by_link=False, by_text=True).entries[0].key_rule is KeyRule.TITLE_AND_CONTENT
    assert identify_again(dated, by_link=True, by_text=False).entries[0].key_rule is KeyRule.TITLE_AND_DATE


@pytest.mark.parametrize(("count", "ids"), [(2, 1), (3, 0)])
def test_i33_one_id_is_a_constant_from_three_entries_on(count: int, ids: int) -> None:
    entries = tuple(
        Entry(key=EntryKey(""), id="urn:1", title="T", text="t", link=Url("https://e.org/a"), position=place)
        for place in range(count)
    )
    found = identify(Feed(format="x", entries=entries)).entries
    assert sum(entry.key_rule is KeyRule.ID for entry in found) == ids


def test_i33_the_latest_copy_by_its_date_then_its_length() -> None:
    def copy(place: int, text: str, *, updated: datetime | None = None) -> Entry:
        return Entry(key=EntryKey(""), id="urn:1", title="T", text=text, position=place, updated=updated)

    def latest(*copies: Entry) -> str:
        other = Entry(key=EntryKey(""), id="urn:2", title="Another", text="other", position=9)
        [found] = [e for e in identify(Feed(format="x", entries=(*copies, other))).entries if e.id == "urn:1"]
        assert found.position == min(one.position for one in copies)
        return found.text

    later = NOON.replace(hour=23)
    assert latest(copy(1, "old", updated=NOON), copy(2, "new", updated=later)) == "new"
    assert latest(copy(1, "new", updated=later), copy(2, "old", updated=NOON)) == "new"
    assert latest(copy(1, "dated", updated=NOON), copy(2, "undated, and longer")) == "dated"
    assert latest(copy(1, "short"), copy(2, "longer")) == "longer"


@pytest.mark.parametrize(
    ("counted", "bare"),
    [
        ("阅读(8)", "阅读()"),
        ("阅读数：1.2万", "阅读数："),
        ("8次阅读", "次阅读"),
        ("Points: 57", "Points: "),
        ("12 comments", ""),
        ("1 comment", ""),
        ("3 hours ago", ""),
        ("an hour ago", ""),
        ("vor 3 Stunden", ""),
        ("vor einer Stunde", ""),
        ("3小时前", ""),
    ],
)
def test_i38_a_counter_is_left_out_and_nothing_takes_its_place(counted: str, bare: str) -> None:
    one, other = (Entry(key=EntryKey(""), title="T", content=f"a {text} b") for text in (counted, bare))
    assert digest_of(one) == digest_of(other)
