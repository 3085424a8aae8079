"""The index follows the store, and public search shows only what is public."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.errors import StoreError
from aggregator.search import open_index
from aggregator.search.index import SearchIndex, SearchTimeout
from aggregator.search.query import parse_query
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

FEEDS = """
categories: {shown: {}, hidden: {unlisted: true}}
sources:
  - {key: a, url: 'https://a.example/', category: shown}
  - {key: b, url: 'https://b.example/', category: hidden}
  - {key: p, url: 'https://p.example/', category: shown, private: true}
  - {key: r, url: 'https://r.example/', category: shown, exclude: [{title: "(?i)advert"}]}
"""


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    with site.opened("serve") as app:
        yield app


@pytest.fixture
def index(app: App) -> SearchIndex:
    return open_index(app.store, app.in_force.settings.path.parent)


@pytest.fixture
def file(app: App) -> Path:
    """Return the path of the index."""
    assert app.store.path is not None
    return app.store.path.with_name(f"{app.store.path.name}.search")


def public(index: SearchIndex, text: str) -> list[str]:
    index.update()
    return [p.title for p in index.find_public(parse_query(text), limit=50, seconds=10)]


def everything(index: SearchIndex, text: str) -> list[tuple[str, str]]:
    index.update()
    return [(find.title, find.state.value) for find in index.find(parse_query(text), limit=50)[0]]


def test_words_of_title_text_authors_newest_first(app: App, index: SearchIndex) -> None:
    fake_source = FakeSource(app)
    fake_source.says(
        "a",
        said(1, own_id="urn:example:1", title="Harbour reopens"),
        said(2, own_id="urn:example:2", title="The harbour, again"),
    )
    assert public(index, "HARBOUR") == ["Harbour reopens", "The harbour, again"][::-1]
    assert public(index, "harbour again") == ["The harbour, again"]
    assert public(index, '"harbour reopens"') == ["Harbour reopens"]
    assert public(index, '"reopens harbour"') == []
    assert public(index, "harbour -again") == ["Harbour reopens"]
    assert public(index, "harbou") == []


def test_chinese_needs_no_dictionary_and_no_one_script(app: App, index: SearchIndex) -> None:
    FakeSource(app).says("a", said(1, own_id="urn:example:1", title="台湾的服务业"))
    assert public(index, "服务") == public(index, "臺灣") == ["台湾的服务业"]
    assert public(index, "务服") == []


def test_words_are_found_with_their_points_and_without(app: App, index: SearchIndex) -> None:
    pointed, plain = "مَرْحَبًا بِكُمْ", "مرحبا بكم"
    FakeSource(app).says("a", said(1, title=pointed), said(2, title="שָׁלוֹם עוֹלָם"), said(3, title="عـــاجل"))
    for question, title in ((plain, pointed), (pointed, pointed), ("שלום", "שָׁלוֹם עוֹלָם"), ("عاجل", "عـــاجل")):
        assert public(index, question) == [title], question


def test_s57_anyone_finds_what_anyone_may_see(app: App, index: SearchIndex) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said(1, own_id="urn:example:1", title="Open word"))
    fake_source.says("b", said(2, own_id="urn:example:2", title="Unlisted word"))
    fake_source.says("p", said(3, own_id="urn:example:3", title="Private word"))
    fake_source.says("r", said(4, own_id="urn:example:4", title="Advert word"))
    assert public(index, "word") == ["Open word"]
    assert {title for title, _ in everything(index, "word")} == {
        "Open word",
        "Unlisted word",
        "Private word",
        "Advert word",
    }
    assert ("Advert word", "rejected") in everything(index, "word")


def test_what_is_withdrawn_is_found_no_more_and_what_is_revised_as_it_is_now(app: App, index: SearchIndex) -> None:
    fake_source = FakeSource(app)
    entries = [said(n, own_id=f"urn:example:{n}", title=f"Word {n}") for n in range(2)]
    fake_source.says("a", *entries)
    assert public(index, "word") == ["Word 1", "Word 0"] or public(index, "word") == ["Word 0", "Word 1"]
    fake_source.says("a", entries[0], deleted=(("urn:example:1", None),))
    assert public(index, "word") == ["Word 0"]
    fake_source.says("a", said(0, own_id="urn:example:0", title="Other 0"))
    assert public(index, "word") == []
    assert public(index, "other") == ["Other 0"]


def test_many_are_taken_up_step_by_step(app: App, index: SearchIndex, file: Path) -> None:
    fake_source = FakeSource(app)
    for part in range(3):
        fake_source.says(
            "a", *(said(n, own_id=f"urn:example:{n}", title=f"Word {n}") for n in range(part * 200, part * 200 + 200))
        )
    steps = 1
    while not index.update(seconds=0):
        steps += 1
    assert steps > 3
    assert len(everything(index, "word")) == 50
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM words").fetchone() == (600,)
    raw.close()


def test_a_damaged_index_is_made_anew(app: App, index: SearchIndex, file: Path) -> None:
    FakeSource(app).says("a", said(1, own_id="urn:example:1", title="Open word"))
    assert public(index, "word") == ["Open word"]
    for path in file.parent.glob(f"{file.name}-*"):
        path.unlink()
    file.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)
    with pytest.raises(StoreError, match="made anew"):
        index.update()
    assert public(index, "word") == ["Open word"]


def test_an_index_of_another_store_is_made_anew(app: App, index: SearchIndex, file: Path) -> None:
    FakeSource(app).says("a", said(1, own_id="urn:example:1", title="Open word"))
    index.update()
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE meta SET store = 'another', entry = 7")
    raw.close()
    assert public(index, "word") == ["Open word"]


def test_s57_a_question_has_a_time(app: App, index: SearchIndex) -> None:
    FakeSource(app).says("a", said(1, own_id="urn:example:1", title="Open word"))
    index.update()
    with pytest.raises(SearchTimeout):
        index.find_public(parse_query("word"), limit=1, seconds=-1)


def test_polls_leave_the_index_alone(site: SampleSite) -> None:
    with site.opened("poll") as app:
        FakeSource(app).says("a", said(1, own_id="urn:example:1"))
    assert not list(site.folder.rglob("*.search*"))
