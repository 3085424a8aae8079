"""The exact number of statements for a group of polls, and plans of queries."""

from collections import Counter
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.serve.metrics import current_figures
from tests.fake_source import FakeSource, said
from tests.rows import connected
from tests.sample_site import SampleSite


def counted(statements: list[str]) -> Counter[str]:
    return Counter(statement.split(" ", 1)[0] for statement in statements)


def test_all_304s_of_a_group_are_one_statement(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources:\n" + "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/'}}\n" for n in range(30)))
    statements: list[str] = []
    with site.opened() as app:
        fake_source = FakeSource(app)
        keys = [f"s{n}" for n in range(30)]
        fake_source.unchanged(keys)  # never asked before: their states change
        with app.store.heard_statements(statements.append):
            polls_begin = len(statements)
            fake_source.unchanged(keys)
    settled = [s for s in statements[polls_begin:] if s.startswith("UPDATE source") and "polls" in s]
    assert len(settled) == 1


def test_a_poll_costs_the_same_statements_whatever_its_length(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said("first"))
        fake_source.says("b", said("first-of-b"))
        costs = []
        for key, count in (("a", 3), ("b", 150)):
            statements: list[str] = []
            with app.store.heard_statements(statements.append):
                fake_source.says(key, *(said(f"{key}-{n}") for n in range(count)))
            costs.append(len(statements))
    assert costs[1] - costs[0] <= 1, "bands of 150 entries are more than one statement may name"
    assert costs[0] <= 40, "a few of which look for entries under other ids, those of the claim, one for the river"


def test_entries_of_a_source_that_has_none_are_not_looked_up(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("b", said("first-of-b"))
        costs = []
        for entry in ("first", "second"):
            statements: list[str] = []
            with app.store.heard_statements(statements.append):
                fake_source.says("a", said(entry))
            costs.append(sum("FROM entry" in one and "key_hash IN" in one for one in statements))
    assert costs == [0, 1]


def test_marks_sources_days_and_events_of_a_group_are_written_once(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    keys = [f"s{n}" for n in range(10)]
    site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/'}}\n" for key in keys))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.settles(*(fake_source.brings(key, said(f"{key}-first")) for key in keys))
        polls = [fake_source.brings(key, said(f"{key}-first"), said(f"{key}-new")) for key in keys]
        statements: list[str] = []
        with app.store.heard_statements(statements.append):
            fake_source.settles(*polls)
    written = [statement.split() for statement in statements]
    updated = Counter(words[1] for words in written if words[0] == "UPDATE")
    assert (updated["category"], updated["story"], updated["source"]) == (1, 1, 2), "two kinds of columns of sources"
    inserted = Counter(words[2] for words in written if words[0] == "INSERT")
    assert inserted == {"story": 10, "entry": 10, "fingerprint": 10, "publication": 10, "poll_day": 1, "event": 1}


def test_known_entries_are_looked_up_and_nothing_is_written(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    statements: list[str] = []
    with site.opened() as app:
        fake_source = FakeSource(app)
        entries = [said(n) for n in range(100)]
        fake_source.says("a", *entries)
        with app.store.heard_statements(statements.append):
            fake_source.says("a", *entries)
    assert not [s for s in statements if s.startswith("INSERT") and "poll_day" not in s]
    assert not [s for s in statements if s.startswith(("UPDATE entry", "UPDATE publication", "UPDATE category"))]


def plan_of(app: App, statement: str) -> str:
    """Return SQLite's query plan of a statement, as text."""
    nothing = (None,) * statement.count("?")
    with connected(app.store) as connection:
        return "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", nothing))


@pytest.mark.only_sqlite
def test_stories_of_others_are_found_by_the_indexes_of_their_marks(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    statements: list[str] = []
    with sample_site.opened() as app:
        FakeSource(app).says("a", said(1))
        with app.store.heard_statements(statements.append):
            FakeSource(app).says("b", said(2))
        (looking,) = (s for s in statements if "SELECT DISTINCT entry.story_id" in s and "entry.match_link IN" in s)
        plan = plan_of(app, looking)
    assert "MULTI-INDEX OR" in plan, plan
    assert "SCAN entry" not in plan, plan


def test_categories_are_read_once_for_a_group(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    keys = [f"s{n}" for n in range(5)]
    site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/'}}\n" for key in keys))
    statements: list[str] = []
    with site.opened() as app:
        fake_source = FakeSource(app)
        polls = [fake_source.brings(key, said(key)) for key in keys]
        with app.store.heard_statements(statements.append):
            fake_source.settles(*polls)
    assert len([s for s in statements if "category.slug" in s]) == 1


@pytest.mark.only_sqlite
def test_the_newest_of_all_are_looked_for_by_time(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    statements: list[str] = []
    with sample_site.opened() as app:
        with app.store.heard_statements(statements.append), app.store.read() as tx:
            tx.documents.newest([1, 2, 3], 50)
        plan = plan_of(app, statements[1])
    assert plan.startswith("SCAN publication USING INDEX ix_publication_sort_at"), plan


@pytest.mark.only_sqlite
def test_to_say_how_things_stand_reads_no_row_of_entries_or_publications(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    statements: list[str] = []
    with sample_site.opened() as app:
        with app.store.heard_statements(statements.append):
            app.store.status(app.in_force.roster, app.clock())
        (counting,) = (s for s in statements if "JOIN publication" in s or "FROM publication" in s)
        plan = plan_of(app, counting)
    assert "publication USING COVERING INDEX ix_publication_standing" in plan
    assert not [s for s in statements if "FROM entry" in s or "JOIN entry" in s]


@pytest.mark.only_sqlite
def test_metrics_count_in_an_index_of_sources_and_nowhere_else(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    statements: list[str] = []
    with sample_site.opened() as app:
        with app.store.heard_statements(statements.append):
            current_figures(app.store, app.clock())
        asked = [statement for statement in statements if statement.startswith("SELECT")]
        plans = [plan_of(app, statement) for statement in asked if "FROM source" in statement]
    assert {
        table for s in asked for table in ("source", "alarm", "store", "story", "entry") if f"FROM {table}" in s
    } == {
        "source",
        "alarm",
        "store",
    }
    assert len(plans) == 2
    assert all("source USING COVERING INDEX ix_source_due" in plan and "USING INDEX" not in plan for plan in plans)


def test_what_categories_hold_is_counted_where_something_has_changed(sample_site: SampleSite) -> None:
    sample_site.writes(
        "sources: [{key: a, url: 'https://a.example/', category: x}, {key: b, url: 'https://b.example/', category: y}]"
    )
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        for key, told, held in (("a", 1, [1, 0]), ("b", 2, [1, 1]), ("b", 3, [1, 2]), (None, 0, [1, 2])):
            if key is not None:
                fake_source.says(key, said(told))
            statements: list[str] = []
            with app.store.heard_statements(statements.append):
                status = app.store.status(app.in_force.roster, app.clock())
            assert [category.stories for category in status.categories] == held
    assert not [s for s in statements if "FROM publication" in s]


@pytest.mark.only_sqlite
def test_copies_are_found_without_a_look_at_what_every_story_has(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    statements: list[str] = []
    with sample_site.opened() as app:
        with app.store.heard_statements(statements.append), app.store.read() as tx:
            tx.files.copies()
        assert "USING COVERING INDEX ix_file_copied" in plan_of(app, statements[1])


def test_a_start_page_of_many_categories_takes_a_few_statements(sample_site: SampleSite) -> None:
    sample_site.writes(
        "publish: {formats: [html]}\nsources:\n"
        + "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/', category: c{n}}}\n" for n in range(30))
    )
    statements: list[str] = []
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        for n in range(30):
            fake_source.says(f"s{n}", said(n))
        with app.store.heard_statements(statements.append), app.store.read() as tx:
            newest = tx.documents.newest_of_each(range(1, 31), 5, fair=True)
    assert len(newest) == 30
    assert len(statements) <= 4, "who told them, the stories, their copies; and that it begins"
