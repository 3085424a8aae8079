"""Sources in the store: what outputs and OPML lists read of them, and what outlives an edited address."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.known import EntryState
from aggregator.model.outline import Outline
from aggregator.model.settings import Kind, Show, SourceKey
from aggregator.model.source_row import Limits
from aggregator.store.sources import keep_outlines, known_outlines
from aggregator.store.status import ADVICE, advice_for
from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.rows import change, connected, rows
from tests.sample_site import START, SampleSite

DAY = timedelta(days=1)
FEEDS = """
defaults: {dedupe: off}
sources:
  - {key: a, url: 'https://a.example/', category: x}
  - {key: b, url: 'https://b.example/', category: x, private: true}
  - {key: c, url: 'https://c.example/', category: x}
"""


def test_titles_are_those_of_active_sources_that_have_one(app: App) -> None:
    for key, title in (("a", " Feed A "), ("b", " "), ("c", "Feed C")):
        FakeSource(app).says(key, said(key), title=title)
    change(app.store, "UPDATE source SET active = FALSE WHERE key = 'c'")
    with app.store.read() as tx:
        assert tx.sources.titles() == {"a": "Feed A"}


def test_sources_are_listed_by_key_with_state_and_feed(app: App) -> None:
    FakeSource(app).says("c", said(1), title="Feed C")
    FakeSource(app).fails("b", "dns")
    change(app.store, "UPDATE source SET active = FALSE WHERE key = 'a'")
    with app.store.read() as tx:
        listed = tx.sources.rows()
    assert [(row.key, row.url, row.state, row.paused, row.code) for row in listed] == [
        ("b", "https://b.example/", "failing", False, "dns"), ("c", "https://c.example/", "ok", False, None),
    ]  # fmt: skip
    assert [row.feed.title if row.feed else None for row in listed] == [None, "Feed C"]


def test_two_sources_share_an_address_only_while_both_are_active(app: App) -> None:
    def shares() -> bool:
        with app.store.read() as tx:
            return tx.sources.share_addresses()

    assert not shares()
    change(app.store, "UPDATE source SET url_in_use = 'https://a.example/' WHERE key = 'c'")
    assert shares()
    change(app.store, "UPDATE source SET active = FALSE WHERE key = 'c'")
    assert not shares()


def test_twins_of_a_source_share_its_answer(app: App) -> None:
    change(app.store, "UPDATE source SET url_in_use = 'https://a.example/' WHERE key <> 'a'")

    def twins() -> dict[int, list[str]]:
        with app.store.begin() as tx:
            found = tx.claims.twins([job], app.in_force.roster.sources)
        assert all(one.is_twin for jobs in found.values() for one in jobs)
        return {number: [one.source.key for one in jobs] for number, jobs in found.items()}

    job = FakeSource(app).claim("a")
    assert twins() == {1: ["b", "c"]}
    change(app.store, "UPDATE source SET paused = TRUE WHERE key = 'b'")
    assert twins() == {1: ["c"]}
    change(app.store, "UPDATE source SET active = FALSE WHERE key = 'c'")
    assert twins() == {}


def test_limits_of_sources_that_have_some(app: App) -> None:
    seen = json.dumps({"addresses": ["https://c.example/old", "https://b.example/", "https://met.example/"]})
    change(app.store, "UPDATE source SET observations = :seen, url_in_use = 'https://new.example/',"
           " validators_url = 'https://new.example/' WHERE key = 'b'", seen=seen)  # fmt: skip
    change(
        app.store, "UPDATE source SET show = 'title', noindex = TRUE, observations = :seen WHERE key = 'c'", seen=seen
    )
    with app.store.read() as tx:
        found = tx.sources.limits()
    assert found == {
        "b": Limits(
            private=True, show=None, noindex=False, addresses=(Url("https://b.example/"),),
            met=(Url("https://new.example/"), Url("https://c.example/old"), Url("https://met.example/")),
        ),
        "c": Limits(private=False, show=Show.TITLE, noindex=True, addresses=(Url("https://c.example/"),)),
    }  # fmt: skip
    assert list(found) == ["b", "c"]


def test_the_feeds_of_a_list_are_replaced_as_a_whole(app: App) -> None:
    first = [Outline(url=Url("https://two.example/"), title="Two", categories=("x", "y")),
             Outline(url=Url("https://one.example/"))]  # fmt: skip
    with connected(app.store, writes=True) as connection:
        keep_outlines(connection, 1, [Outline(url=Url("https://gone.example/"))])
        keep_outlines(connection, 3, first[:1])
        keep_outlines(connection, 1, first)
        assert known_outlines(connection, 1) == tuple(first)
    with app.store.read() as tx:
        assert tx.sources.lists() == {"a": first, "c": first[:1]}
    with connected(app.store, writes=True) as connection:
        keep_outlines(connection, 1, [])
        assert known_outlines(connection, 1) == ()


# Edited addresses.


def addresses(site: SampleSite, key: str) -> list[str]:
    [(seen,)] = rows(site.folder, "SELECT observations FROM source WHERE key = :key", key=key)
    return list(json.loads(seen or "{}").get("addresses", ()))


@pytest.mark.parametrize(("key", "kept"), [("a", []), ("b", ["https://b.example/", "https://b.example/in-use"])])
def test_s44_addresses_of_private_sources_stay_secret_after_an_edit(
    site: SampleSite, key: str, kept: list[str]
) -> None:
    with site.opened():
        change(site.folder, f"UPDATE source SET url_in_use = 'https://{key}.example/in-use'")
    site.writes(FEEDS.replace(f"https://{key}.example/", f"https://{key}.example/new"))
    with site.opened():
        pass
    assert addresses(site, key) == kept


def test_a_source_that_becomes_private_hides_its_earlier_address(site: SampleSite) -> None:
    with site.opened():
        pass
    site.writes(FEEDS.replace("'https://a.example/'", "'https://a.example/new', private: true"))
    with site.opened():
        pass
    assert addresses(site, "a") == ["https://a.example/"]


def test_the_address_in_use_that_is_written_into_feeds_yaml_changes_no_state(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said(1))
    change(site.folder, "UPDATE source SET url_in_use = 'https://a.example/new' WHERE key = 'a'")
    before = rows(site.folder, "SELECT etag, state, polls, due_at FROM source WHERE key = 'a'")
    site.writes(FEEDS.replace("https://a.example/", "https://a.example/new"))
    with site.opened():
        pass
    assert rows(site.folder, "SELECT etag, state, polls, due_at FROM source WHERE key = 'a'") == before
    assert rows(site.folder, "SELECT url, url_in_use FROM source WHERE key = 'a'") == [
        ("https://a.example/new", "https://a.example/new")
    ]
    site.writes(FEEDS.replace("https://a.example/", "https://a.example/other"))
    with site.opened():
        pass
    assert rows(site.folder, "SELECT etag FROM source WHERE key = 'a'") == [(None,)]


# Stored entries that are decided again.


def stored(app: App) -> None:
    """Store the entries 1 to 4 of a, and 5 of c."""
    FakeSource(app).says("a", *(said(n) for n in (1, 2, 3, 4)))
    FakeSource(app).says("c", said(5))


def test_entries_of_a_time_are_the_newest_published_ones(app: App, site: SampleSite) -> None:
    stored(app)
    hour = int((START + DAY).timestamp() * 1e6)
    change(app.store, "UPDATE entry SET first_seen = :at WHERE id = 3", at=hour)
    change(app.store, "UPDATE entry SET published = :at WHERE id = 2", at=hour)
    change(app.store, "UPDATE entry SET first_seen = :at, thinned = 1 WHERE id = 4", at=hour)

    def since(when: timedelta, most: int = 9) -> list[int]:
        with app.store.read() as tx:
            return [one.known.id for one in tx.stored_entries.stored_since(1, START + when, most=most)]

    assert since(DAY) == [3, 2]
    assert since(DAY + timedelta(seconds=1)) == []
    assert since(timedelta(0)) == [3, 2, 1]
    assert since(timedelta(0), 2) == [3, 2]
    change(app.store, "UPDATE entry SET state = 'rejected' WHERE id = 3")
    assert since(DAY) == [2]


@pytest.mark.parametrize("mark", ["refused = '[1]'", "original = '{}'", "state = 'rejected'"])
def test_sources_with_an_entry_that_a_rule_changed(app: App, mark: str) -> None:
    stored(app)

    def ruled() -> list[SourceKey]:
        with app.store.read() as tx:
            return tx.stored_entries.ruled_sources()

    assert ruled() == []
    change(app.store, f"UPDATE entry SET {mark} WHERE id IN (2, 3)")
    assert ruled() == ["a"]
    change(app.store, "UPDATE source SET active = FALSE WHERE key = 'a'")
    assert ruled() == []


def test_entries_with_their_texts_in_parts_newest_first(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(app)
    monkeypatch.setattr("aggregator.store.stored_entries.PART", 2)
    change(app.store, "UPDATE entry SET published = :at WHERE id = 4", at=int((START - DAY).timestamp() * 1e6))
    change(app.store, "UPDATE entry SET refused = '[1]', limited = '[2]', unpublished = '{}' WHERE id = 1")
    change(app.store, "UPDATE entry SET state = 'rejected' WHERE id = 2")
    with app.store.read() as tx:
        parts = list(tx.stored_entries.filed(1))
        assert list(tx.stored_entries.filed(1, since=START + DAY)) == []
    assert [[one.known.id for one in part] for part in parts] == [[1, 2], [3, 4]]
    first, second = parts[0]
    assert (first.refused, first.limited, first.is_deferred, first.entry.title) == ((1,), (2,), True, "Title 1")
    assert (second.refused, second.limited, second.is_deferred, second.known.state) == (
        (), (), False, EntryState.REJECTED,
    )  # fmt: skip


def test_other_copies_of_a_story(app: App) -> None:
    stored(app)
    change(app.store, "UPDATE entry SET story_id = 1 WHERE id = 5")
    with app.store.read() as tx:
        assert [one.known.id for one in tx.stored_entries.tellers_of([1, 2], but=1)] == [5]
        assert [one.known.id for one in tx.stored_entries.tellers_of([1, 2], but=3)] == [1, 2]
        assert [one.entry.title for one in tx.stored_entries.tellers_of([1], but=1)] == ["Title 5"]


# Advice on failures (docs/alarms.md).


@pytest.mark.parametrize("code", ADVICE)
def test_each_kind_of_source_has_the_advice_for_a_failure(code: str) -> None:
    table = Path(__file__, "../../../docs/alarms.md").resolve().read_text(encoding="utf-8")
    assert f"`{code}`" in table, "a code that operators can look up"
    assert advice_for(code, Kind.FEED) == ADVICE[code]


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (Kind.HTML, "forbidden", "robots"),
        (Kind.HTML, "not_a_feed", "no item was found on the page"),
        (Kind.HTML, "not_found", "the page does not exist"),
        (Kind.SITEMAP, "forbidden", "robots"),
        (Kind.SITEMAP, "not_a_feed", "not a sitemap"),
        (Kind.SITEMAP, "not_found", "the sitemap does not exist"),
        (Kind.JSON, "not_a_feed", "the API's own error"),
        (Kind.JSON, "not_found", "the API has no such address"),
        (Kind.JSON, "unreadable", "not valid JSON"),
        (Kind.OPML, "not_a_feed", "not an OPML list"),
        (Kind.OPML, "not_found", "the feed does not exist"),
        (Kind.HTML, "dns", "spelling of the host"),
    ],
)
def test_advice_for_other_kinds_than_feeds(kind: Kind, code: str, words: str) -> None:
    assert words in (advice_for(code, kind) or "")


def test_advice_for_a_file_and_for_what_is_no_failure() -> None:
    assert "below the folder of feeds.yaml" in (advice_for("not_found", Kind.FEED, is_local=True) or "")
    assert advice_for("unreadable", Kind.JSON, is_local=True) == advice_for("unreadable", Kind.JSON)
    assert advice_for(None, Kind.FEED) is None
    assert advice_for("unheard_of", Kind.HTML) is None
