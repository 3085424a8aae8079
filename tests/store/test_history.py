"""History of polls: the last 20 as lines, sums for each day (P93), requests without known validators (P94)."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aggregator.app import App
from aggregator.model.changes import Changes, SourceUpdate
from aggregator.model.entry import NO_HINTS
from aggregator.model.history import AsideSums, DaySums, SourceHistory, Sums
from aggregator.model.job import unstored_job
from aggregator.model.poll import Aside, Outcome, State
from aggregator.model.settings import Source, SourceKey
from aggregator.store.history import KEPT, later_recent, recent_polls
from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

SOURCE = Source(key=SourceKey("a"), url=Url("https://a.example/"))
SECONDS = st.integers(0, 4_000_000_000)


def changes(recent: str, at: int, outcome: Outcome, status: int | None, size: int, due: int, because: str) -> Changes:
    """Return the changes of a poll, with the facts that its line shows."""
    when = datetime.fromtimestamp(at, UTC)
    move = SourceUpdate(
        outcome=outcome,
        state=State.OK,
        status=status,
        due_at=datetime.fromtimestamp(due, UTC),
        earliest_at=when,
        interval=timedelta(hours=1),
        inputs={"because": because},
        url_in_use=SOURCE.url,
        host_key="a.example",
        seconds=0.25,
        wire_bytes=size,
    )
    job = replace(unstored_job(SOURCE, "a.example", when), recent=recent)
    return Changes(job=job, asked_at=when, update=move)


POLLS = st.tuples(
    SECONDS,
    st.sampled_from(Outcome),
    st.none() | st.integers(100, 599),
    st.integers(0, 1 << 40),
    SECONDS,
    st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
)


@given(st.lists(POLLS, max_size=2 * KEPT))
def test_p93_the_last_20_polls_come_back_as_they_were_newest_first(
    polls: list[tuple[int, Outcome, int | None, int, int, str]],
) -> None:
    text = ""
    for poll in polls:
        text = later_recent(changes(text, *poll))
    read = [
        (round(p.at.timestamp()), p.outcome, p.status, p.wire_bytes, round(p.next_due.timestamp()), p.because)
        for p in recent_polls(text)
    ]
    assert read == polls[::-1][:KEPT]


def test_a_line_that_another_version_wrote_is_left_out() -> None:
    good = later_recent(changes("", 1, Outcome.FETCHED, 200, 3, 9, "start"))
    assert len(recent_polls(f"1 eaten 200 3 0 0 0 9 start\n{good}\n1 fetched\n\n{good} more")) == 1
    assert recent_polls(None) == ()


def remembered(app: App, key: str = "a") -> SourceHistory:
    with app.store.read() as tx:
        return tx.history.of(SourceKey(key), app.clock(), days=7)


def opened(tmp_path: Path, sources: int = 1) -> SampleSite:
    site = SampleSite(tmp_path)
    lines = "".join(f"  - {{key: {chr(97 + n)}, url: 'https://{n}.example/'}}\n" for n in range(sources))
    site.writes(f"sources:\n{lines}")
    return site


def test_p93_a_source_remembers_its_polls_with_counts_next_due_and_why(tmp_path: Path) -> None:
    site = opened(tmp_path)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1), said(2))
        site.clock.move(minutes=30)
        fake_source.says("a", said(1, text="<p>It says something else now.</p>"), said(2), said(3))
        site.clock.move(hours=2)
        (last,) = fake_source.unchanged(["a"])
        found = remembered(app)
    newest, second, first = found.recent
    assert (newest.at, newest.outcome, newest.status) == (site.clock.now, Outcome.NOT_MODIFIED, 304)
    assert newest.next_due == last.update.due_at.replace(microsecond=0)
    assert newest.because == last.update.inputs["because"]
    assert [(poll.new, poll.revised) for poll in (first, second, newest)] == [(2, 0), (1, 1), (0, 0)]
    assert found.etag
    assert not found.last_modified


def test_p93_days_hold_sums_newest_first(tmp_path: Path) -> None:
    site = opened(tmp_path)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1), said(2))
        fake_source.fails("a")
        site.clock.move(days=1)
        fake_source.unchanged(["a"])
        fake_source.unchanged(["a"])
        days = remembered(app).days
    late = days[0].polls.late  # the first poll of that day was due the day before
    assert 12 * 3600 < late < 24 * 3600
    assert days == (
        DaySums(day=site.clock.now.date(), polls=Sums(polls=2, not_modified=2, late=late)),
        DaySums(day=START.date(), polls=Sums(polls=2, failures=1, new=2)),
    )


def test_p93_a_group_of_polls_is_one_statement_for_its_days(tmp_path: Path) -> None:
    site = opened(tmp_path, sources=20)
    statements: list[str] = []
    with site.opened() as app:
        keys = [chr(97 + n) for n in range(20)]
        FakeSource(app).unchanged(keys)
        with app.store.heard_statements(statements.append):
            FakeSource(app).unchanged(keys)
    assert len([s for s in statements if "poll_day" in s]) == 1


def test_p93_days_are_kept_400_days(tmp_path: Path) -> None:
    site = opened(tmp_path, sources=2)
    with site.opened() as app:
        FakeSource(app).unchanged(["a", "b"])
        site.clock.move(days=399)
        FakeSource(app).unchanged(["a"])
        with app.store.read() as tx:
            assert len(tx.history.of(SourceKey("a"), app.clock(), days=1000).days) == 2
        site.clock.move(days=1)
        FakeSource(app).unchanged(["a"])
        with app.store.read() as tx:
            assert [one.day for one in tx.history.of(SourceKey("a"), app.clock(), days=1000).days] == [
                site.clock.now.date(),
                (site.clock.now - timedelta(days=1)).date(),
            ]
            assert len(tx.history.of(SourceKey("b"), app.clock(), days=1000).days) == 1, "its own polls clear its own"


def test_p94_a_200_to_a_request_without_the_validators_we_hold_is_counted(tmp_path: Path) -> None:
    site = opened(tmp_path)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))  # nothing was known of it
        assert remembered(app).days[0].polls.unconditional == 0
        fake_source.says("a", said(1))  # the desk sends no validators
        fake_source.unchanged(["a"])
        fake_source.fails("a")
        assert remembered(app).days[0].polls.unconditional == 1


def test_r48_entries_dated_ahead_or_long_ago_are_counted_but_for_a_first_polls_past(tmp_path: Path) -> None:
    site = opened(tmp_path)
    ahead, late = START + timedelta(hours=25), START - timedelta(days=366)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1, published=late), said(2, published=START + timedelta(hours=23)))
        first = asdict(remembered(app).days[0].polls)
        assert (first["future"], first["past"]) == (0, 0), "an archive is no surprise on a first poll"
        known = (said(1, published=late), said(2, published=START + timedelta(hours=23)))
        fake_source.says("a", *known, said(3, published=late), said(4, published=ahead), said(5, published=START))
        second = asdict(remembered(app).days[0].polls)
    assert (second["future"], second["past"]) == (1, 1)


def test_further_requests_and_details_are_summed_by_day_kind_and_host(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with site.opened() as app:
        for key, hosts in (("a", ("one.example", "one.example", "two.example")), ("b", ("one.example",))):
            asides = tuple(
                Aside(
                    host_key=host, asked_at=START - timedelta(days=place), wire_bytes=10, failed=place == 1,
                    status=200, hints=NO_HINTS,
                )
                for place, host in enumerate(hosts)
            )  # fmt: skip
            done = changes("", int(START.timestamp()), Outcome.FETCHED, 200, 5, 0, "x")
            done = replace(done, job=FakeSource(app).claim(key), update=replace(done.update, asides=asides))
            for _ in range(2):
                with app.store.begin() as tx:
                    tx.apply(done)
        with app.store.read() as tx:
            days = tx.history.of("a", START, days=3).days
            two = tx.history.of("a", START, days=2).days
        hosts_of = app.store.status(app.in_force.roster, START).fetching.hosts
    assert [(f"{one.day:%d}", one.polls.polls, one.further, one.details) for one in days] == [
        ("04", 2, AsideSums(requests=2, bytes=20, failures=0), AsideSums()),
        ("03", 0, AsideSums(requests=2, bytes=20, failures=2), AsideSums()),
        ("02", 0, AsideSums(requests=2, bytes=20, failures=0), AsideSums()),
    ]
    assert len(two) == 2
    assert {one.host: (one.further.requests, one.further.bytes, one.further.failures, one.details.requests)
            for one in hosts_of if one.further.requests} == {"one.example": (6, 60, 2, 0)}  # fmt: skip
