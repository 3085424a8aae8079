"""Which events are deleted, and that no decision, publication or undoing depends on a deleted one (P93, R73)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.app import App
from aggregator.model.event import PASSING_FOR, Code, Event
from aggregator.poll.maintenance import Maintenance
from aggregator.service.service import Service
from tests.fake_source import FakeSource, said
from tests.rows import rows
from tests.sample_site import SampleSite
from tests.twin import Twin, ask, twins

FEEDS = """
publish: {entries: 10, archive_page: 10, formats: [atom, json]}
defaults: {dedupe: exact, keep: 20d}
categories: {x: {}, y: {exclude: [{title: "7"}]}}
sources:
  - {key: a, url: 'https://a.example/', category: x, exclude: [{title: "9"}]}
  - {key: b, url: 'https://b.example/', category: [x, y], priority: 1, route: [{when: {title: "3"}, to: z}]}
"""
LASTS = (
    "join_story reject_entry keep_out route_entry file_general make_category mint_id reuse_id drop_entry merge_stories "
    "unmerge_story retract_story restore_story refuse_request"
).split()
PASSES = (
    "make_story publish_story switch_copy keep_known revise_entry hold_revision keep_content change_state move_url "
    "withdraw_story return_story rekey_entry suspect_source clear_source hold_entry release_entry withdraw_entry "
    "relist_entry flood template overflow fill_category await_detail retry_detail complete_entry thin_page leave_out "
    "doubt_list move_settings lose_fields"
).split()


def told(app: App) -> list[Any]:
    """Return all events, in order: time, code, entry, story, facts and whether the event is kept for good."""
    return rows(app.store, "SELECT at, code, entry_id, story_id, facts, lasts FROM event ORDER BY id")


@pytest.mark.parametrize("code", Code, ids=str)
def test_r73_what_why_can_not_tell_from_the_rows_lasts(code: Code) -> None:
    assert sorted(LASTS + PASSES) == sorted(Code), "a new kind is one or the other"
    assert Event(code=code).lasts == (code in LASTS)
    assert Event(code=code, facts={"request": 7}).lasts, "it results from an operator's correction"


def test_r73_events_go_after_ninety_days_but_for_those_that_last(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1), said(9))
        fake_source.says("b", said(1), said(7))
        ask(app, "retract", story=1, undo=False)
        site.clock.move(days=89)
        fake_source.says("a", said(2))
        assert Maintenance(app.store, app.clock).trim_events() == 0
        before = told(app)
        site.clock.move(days=1, seconds=1)
        dropped = Maintenance(app.store, app.clock).trim_events()
        after = told(app)
        assert dropped == len(before) - len(after) > 0
        young = [row for row in after if row[0] > before[-1][0] - 1]
        lasting = ["join_story", "keep_out", "reject_entry", "retract_story", *["withdraw_story"] * 2]
        assert sorted(row[1] for row in after if row not in young) == lasting
        assert [row[1] for row in young] == ["overflow", "make_story"]
        assert all(json.loads(row[4])["request"] == 1 for row in after if row[1] == "withdraw_story")
        assert set(after) == {row for row in before if row[5] or row in young}


def test_a_step_is_bounded_and_what_is_left_goes_next(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", *(said(f"n{number}") for number in range(16)))
        passing = sum(not lasts for *_, lasts in told(app))
        site.clock.move(days=91)
        for module in ("store.events", "poll.maintenance"):
            monkeypatch.setattr(f"aggregator.{module}.TRIMMED", 2)
        monkeypatch.setattr("aggregator.poll.maintenance.TRIM_STEPS", 5)
        dropped = [Maintenance(app.store, app.clock).trim_events() for _ in range(3)]
    assert dropped == [10, passing - 10, 0]


def test_a_poll_trims(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said(1))
    site.writes(FEEDS.replace("priority: 1", "paused: true").replace("category: x,", "category: x, paused: true,"))
    site.clock.move(days=91)
    site.poll()
    with site.opened() as app:
        assert [row[1] for row in told(app)] == ["move_settings"] * 2, "that both were paused, a moment ago"


def test_a_service_trims_each_minute(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said(1))
    site.writes(FEEDS.replace("priority: 1", "paused: true").replace("category: x,", "category: x, paused: true,"))
    site.clock.move(days=91)
    with site.opened() as app:
        service = Service(app, {})
        service.start()
        try:
            job = service.jobs["events"]
            job.run()
        finally:
            service.stop()
        assert job.every == timedelta(minutes=1)
        assert [row[1] for row in told(app)] == ["move_settings"] * 2


# What hangs on events: nothing but what `why` tells.

NUMBERS = st.integers(1, 12)
STEPS = st.one_of(
    st.tuples(st.just("says"), st.sampled_from("ab"), st.lists(NUMBERS, max_size=6, unique=True)),
    st.tuples(st.just("edits"), st.sampled_from("ab"), st.lists(NUMBERS, max_size=4, unique=True)),
    st.tuples(st.just("merge"), NUMBERS, NUMBERS),
    st.tuples(st.just("unmerge"), NUMBERS, st.none()),
    st.tuples(st.just("retract"), NUMBERS, st.booleans()),
    st.tuples(st.just("waits"), st.sampled_from([1, 25, 800]), st.none()),  # hours
    st.tuples(st.just("publish"), st.none(), st.none()),
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=4, max_size=14))
def test_r73_nothing_is_decided_published_or_undone_by_an_event_that_goes(steps: list[tuple[str, Any, Any]]) -> None:
    with twins(Twin, FEEDS, drop_passing, steps) as (long, short):
        assert all(row["lasts"] for row in short.site.tables()["event"])
        assert stored(short) == stored(long)
        assert short.site.outputs() == long.site.outputs()


def drop_passing(app: App) -> None:
    """Delete all events that are not kept for good."""
    with app.store.begin() as tx:
        tx.events.trim(app.clock() + PASSING_FOR)


def stored(twin: Twin) -> tuple[dict[str, list[dict[str, Any]]], list[tuple[Any, ...]]]:
    """Return all tables but `event`, and the events that are kept for good."""
    tables = twin.site.tables()
    return tables, [tuple(row.values())[1:] for row in tables.pop("event") if row["lasts"]]
