"""/search for its users and against misuse (S57)."""

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from aggregator.errors import StoreError
from aggregator.model.entry import Origin
from aggregator.model.settings import CategoryKey, Site, SourceKey
from aggregator.model.story import Publication
from aggregator.render.search_page import Answer, Choice, render_found, render_found_json
from aggregator.search.index import SearchTimeout
from aggregator.search.query import Query
from aggregator.serve.application import Application
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.rate import MAX_CLIENTS, RateLimit
from aggregator.serve.search import LIMIT, search
from aggregator.urls import Url, normalise
from tests.serve.conftest import Said
from tests.serve.test_application import answer

SITE = Site(title="Planet", base_url=normalise("https://planet.example/"), language="en", timezone="UTC", contact=None)
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def publication(number: int) -> Publication:
    return Publication(
        story=number,
        atom_id=f"urn:example:{number}",
        page_id=f"{number:016x}",
        sort_at=NOON,
        page=None,
        published=NOON,
        updated=NOON,
        source=SourceKey("a"),
        entry_key=None,
        title=f"<b>Story</b> {number}",
        link=Url(f"https://a.example/{number}"),
        summary="",
        content=f"<p>{'before ' * 30}the Harbour and <i>much</i> more</p>",
        authors=(),
        tags=(),
        enclosures=(),
        rights=None,
        language=None,
        origin=Origin(title="Feed A", link=None, id="urn:feed"),
        credits=(),
        category=CategoryKey("python"),
        home="category/python",
    )


@pytest.fixture
def finds() -> list[Publication | Exception]:
    """Return a search function with these results; an exception is raised."""
    return []


@pytest.fixture
def ask(published: PublishedFolder, finds: list[Publication | Exception]) -> Callable[..., Said]:
    def find(query: Query, choice: Choice, limit: int, seconds: float) -> list[Publication]:
        for each in finds:
            if isinstance(each, Exception):
                raise each
        kept = [each for each in finds if isinstance(each, Publication) and choice.keeps(each, NOON)]
        return kept[(choice.page - 1) * LIMIT :][:limit]

    def page(asked: str, terms: Sequence[str], found: Sequence[Publication], how: Answer, choice: Choice) -> bytes:
        return render_found(asked, terms, found, how, SITE, choice=choice)

    endpoints = search(find, page=page, record=render_found_json, steady=lambda: 0.0)
    application = Application(published, health=lambda: True, ready=lambda: True, endpoints=endpoints)

    def ask(query: str, path: str = "/search", **environ: str) -> Said:
        return answer(application, path=path, QUERY_STRING=query, **environ)

    return ask


def test_a80_a_page_in_the_frame_of_all_pages(ask: Callable[..., Said], finds: list[Publication]) -> None:
    finds.append(publication(1))
    said = ask("q=harbour")
    assert said.status == 200
    assert said.headers["content-type"] == "text/html; charset=utf-8"
    assert "form-action 'self'" in said.headers["content-security-policy"]
    assert said.headers["cache-control"] == "no-store"
    text = said.body.decode()
    assert "form-action 'self'" in text
    assert 'href="https://a.example/1"' in text
    assert "&lt;b&gt;Story&lt;/b&gt; 1" in text
    assert "…before" in text
    assert "the <mark>Harbour</mark> and much more" in text
    assert "Stories found: 1, newest first." in text


