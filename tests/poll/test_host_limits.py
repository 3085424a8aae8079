"""Pauses and spacing of hosts outlive a restart and are shown (P17, P30, P31, P37, P61)."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aggregator.app import App, open_app
from aggregator.cli.poll import OneShot
from aggregator.cli.poll import in_words as poll_in_words
from aggregator.cli.status import in_words
from aggregator.cli.why.sentences import Frame
from aggregator.cli.why.source import source_section
from aggregator.config import load_config
from aggregator.model.settings import SourceKey
from aggregator.poll.due_queue import source_rows
from tests.feed_server import FeedServer, Reply, redirect
from tests.rows import rows
from tests.sample_site import SampleSite, item, rss

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


TWO = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 1s}}\n"


def kept(sample_site: SampleSite) -> list[Any]:
    """Return the host key, doublings and pause in seconds of each host that the store has."""
    return rows(sample_site.folder, "SELECT key, spacing, (opens_at - troubled_at) / 1000000 FROM host")


def outcomes(report: dict[str, object]) -> dict[str, str]:
    rows = report["results"]
    assert isinstance(rows, list)
    return {row["key"]: row["outcome"] for row in rows}


def polled(app: App) -> dict[str, str]:
    shot = OneShot(app)
    shot.poll((), everything=True, limit=timedelta(0))
    return outcomes(shot.report(()))


def test_p17_a_run_that_follows_respects_the_pause_of_a_host(sample_site: SampleSite, publisher: FeedServer) -> None:
    """A cron job each five minutes: the first meets a 429, the second asks that host nothing, the third does."""
    busy = publisher.says("/busy", Reply(429))
    beside = publisher.serve("/beside", rss(item(1)))
    other = publisher.serve("/other", rss(item(2)), host="127.0.0.2")
    sources = f"sources:\n  - {{key: busy, url: '{busy}'}}\n"
    sample_site.writes(sources, hosts=TWO)
    assert outcomes(sample_site.poll()) == {"busy": "failed"}
    assert kept(sample_site) == [("127.0.0.1", 1, 600)]
    sample_site.writes(
        f"{sources}  - {{key: beside, url: '{beside}'}}\n  - {{key: other, url: '{other}'}}\n", hosts=TWO
    )
    sample_site.clock.move(minutes=5)
    assert outcomes(sample_site.poll(everything=False)) == {"beside": "skipped", "other": "fetched"}
    sample_site.clock.move(minutes=5)
    assert outcomes(sample_site.poll(everything=False)) == {"beside": "fetched"}
    assert [asked.path for asked in publisher.asked] == ["/busy", "/other", "/beside"]


@pytest.mark.parametrize(
    ("answer", "minutes", "because"),
    [
        (Reply(429, b"", {"Retry-After": "3600"}), 5, "since it answered 429 to s0"),
        (
            Reply(200, rss(item(1)), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"}),
            20,
            "since its limit of requests was used up by s0",
        ),
    ],
)
def test_p30_a_host_that_rests_is_named_with_its_source(
    sample_site: SampleSite, publisher: FeedServer, answer: Reply, minutes: int, because: str
) -> None:
    urls = [publisher.says("/0", answer), *(publisher.says(f"/{n}", Reply(200, rss(item(n)))) for n in range(1, 5))]
    rows = [f"{{key: s{number}, url: '{url}'}}" for number, url in enumerate(urls)]
    sample_site.writes(f"sources: [{rows[0]}]")
    sample_site.poll()
    sample_site.writes(f"sources: [{', '.join(rows)}]")
    sample_site.clock.move(minutes=minutes)
    with sample_site.opened() as app:
        shot = OneShot(app)
        shot.poll((), everything=False, limit=timedelta(0))
        report = shot.report(())
    host = "127.0.0.1"
    rests = report["resting"]
    assert isinstance(rests, list)
    (resting,) = rests
    assert (resting["host"], resting["source"], resting["sources"]) == (host, "s0", 4)
    results = report["results"]
    assert isinstance(results, list)
    assert all(row["host_rests"]["until"] == resting["until"] for row in results)
    assert f"4 sources not polled: {host} rests until {resting['until']}, {because}" in poll_in_words(report)
    with sample_site.opened("status") as app, app.store.read() as tx:
        status = app.store.status(app.in_force.roster, sample_site.clock())
        said = in_words(status)
        (row,) = (source for source in status.sources if source.key == "s3")
        frame = Frame(app.in_force.roster, ZoneInfo("UTC"), sample_site.clock(), {SourceKey("s0"): "Zero (s0)"})
        why = "\n".join(source_section(tx, row, frame, status, None).lines)
    assert f"{host} rests until {resting['until']}, {because.removesuffix('s0')}" in said
    assert " (s0); 5 sources wait for that" in said
    assert "next now" not in said
    assert f"{host} rests until {resting['until']}, {because.removesuffix('s0')}Zero (s0)" in why
    assert row.next_at == datetime.fromisoformat(resting["until"])
    assert "never polled" not in why
    sample_site.clock.move(minutes=61)
    with sample_site.opened("status") as app:
        status = app.store.status(app.in_force.roster, sample_site.clock())
    assert (status.rests, {source.rest for source in status.sources}) == ((), {None})


def test_p61_a_doubled_spacing_outlives_a_restart_and_ends(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed", Reply(429), Reply(200, rss(item(1))))
    sample_site.writes(f"sources: [{{key: a, url: '{url}'}}]", hosts=TWO)
    sample_site.poll()
    sample_site.clock.move(minutes=11)
    settings = load_config(sample_site.folder / "feeds.yaml", {})
    now = [0.0]
    with closing(open_app(settings, command="poll", clock=sample_site.clock, steady=lambda: now[0])) as app:
        app.poller.budgets.take(1, "127.0.0.1")
        app.poller.budgets.leave(1)
        app.poller.budgets.finish(1)
        now[0] = 1.9
        assert app.poller.budgets.is_full("127.0.0.1")
        now[0] = 2.0
        assert not app.poller.budgets.is_full("127.0.0.1")
    sample_site.clock.move(days=1)
    with sample_site.opened() as app:
        app.poller.host_limits.keep()  # the poller is made at its first use, and then forgets what is over
        assert kept(sample_site) == [], "nothing of it holds any more"


def test_p61_an_ordinary_spacing_outlives_a_restart(sample_site: SampleSite, publisher: FeedServer) -> None:
    """A long spacing, set by the operator, matters most: a host may allow one request in ten minutes."""
    one, two = (publisher.serve(f"/{name}", rss(item(1))) for name in ("one", "two"))
    hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 10m}}\n"
    sample_site.writes(f"sources: [{{key: a, url: '{one}'}}]", hosts=hosts)
    sample_site.poll()
    sample_site.writes(f"sources: [{{key: a, url: '{one}'}}, {{key: b, url: '{two}'}}]", hosts=hosts)
    settings = load_config(sample_site.folder / "feeds.yaml", {})
    sample_site.clock.move(minutes=9)
    now = [0.0]
    with closing(open_app(settings, command="poll", clock=sample_site.clock, steady=lambda: now[0])) as app:
        assert app.poller.budgets.is_full("127.0.0.1")
        assert app.poller.budgets.next_opening() == 60
        now[0] = 60.0
        assert not app.poller.budgets.is_full("127.0.0.1")


def test_p30_who_answered_is_who_rests(sample_site: SampleSite, publisher: FeedServer) -> None:
    """A redirect leads to another host, which has had enough: the first may be asked, but not the source."""
    publisher.says("/hub", Reply(429), host="127.0.0.2")
    url = publisher.says("/moved", redirect(publisher.url("/hub", host="127.0.0.2")))
    beside = publisher.serve("/beside", rss(item(1)))
    sample_site.writes(
        f"sources:\n  - {{key: moved, url: '{url}'}}\n  - {{key: beside, url: '{beside}'}}\n",
        hosts="hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s}}\n",
    )
    with sample_site.opened() as app:
        assert polled(app) == {"moved": "failed", "beside": "fetched"}
        blocked = app.poller.budgets.blocked()
        assert blocked == {"127.0.0.2"}
        with app.store.read() as tx:
            (moved,) = tx.schedule.named(["moved"])
        assert app.poller.budgets.held_up(blocked) == {moved.id}
    assert [row[0] for row in kept(sample_site)] == ["127.0.0.2"]


def test_p61_a_redirect_waits_for_its_host_and_is_not_tried_again_before(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    """Else the first host would be asked again and again, only to send us where there is no room."""
    hub = publisher.serve("/hub", rss(item(1)), host="127.0.0.2")
    url = publisher.says("/moved", redirect(hub))
    sample_site.writes(f"sources: [{{key: moved, url: '{url}'}}]")
    with sample_site.opened() as app:
        app.poller.budgets.restrain("127.0.0.2", seconds=600, doublings=0)
        assert polled(app) == {"moved": "skipped"}
        assert [asked.path for asked in publisher.asked] == ["/moved"]
        blocked = app.poller.budgets.blocked()
        assert blocked == {"127.0.0.2"}
        with app.store.read() as tx:
            assert not tx.schedule.due(app.clock(), limit=9), "its own host was asked: not at once again (P52)"
            later = app.clock() + timedelta(days=1)
            assert tx.schedule.due(later, limit=9)
            held_up = source_rows(app.poller.budgets.held_up(blocked))
            assert not tx.schedule.due(later, limit=9, held_up=held_up), "and then it waits"


def test_p61_a_poll_shows_at_which_address_a_name_is_found(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(item(1))).replace("127.0.0.1", "localhost")
    sample_site.writes(
        f"sources: [{{key: a, url: '{url}'}}]", hosts="hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s}}\n"
    )
    with sample_site.opened() as app:
        assert polled(app) == {"a": "fetched"}
        for source, key in enumerate(("127.0.0.1", "b.example")):
            assert app.poller.budgets.take(source, key)
            app.poller.budgets.finish(source, peer="127.0.0.1")
        assert app.poller.budgets.take(1, "127.0.0.1")
        assert app.poller.budgets.take(2, "b.example")
        assert app.poller.budgets.blocked() == {"127.0.0.1", "b.example", "localhost"}, (
            "two are in flight at its address"
        )


def test_a_poll_without_trouble_writes_nothing_of_hosts(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(item(1)))
    sample_site.writes(f"sources: [{{key: a, url: '{url}'}}]")
    statements: list[str] = []
    with sample_site.opened() as app, app.store.heard_statements(statements.append):
        assert polled(app) == {"a": "fetched"}
    assert not [statement for statement in statements if " host " in statement]
