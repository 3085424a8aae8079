"""Lists of APIs: `kind: json`."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.clean.feed import clean
from aggregator.errors import CutOff, NotAFeed, Overran, ParseError
from aggregator.model.entry import Digest, Entry, RawFeed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Reading
from aggregator.parse.document import parse
from aggregator.parse.paths import Paths
from aggregator.urls import Url

URL = Url("https://api.example.org/list?page=1")
FIELDS = {"id": "code", "title": "title", "published": "at", "author": "from", "summary": "digest", "content": "text"}
FIELDS["link"] = "https://news.example.org/a.html?code={code}"


def reading(items: str | None = "list", **fields: str) -> Reading:
    """Return the `Reading` of a source with these paths."""
    return Reading(kind=Kind.JSON, items=items, fields=tuple((FIELDS | fields).items()), timezone="Asia/Shanghai")


def read(document: object, how: Reading | None = None) -> RawFeed:
    """Parse a document, given as an object or as text."""
    body = (document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)).encode()
    fetched = Fetched(asked_at=datetime.now(UTC), url=URL, body=body, body_digest=Digest(""))
    return parse(fetched, how or reading())


def entries(document: object, how: Reading | None = None) -> tuple[Entry, ...]:
    """Return the cleaned entries of a document."""
    how = how or reading()
    return clean(read(document, how), how).entries


def item(code: str = "7", **more: Any) -> dict[str, Any]:
    """Return one item."""
    made = {"code": code, "title": f"标题 {code}", "at": "2021-12-08 15:46:00", "from": "大众日报", "digest": "摘要"}
    return made | more


def test_an_item_is_an_entry() -> None:
    [entry] = entries({"list": [item(text="<p>正文</p>")]})
    assert (entry.id, entry.title, entry.link) == ("7", "标题 7", "https://news.example.org/a.html?code=7")
    assert entry.published == datetime(2021, 12, 8, 7, 46, tzinfo=UTC)  # in the zone of the source
    assert [person.name for person in entry.authors] == ["大众日报"]
    assert (entry.summary, entry.content) == ("摘要", "<p>正文</p>")


@pytest.mark.parametrize("key", ["record", "records", "nodeList"])
def test_several_shapes_of_one_api(key: str) -> None:
    assert len(entries({key: [item("1"), item("2")]}, reading("record || records || nodeList"))) == 2


def test_one_record_that_stands_alone_is_a_list_of_one() -> None:
    assert [entry.id for entry in entries({"list": item()})] == ["7"]
    assert [entry.id for entry in entries([item()], reading(None))] == ["7"]


@pytest.mark.parametrize("document", [{"list": []}, {"list": None}, {"data": {"list": []}}, []])
def test_i23_a_list_without_items_is_a_list(document: object) -> None:
    assert read(document, reading("data.list || list")).entries == ()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"rc": 0, "me": "操作成功"}, "items: list finds nothing; the document has rc, me"),
        ({"list": "none"}, "items: list finds no list"),
        ({"error": "bad token"}, "an API's error: bad token"),
        ("<html><body>502 Bad Gateway</body></html>", "an error page"),
        ("", "the body is empty"),
        ("service unavailable", "a maintenance note"),
        ("<?xml version='1.0'?><rss><channel/></rss>", "a feed, not the list of an API; remove kind: json"),
        (
            {"list": [None, {}, {"name": "a", "url": "b"}, {"x": 1}]},
            "items: list finds 4, and entry: finds no id, title, link or text in any; the first has name, url",
        ),
    ],
)
def test_i14_what_is_no_list_is_named(document: object, said: str) -> None:
    with pytest.raises(NotAFeed, match=said):
        read(document)


def test_i14_a_path_that_does_not_fit_says_so() -> None:
    with pytest.raises(NotAFeed, match=r"finds nothing, since it does not fit: In function starts_with\(\); the doc"):
        read({"list": [item(), item() | {"from": None}]}, reading("list[?starts_with(from, '大')]"))


def test_i23_items_in_which_nothing_stands_are_no_error_of_the_operator() -> None:
    assert clean(read({"list": [{"title": "", "code": None}, {}]}), reading()).entries == ()


def test_jsonp_is_unwrapped() -> None:
    feed = read('callback({"list":[{"code": "1", "title": "a"}]});')
    assert [entry.id for entry in feed.entries] == ["1"]
    assert "the JSON is wrapped in a callback" in feed.notices


def test_r41_bad_items_are_left_out_and_named() -> None:
    how = reading()
    raw = read({"list": [item("1"), None, {}, 5, item("2")]}, how)
    feed = clean(raw, how)
    assert [entry.id for entry in feed.entries] == ["1", "2"]
    assert len(feed.left_out) == 3
    assert feed.left_out[0] == "item 2 is null"


@pytest.mark.parametrize(
    "broken",
    [
        '{"code": "2", "title": "他说"涨""}',
        '{"code": "2" "title": "a"}',
        '{"code": 2, title: a}',
        '{"code": "2", "at": NaN, "title": "x" "y"}',
        '{"code": "2", "authors": [{"name": "a"x}]}',
    ],
)
def test_r41_broken_json_in_the_middle_costs_one_item(broken: str) -> None:
    text = f'{{"rc": 0, "list": [{json.dumps(item("1"))},\n {broken},\n {json.dumps(item("3"))}], "total": 3}}'
    feed = read(text)
    assert [entry.id for entry in feed.entries if entry.id in ("1", "3")] == ["1", "3"]
    assert not feed.cut
    assert len(feed.left_out) == 1 or len(feed.entries) == 3


def test_i13_a_list_that_is_cut_off_keeps_its_whole_items() -> None:
    text = json.dumps({"list": [item(str(number)) for number in range(5)]})
    for length in range(text.index("}, {") + 1, len(text) - 1):
        feed = read(text[:length])
        assert feed.cut
        assert [entry.id for entry in feed.entries] == [str(n) for n in range(text[:length].count("}"))]
        assert "the document is cut off" in feed.notices


def test_i13_a_comma_too_many_costs_nothing() -> None:
    assert [entry.id for entry in read(f'{{"list": [{json.dumps(item("1"))}, ]}}').entries] == ["1"]


def test_i13_a_list_that_is_cut_off_in_its_first_item_is_a_failure() -> None:
    with pytest.raises(CutOff):
        read('{"list": [{"code": "1", "tit')


def test_s14_json_that_the_decoder_itself_gives_up_on_is_called_too_deep() -> None:
    with pytest.raises(ParseError, match="JSON nested deeper than 50 levels"):
        read('{"list": ' + "[" * 100_000)


def test_a_field_that_is_missing_or_unfit_stays_away() -> None:
    feed = read(
        {"list": [{"code": "1", "title": {"x": 1}, "at": True, "digest": ["a", "b"]}]}, reading(author="sum(title)")
    )
    [entry] = feed.entries
    assert (entry.title, entry.published, entry.authors) == (None, None, ())
    assert entry.summary is not None
    assert entry.summary.value == "a\nb"
    assert any("'sum(title)' does not fit" in notice for notice in feed.notices)


def test_half_an_id_or_address_is_none_and_a_text_does_without() -> None:
    how = reading(id="{code}-{no}", title="{title} {no}", link="https://e.org/{no}")
    [entry] = entries({"list": [item()]}, how)
    assert (entry.id, entry.link, entry.title) == (None, None, "标题 7")


@pytest.mark.parametrize(
    ("code", "link"),
    [
        ("a b", "https://news.example.org/a.html?code=a%20b"),
        ("1&x=2#y", "https://news.example.org/a.html?code=1%26x=2%23y"),
        ("新", "https://news.example.org/a.html?code=%E6%96%B0"),
        ("../../admin", None),
    ],
)
def test_s33_values_are_encoded_in_addresses(code: str, link: str | None) -> None:
    [entry] = entries({"list": [item(code)]})
    assert entry.link == link


def test_an_address_may_begin_with_a_field() -> None:
    [entry] = entries({"list": [item(url="https://e.org/a?b=c&d=e")]}, reading(link="{url}#top"))
    assert entry.link == "https://e.org/a?b=c&d=e#top"


def test_s23_long_numbers_are_ids_as_they_are_written() -> None:
    text = '{"list": [{"code": 12345678901234567890123, "title": "a"}]}'
    assert [entry.id for entry in read(text).entries] == ["12345678901234567890123"]


def test_several_authors_and_tags() -> None:
    how = reading(author="people[].name", tag="tags")
    [entry] = read({"list": [item(people=[{"name": "A"}, {"name": "B"}, {}], tags=["x", "y", "x", 3])]}, how).entries
    assert [person.name for person in entry.authors] == ["A", "B"]
    assert [tag.term for tag in entry.tags] == ["x", "y", "3"]


def test_i15_no_more_items_than_the_limit() -> None:
    feed = read({"list": [item(str(number)) for number in range(9)]}, replace(reading(), limit=4))
    assert len(feed.entries) == 4
    assert "9 items, of which the first 4 were read" in feed.notices


def test_s64_paths_have_an_end() -> None:
    times = iter([0.0, 1.0, 11.0])
    paths = Paths(URL, [], clock=lambda: next(times))
    paths.find("a", {"a": 1})
    with pytest.raises(Overran, match="over 10 s"):
        paths.find("a", {"a": 1})


def test_s14_depth_has_an_end() -> None:
    with pytest.raises(ParseError, match="nested deeper"):
        read('{"list": ' + "[" * 80 + "]" * 80 + "}")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='{}[]",:0a\\ \n', max_size=80))
def test_any_text_gives_a_feed_or_an_error(text: str) -> None:
    for whole in (text, '{"list": [{"code": "1"}, ' + text, '{"list": [{"code": "1"}, {' + text + '}, {"code": "2"}]}'):
        try:
            read(whole)
        except ParseError:
            continue