def test_s41_the_question_comes_back_as_text_only(ask: Callable[..., Said]) -> None:
    said = ask("q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert b"<script" not in said.body
    assert b"&#34;&gt;&lt;script&gt;" in said.body
    assert b"Nothing is found" in said.body


def test_the_same_as_json(ask: Callable[..., Said], finds: list[Publication]) -> None:
    finds += [publication(n) for n in range(LIMIT + 5)]
    said = ask("q=harbour", "/search.json")
    record = json.loads(said.body)
    assert said.headers["content-type"] == "application/json"
    assert (record["query"], record["complete"], len(record["found"])) == ("harbour", False, LIMIT)
    assert record["found"][0]["url"] == "https://a.example/0"
    assert "access-control-allow-origin" not in said.headers


@pytest.mark.parametrize("query", ["", "q=", "q=%FF%FE", "q=%00", "=&=&;;", "x=" + "&x=" * 50, "q=" + "a" * 7000])
def test_s57_anything_may_be_asked(ask: Callable[..., Said], query: str) -> None:
    assert ask(query).status == 200


def test_s57_a_search_that_takes_too_long_is_told(ask: Callable[..., Said], finds: list[Exception]) -> None:
    finds.append(SearchTimeout("slow"))
    said = ask("q=a")
    assert said.status == 503
    assert b"That took too long" in said.body
    finds[:] = [StoreError("the disk")]
    assert (ask("q=a").status, ask("q=a").body) == (503, b"Service Unavailable\n")


def test_s57_sixty_a_minute_and_address(ask: Callable[..., Said]) -> None:
    said = [ask("q=a", REMOTE_ADDR="192.0.2.1").status for _ in range(61)]
    assert said == [200] * 60 + [429]
    assert ask("q=a", REMOTE_ADDR="192.0.2.1").headers["retry-after"] == "30"
    assert ask("q=a", REMOTE_ADDR="192.0.2.2").status == 200
    assert ask("", REMOTE_ADDR="192.0.2.1").status == 200, "the form costs nothing"


def test_a_second_page_leads_back_to_the_first(ask: Callable[..., Said], finds: list[Publication]) -> None:
    finds += [publication(n) for n in range(LIMIT + 5)]
    first, second = ask("q=harbour").body.decode(), ask("q=harbour&page=2").body.decode()
    assert 'rel="next" href="search?q=harbour&amp;page=2"' in first
    assert 'rel="prev"' not in first
    assert 'rel="prev" href="search?q=harbour"' in second
    assert 'rel="next"' not in second
    assert "Page 2 of the results." in second
    assert [text.count('class="title"') for text in (first, second)] == [LIMIT, 5]
    assert json.loads(ask("q=harbour&page=2", "/search.json").body)["page"] == 2


@pytest.mark.parametrize(("more", "count"), [("&in=python", 1), ("&in=ruby", 0), ("&source=b", 0), ("&days=7", 1)])
def test_what_is_found_is_chosen_from(
    ask: Callable[..., Said], finds: list[Publication], more: str, count: int
) -> None:
    finds.append(publication(1))
    assert ask(f"q=harbour{more}").body.decode().count('class="title"') == count


@pytest.mark.parametrize(
    "more", ["&days=3", "&days=-1", "&days=x", "&page=0", "&page=9999999", "&page=²", "&in=", "&in=%22"]
)
def test_s57_any_choice_may_be_asked(ask: Callable[..., Said], more: str) -> None:
    assert ask(f"q=a{more}").status == 200


def test_results_of_one_source_lead_to_those_of_all(ask: Callable[..., Said], finds: list[Publication]) -> None:
    finds.append(publication(1))
    assert 'href="search?q=harbour&amp;source=a"' in ask("q=harbour").body.decode()
    only = ask("q=harbour&source=a").body.decode()
    assert '<input type="hidden" name="source" value="a">' in only
    assert 'Only from <bdi>Feed A</bdi> · <a href="search?q=harbour">' in only


@pytest.mark.parametrize("path", ["/search", "/search.json"])
def test_answers_are_compressed_where_the_client_takes_that(
    ask: Callable[..., Said], finds: list[Publication], path: str
) -> None:
    finds.append(publication(1))
    plain, packed = ask("q=harbour", path), ask("q=harbour", path, HTTP_ACCEPT_ENCODING="gzip")
    assert gzip.decompress(packed.body) == plain.body
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in plain.headers


def test_s57_post_is_refused(published: PublishedFolder, ask: Callable[..., Said]) -> None:
    assert ask("q=a", REQUEST_METHOD="POST").status == 405


def test_s67_a_limit_is_of_a_client_and_a_minute() -> None:
    now = 0.0
    limit = RateLimit(2, steady=lambda: now)
    net = [limit.allows(f"2001:db8::{n}") for n in range(3)]
    assert net == [True, True, False], "a /64 is one client"
    assert limit.allows("2001:db8:0:1::1")
    assert [limit.allows("::ffff:192.0.2.1"), limit.allows("192.0.2.1"), limit.allows("192.0.2.1")][2] is False
    assert all(limit.allows("127.0.0.1") for _ in range(20)), "a reverse proxy is all its clients"
    now = 60.0
    assert limit.allows("192.0.2.1")
    for n in range(MAX_CLIENTS + 5):
        limit.allows(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert not limit.allows("10.255.0.1"), "those beyond share one count"
