"""Who is chosen, and that a crowded host holds up nobody else (P61, P71, P72, L15)."""

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from aggregator.app import App, open_app
from aggregator.config import load_config
from aggregator.errors import StoreError
from aggregator.fetch.budget import Budgets
from aggregator.model.job import Gathered, JobId, SourceJob
from aggregator.model.poll import Failed, NotModified
from aggregator.model.settings import SourceKey
from aggregator.poll.dispatcher import Dispatcher
from aggregator.poll.due_queue import DueBacklog, ListedBacklog
from aggregator.poll.pipeline import settle
from aggregator.store.schedule import DueItem
from aggregator.urls import normalise
from tests.feed_server import FeedServer
from tests.rows import change
from tests.sample_site import START, SampleSite, item, rss

WORKERS = 16


@contextmanager
def opened(sample_site: SampleSite) -> Iterator[App]:
    """Open a world whose two clocks go together, as the test moves them."""
    settings = load_config(sample_site.folder / "feeds.yaml", {})
    clock = sample_site.clock
    app = open_app(settings, command="serve", clock=clock, steady=lambda: (clock() - START).total_seconds())
    try:
        yield app
    finally:
        app.close()


def chosen(app: App, limit: int = WORKERS, *, failing: int = WORKERS) -> list[DueItem]:
    """Choose what a service would ask now, until there is room for no more."""
    backlog = DueBacklog(app.store)
    found: list[DueItem] = []
    while len(found) < limit and (
        ripe := backlog.take_due(app.clock(), limit=limit - len(found), failing=failing, budgets=app.poller.budgets)
    ):
        found += ripe
    return found


def waiting(*hosts: str) -> list[DueItem]:
    """Return one source for each of these hosts."""
    return [
        DueItem(
            id=JobId("source", number),
            key=SourceKey(f"s{number}"),
            url=normalise(f"https://{host}/"),
            host_key=host,
            due_at=START,
        )
        for number, host in enumerate(hosts)
    ]


def found_at(app: App, key: str, address: str) -> None:
    """Poll a host key once, long ago, with an answer from this address."""
    stranger = -1  # no row has this id
    assert app.poller.budgets.take(stranger, key)
    app.poller.budgets.leave(stranger)
    app.poller.budgets.finish(stranger, peer=address)


class Shop:
    """Works through what falls due: what is asked at one look is answered at the next, `WORKERS` at once."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.lags: dict[SourceKey, list[timedelta]] = {}
        self.under_way: list[SourceJob] = []

    def look(self) -> None:
        """Answer what is under way, then ask as much as there is room for."""
        app, now = self.app, self.app.clock()
        polls = [Gathered(job, NotModified(asked_at=now)) for job in self.under_way]
        for poll in polls:
            app.poller.host_limits.record_answer(poll)
            app.poller.budgets.finish(poll.job.id)
        if polls:
            settle(polls, app.poller.ports)
        ripe = chosen(app)
        with app.store.begin() as tx:
            self.under_way = tx.claims.claim(ripe, now, app.in_force.roster.sources) if ripe else []
        for job in self.under_way:
            app.poller.budgets.leave(job.id)
            self.lags.setdefault(job.source.key, []).append(now - job.claim.due_at)


def test_l15_a_crowd_on_one_host_makes_nobody_else_late(sample_site: SampleSite) -> None:
    """2,000 sources on a platform need over an hour; meanwhile 100 on hosts of their own are asked on time."""
    crowd = "".join(f"  - {{key: crowd{n}, url: 'https://u{n}.substack.com/feed', every: 15m}}\n" for n in range(2000))
    alone = "".join(
        f"  - {{key: alone{n}, url: 'https://alone{n}.example/feed', every: 1m, frequent: news}}\n" for n in range(100)
    )
    sample_site.writes(f"sources:\n{crowd}{alone}")
    with opened(sample_site) as app:
        shop = Shop(app)
        for _ in range(45):
            shop.look()
            sample_site.clock.move(seconds=4)
    lags = {key: found for key, found in shop.lags.items() if key.startswith("alone")}
    assert len(lags) == 100
    assert min(len(found) for found in lags.values()) >= 2
    first = max(found[0] for found in lags.values())
    later = max(lag for found in lags.values() for lag in found[1:])
    assert first <= timedelta(seconds=24), "all new ones are due at once, and 15 are asked beside the crowd"
    assert later < timedelta(seconds=4), "as often as we look"
    asked = [key for key in shop.lags if key.startswith("crowd")]
    assert len(asked) == 45, "one at each look, and none of them twice"


def test_p61_two_sources_of_one_key_are_not_chosen_together(sample_site: SampleSite) -> None:
    sample_site.writes("sources: ['https://a.example/1', 'https://a.example/2', 'https://b.example/1']", hosts="")
    with opened(sample_site) as app:
        assert sorted(item.host_key for item in chosen(app)) == ["a.example", "b.example"]


def test_p61_no_more_than_two_of_an_address_are_chosen_together(sample_site: SampleSite) -> None:
    """Nor do the many that wait there hide those who could be asked, though they were due before."""
    names = [f"n{number}.example" for number in range(1200)]
    sample_site.writes("sources:\n" + "".join(f"  - {{key: {name}, url: 'https://{name}/'}}\n" for name in names))
    with opened(sample_site) as app:
        for name in names[:-1]:
            found_at(app, name, "192.0.2.1")
            sample_site.clock.move(seconds=2)
        assert [item.key for item in chosen(app)] == [*names[:2], names[-1]]


def test_p61_a_source_waits_for_where_it_is_redirected_and_holds_up_nobody(sample_site: SampleSite) -> None:
    names = [f"n{number}.example" for number in range(50)]
    sample_site.writes("sources:\n" + "".join(f"  - {{key: {name}, url: 'https://{name}/'}}\n" for name in names))
    with opened(sample_site) as app:
        for item in chosen(app, 49):
            app.poller.budgets.leave(item.id)
            with app.poller.budgets.passage("hub.example", 0):
                pass
            app.poller.budgets.finish(item.id)
        sample_site.clock.move(seconds=10)
        assert [item.key for item in chosen(app)] == [names[0], names[-1]], "one with the room there, one elsewhere"


def test_l16_who_failed_gets_no_more_than_their_share(sample_site: SampleSite) -> None:
    sample_site.writes("sources: ['https://a.example/', 'https://b.example/', 'https://c.example/']")
    with opened(sample_site) as app:
        now = app.clock()
        with app.store.begin() as tx:
            jobs = tx.claims.claim(chosen(app, 2), now, app.in_force.roster.sources)
        polls = [Gathered(job, Failed(asked_at=now, code="timeout")) for job in jobs]
        for poll in polls:
            app.poller.host_limits.record_answer(poll)
            app.poller.budgets.finish(poll.job.id)
        settle(polls, app.poller.ports)
        sample_site.clock.move(days=1)
        ripe = DueBacklog(app.store).take_due(app.clock(), limit=9, failing=1, budgets=app.poller.budgets)
        assert [item.failures for item in ripe] == [0, 1]


def test_a_claim_of_what_left_feeds_yaml_gives_the_room_back(sample_site: SampleSite) -> None:
    sample_site.writes("sources: ['https://a.example/']")
    with opened(sample_site) as app:
        Dispatcher(
            app.store, app.poller, app.in_force, ListedBacklog(waiting("left.example"), honours_skip_hours=False)
        ).run()
        assert not app.poller.budgets.is_full("left.example")


class Breaking(DueBacklog):
    """Once something was chosen, the store is broken."""

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Choose as ever."""
        found = super().take_due(now, limit=limit, failing=failing, budgets=budgets, own=own, apart=apart)
        assert budgets.is_full("a.example")
        change(self._store, "ALTER TABLE source RENAME TO gone")
        return found


