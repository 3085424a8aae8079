"""A service that runs out of something: of a network, of memory (P87, R25, R68)."""

import logging
from pathlib import Path

import pytest
from apscheduler.events import EVENT_SCHEDULER_SHUTDOWN
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.poll.dispatcher import Dispatcher
from aggregator.poll.due_queue import DueBacklog
from aggregator.render.cache import LruCache
from aggregator.service import Service
from aggregator.service.memory import MemoryWatch
from tests.feed_server import FeedServer
from tests.poll.test_network_monitor import Internet, online
from tests.rows import rows
from tests.running import Running
from tests.sample_site import LOOPBACK, START, SampleSite, item, rss
from tests.service.test_service import FAST


@pytest.mark.slow
def test_p87_own_machines_go_and_come_back_and_nobody_is_blamed(tmp_path: Path, publisher: FeedServer) -> None:
    urls = [publisher.serve(f"/{n}", rss(item(n)), host=f"127.0.1.{n % 8 + 1}") for n in range(16)]
    lines = "".join(f"  - {{key: s{n}, url: '{url}', every: 2s}}\n" for n, url in enumerate(urls))
    with Running(tmp_path, f"{LOOPBACK}{FAST}sources:\n{lines}") as running:
        polled = "SELECT count(*) FROM source WHERE polls >= {}"
        running.wait_for(lambda: rows(tmp_path, polled.format(2)) == [(16,)])
        publisher.leave()
        running.wait_for(lambda: "pause_network" in running.log())
        running.wait_for(lambda: running.status()["own_down_since"] is not None)
        assert running.get("healthz")[0] == 200
        attempts = rows(tmp_path, "SELECT max(attempted_at) FROM source")
        running.wait_for(lambda: rows(tmp_path, "SELECT max(attempted_at) FROM source") > attempts)
        before = rows(tmp_path, "SELECT max(polls) FROM source")[0][0]
        assert isinstance(before, int)
        publisher.come_back()
        running.wait_for(lambda: "resume_network" in running.log())
        running.wait_for(lambda: rows(tmp_path, polled.format(before + 1)) == [(16,)])
        assert rows(tmp_path, "SELECT key FROM source WHERE failures > 0 OR state <> 'ok'") == []
        assert running.status()["own_down_since"] is None
        log = running.log()
        assert [log.count(word) for word in ("pause_network", "resume_network", "code=connect")] == [1, 1, 0]


def test_r68_memory_pressure_stops_polls_drops_caches_and_ends_in_order(
    tmp_path: Path, publisher: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    def holds(percent: int) -> None:
        (groups / "memory.stat").write_text(f"anon {percent << 20}\n")

    process, groups = tmp_path / "proc", tmp_path / "groups"
    process.mkdir()
    groups.mkdir()
    (process / "cgroup").write_text("0::/\n")
    (groups / "memory.max").write_text(f"{100 << 20}\n")
    holds(81)
    sample_site = SampleSite(tmp_path)
    sample_site.writes(f"{FAST}sources: ['{publisher.serve('/a', rss(item(1)))}']\n")
    cache: LruCache[str] = LruCache(max_bytes=1000, each_bytes=0)
    cache.keep("key", "value", 10)
    with caplog.at_level(logging.WARNING), sample_site.opened("serve") as app:
        service = Service(app, {}, memory=MemoryWatch(process, groups))
        service.jobs["tick"].run()
        service.start()
        try:
            service.jobs["tick"].run()
            assert cache.get("key") is None
            assert publisher.asked == []
            holds(60)
            service.jobs["tick"].run()
            publisher.wait_until_asked(1)
            assert not service.ended.is_set()
            holds(96)
            service.jobs["tick"].run()
            assert service.ended.is_set()
            assert service.fault is not None
        finally:
            service.stop()
    said = [record.message for record in caplog.records if "memory" in record.message or "polls" in record.message]
    assert said == ["spare_memory", "resume_polls", "end_for_memory"]
    assert sample_site.titles() == ["Title 1"], "what was read before is published"


def test_caches_are_kept_while_something_is_published_and_no_longer(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{url: 'https://a.example/', paused: true}]\n")
    cache: LruCache[str] = LruCache(max_bytes=1000, each_bytes=0)
    with sample_site.opened("serve") as app:
        service = Service(app, {})
        cache.keep("key", "value", 10)
        sample_site.clock.move(minutes=14)
        service.jobs["spare"].run()
        assert cache.get("key") == "value"
        sample_site.clock.move(minutes=2)
        service.jobs["spare"].run()
        assert cache.get("key") is None


def test_r68_a_dispatcher_that_rests_asks_nobody(sample_site: SampleSite) -> None:
    sample_site.writes("sources: ['https://a.example/']\n", hosts="")
    clock, internet = sample_site.clock, Internet(sample_site.clock)
    with online(sample_site, internet) as app:
        dispatcher = Dispatcher(app.store, app.poller, app.in_force, DueBacklog(app.store))
        dispatcher.rest(on=True)
        looks = 0

        def over() -> bool:
            nonlocal looks
            looks += 1
            if looks == 10:
                assert internet.asked == []
                dispatcher.rest(on=False)
            dispatcher.wake()
            return bool(internet.asked)

        dispatcher.run(until=over)
    assert (looks >= 10, len(internet.asked), clock()) == (True, 1, START)


def test_r54_a_publication_under_way_at_a_stop_is_cut_and_the_last_one_is_not(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{url: 'https://a.example/', paused: true}]\n")
    with sample_site.opened("serve") as app:
        scheduler = BackgroundScheduler()
        service = Service(app, {}, scheduler=scheduler)
        service.start()
        assert not service.loop.is_cut()
        cuts = []
        scheduler.add_listener(lambda event: cuts.append(service.loop.is_cut()), EVENT_SCHEDULER_SHUTDOWN)
        service.stop()
        assert (cuts, service.loop.is_cut()) == ([True], False)


@pytest.mark.slow
def test_r25_three_jobs_that_end_by_a_fault_of_ours_end_the_service(tmp_path: Path) -> None:
    sample_site = SampleSite(tmp_path)
    sample_site.writes("sources: [{url: 'https://a.example/', paused: true}]\n")

    class Broken(MemoryWatch):
        def look(self) -> None:  # type: ignore[override]
            raise RuntimeError("a fault of ours")

    with sample_site.opened("serve") as app:
        service = Service(app, {}, memory=Broken())
        service.start()
        try:
            assert service.ended.wait(30)
            assert service.fault is not None
        finally:
            service.stop()
