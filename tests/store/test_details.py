"""Entries that wait for their details: which are due, and what claims, failures and answers of a host change."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.app import App
from aggregator.model.changes import Completion, WaitingEntry
from aggregator.model.job import Awaited, DetailJob
from aggregator.model.settings import SourceKey
from tests.fake_source import FakeSource, said
from tests.rows import change, rows
from tests.sample_site import START, SampleSite

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
YAML = """
hosts: {b.example: {allow_private: true}}
defaults: {dedupe: off}
sources:
  - {key: a, url: 'https://a.example/', category: x, kind: json, items: list, entry: {id: id, title: t},
     detail: {url: 'https://a.example/text?id={id}', content: text}}
  - {key: b, url: 'https://b.example/', category: x, full_text: true}
  - {key: plain, url: 'https://plain.example/', category: x}
"""


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes(YAML, hosts="")
    return site


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    """Yield an app whose store has nine entries that wait: 1 to 3 of a, 4 to 6 of b, 7 to 9 of plain."""
    with site.opened() as app:
        for number, key in enumerate(("a", "b", "plain")):
            FakeSource(app).says(key, *(said(3 * number + one) for one in (1, 2, 3)))
        change(app.store, "DELETE FROM publication")
        change(app.store, "DELETE FROM detail")
        change(app.store, "UPDATE entry SET state = 'waiting', story_id = NULL")
        yield app


def waiting(number: int, **fields: Any) -> WaitingEntry:
    """Return a waiting entry that is due at START."""
    name = "link" if 3 < number < 7 else "id"
    plain = WaitingEntry(
        id=number,
        asked=((name, f"https://b.example/{number}" if name == "link" else str(number)),),
        host_key=f"{'aaabbbccc'[number - 1]}.example",
        date=START - number * HOUR,
        backfill=number == 2,
        due_at=START,
    )
    return replace(plain, **fields)


def add(app: App, *numbers: int, source: int = 1, **fields: Any) -> None:
    with app.store.begin() as tx:
        tx.details.add(source, [waiting(number, **fields) for number in numbers], app.clock())


def due(app: App, **limits: Any) -> list[int]:
    """Return the ids of due entries, in their order."""
    with app.store.read() as tx:
        return [item.id.row for item in tx.details.due(app.clock(), **({"limit": 9, "per_host": 9} | limits))]


def claim(app: App, *numbers: int) -> list[DetailJob]:
    """Claim due entries."""
    with app.store.begin() as tx:
        found = {item.id.row: item for item in tx.details.due(app.clock(), limit=9, per_host=9)}
        return tx.details.claim([found[n] for n in numbers], app.clock(), app.in_force.roster.sources)


def states(app: App) -> dict[int, tuple[Any, ...]]:
    """Return minutes from START until each entry is due, claims, failures, and whether its host holds it up."""
    found = rows(app.store, "SELECT entry_id, due_at, claims, failures, held_up FROM detail ORDER BY entry_id")
    return {row[0]: ((row[1] / 1e6 - START.timestamp()) / 60, *row[2:]) for row in found}


def test_the_first_that_came_are_due_first_and_of_those_the_newest(app: App, site: SampleSite) -> None:
    add(app, 3, due_at=START - MINUTE)
    add(app, 1, 2)
    site.clock.move(seconds=1)
    add(app, 4, source=2)
    assert due(app) == [3, 4, 2, 1], "a second one of a host after the first ones of others"
    assert due(app, limit=2) == [3, 4]
    assert due(app, per_host=1) == [3, 4]
    assert due(app, per_host=2) == [3, 4, 2]
    assert due(app, blocked=["a.example"]) == [4]
    assert due(app, sources=[2]) == [4]
    assert due(app, sources=[]) == []
    change(app.store, "UPDATE source SET own_machine = TRUE WHERE id = 2")
    assert (due(app, own=True), due(app, own=False)) == ([4], [3, 2, 1])
    add(app, 5, source=2, due_at=START + 2 * MINUTE)
    assert 5 not in due(app)
    site.clock.move(minutes=2)
    assert 5 in due(app), "at the very time"
    change(app.store, "UPDATE source SET paused = TRUE WHERE id = 1")
    assert due(app) == [4, 5]
    change(app.store, "UPDATE source SET active = FALSE WHERE id = 2")
    assert due(app) == []


def test_what_is_due_names_source_and_host(app: App) -> None:
    add(app, 1)
    change(app.store, "UPDATE detail SET failures = 3")
    with app.store.read() as tx:
        [item] = tx.details.due(app.clock(), limit=1)
    assert (*item.id, item.key, item.url, item.host_key, item.due_at, item.failures) == (
        "entry", 1, "a", "https://a.example/", "a.example", START, 3,
    )  # fmt: skip


def test_a_claim_moves_the_due_time_ahead_and_is_held_until_the_next(app: App, site: SampleSite) -> None:
    add(app, 1, 2)
    jobs = claim(app, 2, 1)
    assert [job.awaited.id for job in jobs] == [2, 1]
    assert states(app) == {1: (5.0, 1, 0, 0), 2: (5.0, 1, 0, 0)}
    one = jobs[0]
    assert (one.url, one.source.key, one.source_id, one.host_key) == (
        "https://a.example/text?id=2", "a", 1, "a.example",
    )  # fmt: skip
    link = said(2).link
    assert one.awaited == Awaited(id=2, link=link, date=START - 2 * HOUR, backfill=True, since=START)
    assert (one.claim.due_at, one.claim.crashes, one.claim.claimed_at, one.failures) == (START, 0, START, 0)
    with app.store.begin() as tx:
        assert tx.details.held(jobs) == {1, 2}
    assert due(app) == []
    site.clock.move(minutes=5)
    again = claim(app, 1)
    assert [job.claim.crashes for job in again] == [1]
    assert states(app)[1] == (15.0, 2, 0, 0), "10 minutes after a crash"
    with app.store.begin() as tx:
        assert (tx.details.held(jobs), tx.details.held(again)) == ({2}, {1})


def test_who_chose_the_same_entry_later_does_not_get_it(app: App) -> None:
    add(app, 1, 2)
    with app.store.read() as tx:
        chosen = tx.details.due(app.clock(), limit=9, per_host=9)
    assert len(claim(app, 1)) == 1
    with app.store.begin() as tx:
        assert [job.awaited.id for job in tx.details.claim(chosen, app.clock(), app.in_force.roster.sources)] == [2]
        assert tx.details.claim([], app.clock(), app.in_force.roster.sources) == []


def test_a_source_without_details_is_not_claimed_but_lapses(app: App, site: SampleSite) -> None:
    add(app, 7, source=3)
    add(app, 1)
    assert claim(app, 7) == []
    with app.store.begin() as tx:
        [job] = tx.details.lapsed(app.clock(), app.in_force.roster.sources)
        assert (job.awaited.id, job.url, job.awaited.link) == (7, "https://plain.example/", None)
        others = {key: one for key, one in app.in_force.roster.sources.items() if key != "plain"}
        assert tx.details.lapsed(app.clock(), others) == [], "it may return to feeds.yaml"
    change(app.store, "DELETE FROM detail WHERE entry_id = 7")
    for minutes, lapsed in ((24 * 60 + 5, []), (1 / 60, [1])):
        site.clock.move(minutes=minutes)
        with app.store.begin() as tx:
            jobs = tx.details.lapsed(app.clock(), app.in_force.roster.sources)
        assert [job.awaited.id for job in jobs] == lapsed
    assert (jobs[0].url, jobs[0].awaited.link) == ("https://a.example/text?id=1", said(1).link)


def test_an_item_that_lacks_a_value_has_no_request(app: App) -> None:
    add(app, 1, asked=())
    assert claim(app, 1) == []
    with app.store.begin() as tx:
        [job] = tx.details.lapsed(app.clock(), app.in_force.roster.sources)
    assert job.url == "https://a.example/"


def test_claims_are_given_back_as_they_were(app: App, site: SampleSite) -> None:
    add(app, 1, 2, 3)
    jobs = claim(app, 1, 2, 3)
    with app.store.begin() as tx:
        tx.details.give_back(jobs[:1])
        tx.details.put_off([(jobs[1], START + MINUTE)])
        tx.details.give_back([])
        tx.details.put_off([])
    assert states(app) == {1: (0.0, 0, 0, 0), 2: (6.0, 0, 0, 0), 3: (5.0, 1, 0, 0)}
    site.clock.move(minutes=5)
    claim(app, 3)
    with app.store.begin() as tx:
        tx.details.give_back(jobs[2:])
        tx.details.put_off([(jobs[2], START)])
    assert states(app)[3] == (15.0, 2, 0, 0), "an earlier claim undoes nothing"


def failed(job: DetailJob, minutes: int, *, all_of_host: bool) -> Completion:
    return Completion(
        job=job, asked_at=START, retry_at=START + minutes * MINUTE, all_of_host=all_of_host, code="timeout", error="no"
    )


def test_a_failure_of_one_detail_delays_that_one(app: App) -> None:
    add(app, 1, 2)
    [job] = claim(app, 1)
    with app.store.begin() as tx:
        tx.details.retry(failed(job, 7, all_of_host=False))
    assert states(app) == {1: (7.0, 0, 1, 0), 2: (0.0, 0, 0, 0)}
    assert rows(app.store, "SELECT code, error FROM detail WHERE entry_id = 1") == [("timeout", "no")]


def in_trouble(app: App) -> DetailJob:
    """Let the request of entry 1 fail because of its host, and return its job."""
    add(app, 1, 2)
    add(app, 3, due_at=START + HOUR)
    add(app, 4, source=2, host_key="a.example")
    [job] = claim(app, 1)
    with app.store.begin() as tx:
        tx.details.retry(failed(job, 7, all_of_host=True))
    return job


def test_a_failing_host_holds_up_the_others_of_the_source(app: App) -> None:
    in_trouble(app)
    assert states(app) == {1: (7.0, 0, 1, 1), 2: (7.0, 0, 1, 1), 3: (60.0, 0, 0, 0), 4: (0.0, 0, 0, 0)}


def test_what_comes_meanwhile_waits_for_the_host_too(app: App) -> None:
    in_trouble(app)
    change(app.store, "DELETE FROM detail WHERE entry_id > 2")
    change(app.store, "UPDATE detail SET due_at = due_at + 60000000, failures = 5 WHERE entry_id = 2")
    add(app, 3)
    assert states(app)[3] == (8.0, 0, 5, 1)
    add(app, 4, host_key="other.example")
    assert states(app)[4] == (0.0, 0, 0, 0)
    add(app, 5, source=2, host_key="a.example")
    assert states(app)[5] == (0.0, 0, 0, 0), "of another source"
    add(app)


def test_one_request_probes_a_host_in_trouble(app: App, site: SampleSite) -> None:
    in_trouble(app)
    change(app.store, "DELETE FROM detail WHERE entry_id = 4")
    site.clock.move(minutes=7)
    assert due(app) == [2], "of those that are held up, one"
    jobs = claim(app, 2)
    assert states(app) == {1: (9.0, 0, 1, 1), 2: (12.0, 1, 1, 1), 3: (60.0, 0, 0, 0)}
    assert jobs[0].failures == 1
    with app.store.begin() as tx:
        tx.details.finish(jobs[0], answered=True)
    assert states(app) == {1: (7.0, 0, 0, 0), 3: (60.0, 0, 0, 0)}


@pytest.mark.parametrize(("answered", "failures"), [(False, 1), (True, 0)])
def test_only_an_answer_after_failures_frees_the_others(app: App, answered: bool, failures: int) -> None:
    job = in_trouble(app)
    with app.store.begin() as tx:
        tx.details.finish(replace(job, failures=failures), answered=answered)
    assert states(app) == {2: (7.0, 0, 1, 1), 3: (60.0, 0, 0, 0), 4: (0.0, 0, 0, 0)}


def test_an_entry_is_there_while_it_waits(app: App) -> None:
    with app.store.read() as tx:
        found = tx.details.entry(1)
        assert found is not None
        assert found.title == "Title 1"
        assert tx.details.entry(99) is None
    change(app.store, "UPDATE entry SET state = 'published' WHERE id = 1")
    with app.store.read() as tx:
        assert tx.details.entry(1) is None


def test_categories_that_had_enough_are_told_to_the_job(app: App) -> None:
    change(app.store, "UPDATE entry SET limited = '[1, 7]', link = NULL WHERE id = 1")
    add(app, 1)
    [job] = claim(app, 1)
    assert (job.awaited.limited, job.awaited.link) == ((1, 7), None)
    assert job.source.key == SourceKey("a")
