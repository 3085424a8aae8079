"""Every statement of a poll and of a publication finds its rows by an index, in both databases."""

import re
from pathlib import Path

from sqlalchemy import Connection

from aggregator.app import App
from tests.fake_source import FakeSource, said
from tests.rows import connected
from tests.sample_site import SampleSite

# Those that grow with entries and sources; a statement that reads one of these from end to end is slow one day.
LARGE = "alias aside_day body detail entry event fingerprint outline poll_day post publication revision story".split()
YAML = """publish: {entries: 10, archive_page: 10}
sources:
  - {key: a, url: 'https://a.example/', category: x}
  - {key: b, url: 'https://b.example/', category: [x, y]}
"""


def plan_of(connection: Connection, statement: str) -> str:
    """Return the plan of a statement whatever its values are, as text."""
    if connection.dialect.name == "sqlite":
        nothing = (None,) * statement.count("?")
        return "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", nothing))
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
    for each in (f"PREPARE looked_at AS {numbered}", "SET LOCAL plan_cache_mode = force_generic_plan"):
        connection.exec_driver_sql(each.replace("%", "%%") if "%" in each else each)
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the tables are small
    values = f"({', '.join(['NULL'] * len(names))})" if names else ""
    plan = "; ".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN EXECUTE looked_at{values}"))
    connection.exec_driver_sql("DEALLOCATE looked_at")
    return plan


def statements_of_a_poll(app: App, source: FakeSource) -> list[str]:
    """Return each statement of an unchanged poll, of one with news, revisions and copies, and of their publication."""
    heard: list[str] = []
    source.says("a", *(said(number) for number in range(12)))
    source.says("b", *(said(number) for number in range(10, 14)))
    app.publisher.publish()
    with app.store.heard_statements(heard.append):
        source.unchanged(["a", "b"])
        source.says("a", said(20), *(said(number, title=f"Corrected {number}") for number in range(3, 12)))
        source.says("b", said(20), said(21), *(said(number) for number in range(11, 14)))
    return list(dict.fromkeys(one for one in heard if one.split(" ", 1)[0] in ("SELECT", "UPDATE", "DELETE")))


def test_every_statement_of_a_poll_goes_by_an_index(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    with site.opened() as app:
        statements = statements_of_a_poll(app, FakeSource(app))
    whole = re.compile(rf"(?:Seq Scan on|SCAN) ({'|'.join(LARGE)})\b(?! AS MATERIALIZED)")
    with connected(site.folder) as connection:
        plans = {statement: plan_of(connection, statement) for statement in statements}
    assert len(plans) > 30
    assert {statement: plan for statement, plan in plans.items() if whole.search(plan)} == {}
