"""What a source says that is no feed (DESIGN, section 6)."""

import json

import pytest

from aggregator.model.settings import Request, Secret
from tests.config.reading import problems, settings, warnings

LIST = "kind: json, url: 'https://api.example.org/list', key: a"


def test_paths_and_texts_with_fields_are_kept_as_they_are_written() -> None:
    [source] = settings(f"sources: [{{{LIST}, items: a.b, entry: {{id: c, link: 'https://e.org/{{c}}'}}}}]").sources
    assert source.reading.items == "a.b"
    assert source.reading.fields == (("id", "c"), ("link", "https://e.org/{c}"))
    assert source.request == Request()
    assert not source.paused


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "items: a",
            "1:11: entry is missing; write entry: {title: …, link: …}, with a JMESPath each or a text with {fields}",
        ),
        ("entry: {}", "1:76: entry names no field; write {title: …, link: …}"),
        (
            "items: 'a.[', entry: {id: b}",
            '1:76: "a.[" is no JMESPath: it ends too soon; write one such as data.items[], or {data.id}',
        ),
        (
            "entry: {id: 'a b'}",
            '1:81: "a b" is no JMESPath: it can\'t be read from "b" on; write one such as data.items[], or {data.id}',
        ),
        (
            "entry: {id: 'x-{a..b}'}",
            '1:81: "a..b" is no JMESPath: it can\'t be read from ".b" on; write one such as data.items[], or {data.id}',
        ),
        ("entry: {id: a}, body: x", "1:91: a GET request has no body; write method: POST, or remove body"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(said: str, expected: str) -> None:
    text = f"sources: [{{{LIST}, {said}}}]"
    assert problems(text) == [expected]


def test_a_feed_has_no_items() -> None:
    text = "sources: [{url: 'https://e.org/f', items: a, entry: {id: b}}]"
    assert warnings(text) == [
        "1:43: items has no effect on kind feed; write kind: json, or remove it",
        "1:53: entry has no effect on kind feed; write kind: json, or remove it",
    ]


def test_a_mapping_is_sent_as_json_and_a_text_as_it_is() -> None:
    entry = "entry: {id: a}, method: POST"
    [source] = settings(f"sources: [{{{LIST}, {entry}, body: {{page: 1, q: '新闻', all: true}}}}]").sources
    body = source.request.body
    assert body is not None
    assert json.loads(str.__str__(body)) == {"page": 1, "q": "新闻", "all": True}
    assert source.request.is_json
    [source] = settings(f"sources: [{{{LIST}, {entry}, body: 'page=1&q=x'}}]").sources
    assert source.request == Request(method="POST", body=Secret("page=1&q=x"))
    assert "page" not in repr(source.request)  # it may hold a token (S44)


def test_two_lists_at_one_address_differ_by_what_is_sent() -> None:
    one, other = (f"{{{LIST}{n}, entry: {{id: a}}, method: POST, body: {{type: {n}}}}}" for n in "12")
    assert len(settings(f"sources: [{one}, {other}]").sources) == 2


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("{content: a}", "url is missing; write url: an address with {fields} of the item"),
        ("{url: 'https://e.org/{id}'}", "detail brings nothing; write {url: …, content: …}"),
        (
            "{url: 'https://e.org/', content: a}",
            "the address is the same for every entry; write {fields} of the item into it, or into body",
        ),
        (
            "{url: 'https://{host}/a', content: a}",
            '"https://{host}/a" takes its host from the item; write the host out',
        ),
        (
            "{url: '/a?{id}', content: a}",
            '"/a?{id}" is no address; write https://host/path?id={id}, or one field alone',
        ),
    ],
)
def test_what_is_wrong_with_a_detail(detail: str, expected: str) -> None:
    [problem] = problems(f"sources: [{{{LIST}, entry: {{id: a}}, detail: {detail}}}]")
    assert problem.partition(":")[2].partition(": ")[2] == expected


def test_a_detail_has_its_own_reading() -> None:
    detail = "{url: 'https://e.org/{id}', method: POST, body: {n: '{no}'}, content: 'data.text', title: t}"
    [source] = settings(f"sources: [{{{LIST}, entry: {{id: a}}, timezone: Asia/Shanghai, detail: {detail}}}]").sources
    assert source.detail is not None
    assert source.detail.reading.fields == (("title", "t"), ("content", "data.text"))
    assert source.detail.reading.timezone == "Asia/Shanghai"
    assert source.reading.asked == ("id", "no")
