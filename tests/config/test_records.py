"""Keys of sources that are not feeds: `items`, `entry`, `detail`, `pages` and others."""

import json

import pytest

from aggregator.model.settings import Request, Secret, fetch_settings_of
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
            "1:11: entry is missing; write entry: {title: …, link: …}, each a JMESPath or a text with {fields}",
        ),
        ("entry: {}", "1:76: entry names no field; write {title: …, link: …}"),
        (
            "items: 'a.[', entry: {id: b}",
            '1:76: "a.[" is not a JMESPath: it ends too soon; write one such as data.items[], or {data.id}',
        ),
        (
            "entry: {id: 'a b'}",
            '1:81: "a b" is not a JMESPath: it can\'t be read from "b" on; '
            "write one such as data.items[], or {data.id}",
        ),
        (
            "entry: {id: 'x-{a..b}'}",
            '1:81: "a..b" is not a JMESPath: it can\'t be read from ".b" on; '
            "write one such as data.items[], or {data.id}",
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


DETAIL = "detail: {url: 'https://e.org/{id}', content: text}"


@pytest.mark.parametrize(
    ("said", "advice", "is_article"),
    [
        (
            "url: 'https://e.org/f'",
            ["detail has no effect on kind feed; remove it: full_text fetches the articles behind the links"],
            True,
        ),
        (
            "kind: sitemap, url: 'https://e.org/s.xml'",
            ["detail has no effect on kind sitemap; remove it: full_text fetches the articles behind the links"],
            True,
        ),
        (f"{LIST}, entry: {{id: id}}", ["full_text has no effect beside detail; remove it"], False),
        (
            "kind: file, url: f.xml",
            ["full_text has no effect on kind file; remove it", "detail has no effect on kind file; remove it"],
            None,
        ),
    ],
)
def test_of_detail_and_full_text_one_has_an_effect_and_the_other_is_said_to_have_none(
    said: str, advice: list[str], is_article: bool | None
) -> None:
    text = f"sources: [{{{said}, full_text: true, {DETAIL}}}]"
    assert [warning.partition(": ")[2] for warning in warnings(text)] == advice
    detail = settings(text).sources[0].detail
    assert (None if detail is None else detail.reading.is_article) == is_article


def test_a_mapping_is_sent_as_json_and_a_text_as_it_is() -> None:
    entry = "entry: {id: a}, method: POST"
    [source] = settings(f"sources: [{{{LIST}, {entry}, body: {{page: 1, q: '新闻', all: true}}}}]").sources
    body = source.request.body
    assert body is not None
    assert json.loads(str.__str__(body)) == {"page": 1, "q": "新闻", "all": True}
    assert source.request.is_json
    [source] = settings(f"sources: [{{{LIST}, {entry}, body: 'page=1&q=x'}}]").sources
    assert source.request == Request(method="POST", body=Secret("page=1&q=x"))
    assert "page" not in repr(source.request)  # the body may contain a token (S44)


def test_two_lists_at_one_address_differ_by_what_is_sent() -> None:
    one, other = (f"{{{LIST}{n}, entry: {{id: a}}, method: POST, body: {{type: {n}}}}}" for n in "12")
    assert len(settings(f"sources: [{one}, {other}]").sources) == 2


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("{content: a}", "url is missing; write url: an address with {fields} of the item"),
        ("{url: 'https://e.org/{id}'}", "detail names no field; write {url: …, content: …}"),
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
            '"/a?{id}" is not an address; write https://host/path?id={id}, or one field alone',
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


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "url: 'https://e.org/l?after={next}', pages: 2",
            "1:63: {next} has no value; write next: and the JMESPath of the next page in an answer",
        ),
        ("url: 'https://{page}.e.org/l', pages: 2", "1:63: the host can't have {fields}; write it out"),
        (
            "url: 'https://e.org/l', pages: 2, next: 'a.['",
            '1:98: "a.[" is not a JMESPath: it ends too soon; write one such as data.items[], or {data.id}',
        ),
        (
            "url: 'https://e.org/l', pages: 2, method: POST, body: {p: {page}}",
            '1:112: {page} or {next} without quotes is a mapping in YAML; write "{page}" or "{next}"',
        ),
    ],
)
def test_what_is_wrong_about_pages_is_said_with_its_place(said: str, expected: str) -> None:
    assert problems(f"sources: [{{kind: json, key: a, items: b, entry: {{id: c}}, {said}}}]") == [expected]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("url: 'https://e.org/l?p={page}', pages: 2", None),
        ("url: 'https://e.org/l', pages: 2, next: a.b", None),
        (
            "url: 'https://e.org/l', pages: 2",
            "1:89: pages has no effect on kind json without the next page; write {page} into url, or write next:",
        ),
        (
            "url: 'https://e.org/l?p={page}'",
            "1:63: only the first page is fetched; write pages: 10, or as many further pages as a poll may read",
        ),
        (
            "url: 'https://e.org/l?p={page}&t={pgae}', pages: 2",
            '1:63: "{pgae}" is sent unchanged; the address of a list may have {page} and {next}',
        ),
        (
            "url: 'https://e.org/l', next: a, pages: 2, page: {from: 0}",
            "1:107: page has no effect; write {page} into url or body, or remove it",
        ),
    ],
)
def test_pages_that_lead_nowhere_are_warned_about(said: str, expected: str | None) -> None:
    found = warnings(f"sources: [{{kind: json, key: a, items: b, entry: {{id: c}}, {said}}}]")
    assert found == ([] if expected is None else [expected])


def test_pages_of_a_feed_are_no_business_of_page_and_next() -> None:
    assert warnings("sources: [{url: 'https://e.org/f', page: {from: 0}, next: a}]") == [
        "1:42: page has no effect on kind feed; remove it",
        "1:59: next has no effect on kind feed; remove it",
    ]


def test_a_list_is_known_by_the_address_of_its_first_page() -> None:
    text = "sources: [{kind: json, url: 'https://e.org/l?p=%s&c={next}', pages: 2, next: a, entry: {id: c}%s}]"
    [paged] = settings(text % ("{page}", ", page: {from: 3}")).sources
    [plain] = settings("sources: [{kind: json, url: 'https://e.org/l?p=3', entry: {id: c}}]").sources
    assert (paged.key, paged.url) == (plain.key, plain.url)
    assert fetch_settings_of(paged) != fetch_settings_of(plain)
    (twice,) = problems(text[:-1] % ("{page}", "") + ", {kind: json, url: 'https://e.org/l?p=1', entry: {id: c}}]")
    assert "is already polled by the source in line 1" in twice