def test_a_claim_that_could_not_be_stored_gives_the_room_back(sample_site: SampleSite) -> None:
    sample_site.writes("sources: ['https://a.example/']")
    with opened(sample_site) as app:
        with pytest.raises(StoreError):
            Dispatcher(app.store, app.poller, app.in_force, Breaking(app.store)).run()
        assert not app.poller.budgets.is_full("a.example")


class Full(DueBacklog):
    """The disk is full at the first looks."""

    looks = 3

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Choose as ever, later."""
        self.looks -= 1
        if self.looks >= 0:
            raise StoreError("the disk is full")
        return super().take_due(now, limit=limit, failing=failing, budgets=budgets, own=own, apart=apart)


def test_r7_that_the_store_can_not_be_written_is_said_once_and_its_end_once(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aggregator.poll.dispatcher.PAUSE", 0.0)
    sample_site.writes(f"sources: ['{publisher.serve('/a', rss(item(1)))}']\n")
    with opened(sample_site) as app, caplog.at_level("WARNING"):
        ended = threading.Event()
        Dispatcher(
            app.store, app.poller, app.in_force, Full(app.store), on_settled=lambda _: ended.set(), patient=True
        ).run(until=ended.is_set)
    assert len(publisher.asked) == 1
    assert [record.msg for record in caplog.records] == ["pause_polls", "resume_polls"]


def test_a_list_waits_out_a_spacing_but_no_rest() -> None:
    now = [0.0]
    budgets = Budgets((), lambda: now[0])
    backlog = ListedBacklog(waiting("a.example", "a.example", "b.example", "c.example"), honours_skip_hours=False)
    budgets.restrain("b.example", seconds=600, doublings=1)
    budgets.restrain("c.example", seconds=30, doublings=1)

    def ripe() -> list[int]:
        return [item.id.row for item in backlog.take_due(START, limit=9, failing=9, budgets=budgets)]

    assert ripe() == [0]
    for source in (0, 1):
        budgets.leave(JobId("source", source))
        budgets.finish(JobId("source", source))
    now[0] = 2.0
    assert ripe() == [1]
    assert not backlog.is_empty()
    now[0] = 30.0
    assert ripe() == [3]
    assert backlog.is_empty(), "what rests for ten minutes is left for another run"


def test_a_list_is_not_asked_beyond_the_limit() -> None:
    budgets = Budgets((), lambda: 0.0)
    backlog = ListedBacklog(waiting(*(f"n{number}.example" for number in range(9))), honours_skip_hours=False)
    assert len(backlog.take_due(START, limit=4, failing=9, budgets=budgets)) == 4
    assert budgets.blocked() == {f"n{number}.example" for number in range(4)}
    assert len(backlog.take_due(START, limit=9, failing=9, budgets=budgets)) == 5
