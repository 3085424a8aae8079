"""JSON Feed (I21, S14, S23)."""

import json

import pytest

from aggregator.errors import NotAFeed, ParseError
from aggregator.model.entry import RawFeed
from tests.answers import parsed

VERSION = "https://jsonfeed.org/version/1.1"


def feed(*items: object, **fields: object) -> RawFeed:
    return parsed(json.dumps({"version": VERSION, "title": "T", "items": items, **fields}))


def test_i21_numbers_become_ids_and_items_without_one_are_left_out() -> None:
    found = feed({"id": 17}, {"id": 1.5}, {"title": "none"}, {"id": ""}, {"id": True}, {"id": 10**30}, "no item")
    assert [entry.id for entry in found.entries] == ["17", "1.5", str(10**30)]
    assert len(found.notices) == 3


@pytest.mark.parametrize(
    "body",
    ['{"error": "no"}', "[]", "[1]", '{"version": 1, "items": []}', '{"version": "https://example.org/version/1"}'],
)
def test_i1_other_json_is_no_feed(body: str) -> None:
    with pytest.raises(NotAFeed):
        parsed(body)


@pytest.mark.parametrize("body", ["{", '{"a": NaN}', '{"version": "' + VERSION + '", "x": Infinity}', "[" * 100_000])
def test_s23_broken_json_is_an_error(body: str) -> None:
    with pytest.raises(ParseError):
        parsed(body)


def test_s14_deep_json_is_an_error() -> None:
    deep: object = "x"
    for _ in range(60):
        deep = [deep]
    with pytest.raises(ParseError):
        feed({"id": "1", "_deep": deep})


def test_s23_the_last_of_equal_keys_counts() -> None:
    found = parsed('{"version": "' + VERSION + '", "title": "a", "title": "b", "items": []}')
    assert found.title is not None
    assert found.title.value == "b"


def test_i13_whole_items_before_the_end_are_kept() -> None:
    whole = json.dumps({"version": VERSION, "title": "T", "items": [{"id": str(n)} for n in range(5)]})
    found = parsed(whole[: whole.index('"3"') + 1])
    assert (found.cut, [entry.id for entry in found.entries]) == (True, ["0", "1", "2"])


def test_wrong_types_are_as_good_as_nothing() -> None:
    found = feed(
        {"id": "1", "title": 5, "authors": "x", "tags": {"a": 1}, "attachments": [None, {"url": 5}], "url": []},
        authors=[{"name": None}],
        home_page_url=3,
        hubs=[{"url": "https://hub.example/"}, 5],
    )
    entry = found.entries[0]
    assert (entry.title, entry.authors, entry.tags, entry.enclosures, entry.links) == (None, (), (), (), ())
    assert [link.rel for link in found.links] == ["hub"]
