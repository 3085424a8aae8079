"""A network that is down is held against nobody, and nobody is asked more often for it (P87)."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.app import App, open_app
from aggregator.cli.poll import OneShot
from aggregator.config import load_config
from aggregator.errors import BadStatus, ConnectFailed, FetchError, NameUnknown, TimedOut
from aggregator.model.ask import Ask
from aggregator.model.job import Gathered, SourceJob, unstored_job
from aggregator.model.poll import Answer, Cut, Exchange, Failed, Hop, NotModified, Unreached
from aggregator.model.settings import Kind, Reading, Source, SourceKey
from aggregator.poll.dispatcher import Dispatcher
from aggregator.poll.due_queue import DueBacklog
from aggregator.poll.network_monitor import (
    FAULTS,
    HOSTS,
    WINDOW,
    HostClassMonitor,
    NetworkMonitor,
    Sign,
    Verdict,
    sign_of,
)
from aggregator.urls import Url, host_of
from tests.sample_site import START, MovedClock, SampleSite

URL = Url("https://a.example/feed")


class Steady:
    """A steady clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gathered(answer: Answer, kind: Kind = Kind.FEED) -> Gathered[SourceJob]:
    path = Path("/feed.xml") if kind is Kind.FILE else None
    source = Source(key=SourceKey("a"), url=URL, reading=Reading(kind=kind), path=path)
    return Gathered(unstored_job(source, "a.example", START), answer)


def failed(error: FetchError, **facts: object) -> Failed:
    return replace(Failed.of(error, Exchange(asked_at=START)), **facts)  # type: ignore[arg-type]  # of the record


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        pytest.param(NotModified(asked_at=START), Sign.ANSWER, id="304"),
        pytest.param(failed(BadStatus(URL, 500)), Sign.ANSWER, id="a-500-is-an-answer"),
        pytest.param(failed(NameUnknown(URL, "a.example")), Sign.FAULT, id="no-such-name"),
        pytest.param(failed(ConnectFailed(URL, "refused")), Sign.FAULT, id="no-connection"),
        pytest.param(failed(TimedOut(URL, TimedOut.CONNECTION, 10)), Sign.FAULT, id="connecting-took-too-long"),
        pytest.param(failed(TimedOut(URL, TimedOut.LOOKUP, 10)), Sign.FAULT, id="the-name-server-took-too-long"),
        pytest.param(failed(TimedOut(URL, TimedOut.WHOLE, 30)), Sign.NOTHING, id="the-answer-took-too-long"),
        pytest.param(
            failed(ConnectFailed(URL, "refused"), hops=(Hop(url=URL, status=301),)),
            Sign.ANSWER,
            id="who-redirects-was-reached",
        ),
        pytest.param(failed(TimedOut(URL, "further byte", 20), status=200), Sign.ANSWER, id="an-answer-that-stops"),
        pytest.param(Cut(asked_at=START), Sign.NOTHING, id="cut"),
    ],
)
def test_p87_what_an_answer_says_of_the_network(answer: Answer, sign: Sign) -> None:
    assert sign_of(gathered(answer)) is sign


def test_p87_a_local_file_says_nothing_of_the_network() -> None:
    assert sign_of(gathered(NotModified(asked_at=START), Kind.FILE)) is Sign.NOTHING


def test_p87_ten_failures_at_five_hosts_are_the_networks() -> None:
    reach: HostClassMonitor[int] = HostClassMonitor(Steady())
    told = [reach.tell(n, f"h{n % HOSTS}", Sign.FAULT) for n in range(FAULTS)]
    assert told[:-1] == [Verdict()] * (FAULTS - 1), "they are held"
    assert told[-1].uncharged == tuple(range(FAULTS))
    assert reach.tell(99, "h1", Sign.FAULT) == Verdict(uncharged=(99,)), "while it is down, no failure is theirs"
    assert reach.tell(100, "h1", Sign.ANSWER) == Verdict((100,))
    assert reach.down_seconds is None


@pytest.mark.parametrize(
    ("hosts", "gap"),
    [
        pytest.param(HOSTS - 1, 1.0, id="too-few-hosts"),
        pytest.param(FAULTS, WINDOW / (FAULTS - 1) + 1, id="over-too-long-a-time"),
    ],
)
def test_p87_below_the_threshold_they_are_charged_within_two_minutes(hosts: int, gap: float) -> None:
    steady = Steady()
    reach: HostClassMonitor[int] = HostClassMonitor(steady)
    charged: list[int] = []
    for n in range(FAULTS):
        told = reach.tell(n, f"h{n % hosts}", Sign.FAULT)
        assert not told.uncharged
        charged += told.charged
        steady.now += gap
    steady.now += WINDOW
    assert [*charged, *reach.lapse()] == list(range(FAULTS))


def test_p87_an_answer_shows_that_those_held_are_at_fault() -> None:
    reach: HostClassMonitor[int] = HostClassMonitor(Steady())
    for n in range(FAULTS - 1):
        reach.tell(n, f"h{n}", Sign.FAULT)
    assert reach.tell(50, "good", Sign.ANSWER) == Verdict((50, *range(FAULTS - 1)))
    assert reach.tell(51, "h1", Sign.FAULT) == Verdict(), "and the count begins anew"


def test_p87_the_last_good_hosts_are_probed_in_turn_each_minute() -> None:
    steady = Steady()
    reach: HostClassMonitor[int] = HostClassMonitor(steady)
    for host in ("old", "new"):
        reach.tell(0, host, Sign.ANSWER)
    assert not reach.wants_probe()
    for n in range(FAULTS):
        reach.tell(n, f"h{n}", Sign.FAULT)
    probed = []
    for _ in range(180):
        if reach.wants_probe():
            probed.append(reach.probe_hosts()[0])
            reach.note_probe(probed[-1])
        steady.now += 1.0
    assert probed == ["new", "old", "new"]


@given(
    st.lists(st.tuples(st.sampled_from(Sign), st.integers(0, 7), st.floats(0, 90), st.booleans()), max_size=80),
)
def test_p87_each_poll_has_one_verdict_and_none_waits_over_two_minutes(
    steps: list[tuple[Sign, int, float, bool]],
) -> None:
    steady = Steady()
    reach: HostClassMonitor[int] = HostClassMonitor(steady)
    told_at: dict[int, float] = {}
    faults: list[tuple[float, int]] = []  # since the last answer: when, and to which host
    verdicts: Counter[int] = Counter()
    for number, (sign, host, wait, looks) in enumerate(steps):
        steady.now += wait
        lapsed = reach.lapse() if looks else ()
        assert all(steady.now - told_at[item] >= WINDOW for item in lapsed)
        was_down = reach.down_seconds is not None
        told = reach.tell(number, f"h{host}", sign)
        told_at[number] = steady.now
        verdicts.update([*lapsed, *told.charged, *told.uncharged])
        if sign is Sign.ANSWER:
            faults.clear()
            assert (reach.held, reach.down_seconds) == (0, None)
        if sign is Sign.FAULT:
            faults.append((steady.now, host))
        if told.uncharged and not was_down:
            lately = [where for when, where in faults if steady.now - when < WINDOW]
            assert len(lately) >= FAULTS
            assert len(set(lately)) >= HOSTS
        if looks:
            undecided = [item for item in told_at if not verdicts[item]]
            assert all(steady.now - told_at[item] < WINDOW for item in undecided)
    verdicts.update(reach.drain())
    assert verdicts == Counter(range(len(steps)))


def test_p87_a_probe_in_vain_waits_for_its_turn_and_is_put_back_at_the_end() -> None:
    network: NetworkMonitor[SourceJob] = NetworkMonitor(Steady())
    faults = [gathered(failed(NameUnknown(URL, "x"))) for _ in range(FAULTS + 1)]
    for n, poll in enumerate(faults):
        faults[n] = replace(poll, job=replace(poll.job, source_id=n, host_key=f"h{n}"))
    *held, probe = faults
    ready = [each for poll in held for each in network.judge(poll)]
    assert [each.answer for each in ready] == [Unreached(asked_at=START, waits=False)] * FAULTS
    network.begin_probe(probe.job)
    assert [each.answer for each in network.judge(probe)] == [Unreached(asked_at=START, waits=True)]
    assert network.end_probes() == [probe.job]
    assert network.end_probes() == []


# The whole of it, with a clock that moves when nothing else can happen.


class Internet:
    """All hosts: they answer while the network is up."""

    def __init__(self, clock: MovedClock) -> None:
        self.clock = clock
        self.is_down: Callable[[str], bool] = lambda host: False
        self.asked: list[tuple[datetime, Url]] = []

    def __call__(self, ask: Ask) -> Answer:
        self.asked.append((self.clock(), ask.url))
        host = host_of(ask.url)
        if self.is_down(host):
            return Failed.of(NameUnknown(ask.url, host), Exchange(asked_at=self.clock()))
        return NotModified(asked_at=self.clock())

    def count(self, since: datetime, until: datetime) -> Counter[Url]:
        """Count requests by address."""
        return Counter(url for at, url in self.asked if since <= at < until)


@contextmanager
def online(sample_site: SampleSite, internet: Internet) -> Iterator[App]:
    settings = load_config(sample_site.folder / "feeds.yaml", {})
    clock = sample_site.clock
    app = open_app(settings, command="serve", clock=clock, steady=lambda: (clock() - START).total_seconds())
    app.poller.ports = replace(app.poller.ports, fetch=internet)
    try:
        yield app
    finally:
        app.close()


def pass_time(
    app: App, clock: MovedClock, until: datetime, *, look: Callable[[], None] = lambda: None, step: float = 10.0
) -> None:
    """Run a service until a time."""
    dispatcher = Dispatcher(app.store, app.poller, app.in_force, DueBacklog(app.store))

    def over() -> bool:
        if dispatcher.is_idle():
            look()
            clock.move(seconds=step)
            dispatcher.wake()
        return clock() >= until

    dispatcher.run(until=over)


HOUR = timedelta(hours=1)
PUBLIC = "".join(f"  - {{key: s{n}, url: 'https://h{n % 8}.example/{n}', every: 15m}}\n" for n in range(96))
OWN_URL = Url("https://own.lan/feed")
OWN = f"  - {{key: own, url: '{OWN_URL}', every: 5m, frequent: ours}}\n"
YAML = f"workers: 4\nsources:\n{PUBLIC}{OWN}"
HOSTS_YAML = "hosts: {own.lan: {allow_private: true, spacing: 0s}}\n"


@pytest.mark.slow
def test_p87_an_hour_without_a_network(sample_site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
    sample_site.writes(YAML, hosts=HOSTS_YAML)
    clock, internet = sample_site.clock, Internet(sample_site.clock)
    down = START + timedelta(minutes=45)
    back = down + HOUR
    internet.is_down = lambda host: down <= clock() < back and host != "own.lan"
    with caplog.at_level(logging.WARNING), online(sample_site, internet) as app:
        since: list[datetime | None] = []

        def look() -> None:
            if not since and clock() >= down + HOUR / 2:
                since.append(app.store.status(app.in_force.roster, clock(), ()).outage.public)

        pass_time(app, clock, back + timedelta(minutes=15), look=look)
        status = app.store.status(app.in_force.roster, clock(), ())
    assert {(source.failures, source.state.value) for source in status.sources} == {(0, "ok")}
    assert status.outage.public is None
    assert [record.message for record in caplog.records] == ["pause_network", "resume_network"]
    (noted,) = since
    assert noted is not None
    assert down <= noted < down + timedelta(minutes=1)

    during = internet.count(down, back)
    for url, times in during.items():  # what was under way when it began may be a probe soon after
        assert times <= HOUR / timedelta(minutes=5 if url == OWN_URL else 15) + 1, f"{url}: at its pace, or slower"
    assert during[OWN_URL] >= 11, "the operator's own machine never rests"
    probes = sorted(at for at, url in internet.asked if down + timedelta(minutes=3) <= at < back and url != OWN_URL)
    assert 50 <= len(probes) <= 57
    assert min(two - one for one, two in pairwise(probes)) >= timedelta(seconds=60)

    after = internet.count(back, back + timedelta(minutes=8))
    assert set(after) == {source.url for source in status.sources}, "all that fell due is asked soon after"
    starts = sorted(at for at, url in internet.asked if at >= back and url != OWN_URL)
    wave = [sum(at <= other < at + timedelta(seconds=60) for other in starts) for at in starts]
    assert max(wave) <= 24, "96 that are overdue, in five minutes"


def test_p87_a_few_failures_are_charged_to_their_sources(sample_site: SampleSite) -> None:
    sample_site.writes(YAML, hosts=HOSTS_YAML)
    clock, internet = sample_site.clock, Internet(sample_site.clock)
    internet.is_down = lambda host: host in ("h1.example", "h2.example")
    with online(sample_site, internet) as app:
        pass_time(app, clock, START + timedelta(minutes=10))
        status = app.store.status(app.in_force.roster, clock(), ())
    assert {source.key for source in status.sources if source.failures} == {
        f"s{n}" for n in range(96) if n % 8 in (1, 2)
    }


def test_p87_own_machines_that_are_all_off_are_asked_at_their_pace_and_not_blamed(sample_site: SampleSite) -> None:
    sources = "".join(f"  - {{key: s{n}, url: 'https://h{n}.lan/', every: 1m, frequent: ours}}\n" for n in range(12))
    hosts = ", ".join(f"h{n}.lan: {{allow_private: true, spacing: 0s}}" for n in range(12))
    sample_site.writes(f"sources:\n{sources}", hosts=f"hosts: {{{hosts}}}\n")
    clock, internet = sample_site.clock, Internet(sample_site.clock)
    down = START + timedelta(minutes=5)
    internet.is_down = lambda host: clock() >= down
    with online(sample_site, internet) as app:
        pass_time(app, clock, down + timedelta(minutes=20))
        status = app.store.status(app.in_force.roster, clock(), ())
    assert {source.failures for source in status.sources} == {0}
    asked = internet.count(down, down + timedelta(minutes=20))
    assert set(asked.values()) <= {17, 18, 19, 20}, asked


@pytest.mark.parametrize(("hosts", "outcome"), [(12, "skipped"), (4, "failed")])
def test_p87_a_one_shot_run_ends_at_once(sample_site: SampleSite, hosts: int, outcome: str) -> None:
    sources = "".join(f"  - {{key: s{n}, url: 'https://h{n}.example/'}}\n" for n in range(hosts))
    sample_site.writes(f"workers: 2\nsources:\n{sources}{OWN}", hosts=HOSTS_YAML)
    internet = Internet(sample_site.clock)
    internet.is_down = lambda host: host != "own.lan"
    with online(sample_site, internet) as app:
        shot = OneShot(app)
        shot.poll(None, everything=False, limit=timedelta(0))
        report = shot.report(())
        status = app.store.status(app.in_force.roster, sample_site.clock(), ())
    assert (report[outcome], report["not_modified"]) == (hosts, 1)
    results = report["results"]
    assert isinstance(results, list)
    codes = Counter(str(row["error"]).partition(":")[0] for row in results)
    assert codes == {"network_down" if outcome == "skipped" else "dns": hosts, "None": 1}
    assert sum(source.failures for source in status.sources) == (0 if outcome == "skipped" else hosts)
    assert (status.outage.public is not None) == (outcome == "skipped")
    assert sample_site.clock() == START, "it waited for nothing"


def test_p87_a_stop_puts_back_what_was_held(sample_site: SampleSite) -> None:
    lines = "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/'}}\n" for n in range(HOSTS))
    sample_site.writes(f"sources:\n{lines}", hosts="")
    internet = Internet(sample_site.clock)
    internet.is_down = lambda host: True
    with online(sample_site, internet) as app:
        dispatcher = Dispatcher(app.store, app.poller, app.in_force, DueBacklog(app.store))

        def stop_once_held() -> bool:
            if len(internet.asked) == HOSTS and dispatcher.is_idle():
                dispatcher.stop()
            return False

        dispatcher.run(until=stop_once_held)
        found = app.store.status(app.in_force.roster, sample_site.clock(), ()).sources
    assert {(source.failures, source.state.value, source.next_due) for source in found} == {(0, "never", START)}


def test_p59_at_the_claim_a_source_that_asks_to_be_spared_is_left_alone(
    sample_site: SampleSite, tmp_path: Path
) -> None:
    hint = "<skipHours><hour>13</hour></skipHours>"
    feed = f"<rss version='2.0'><channel><title>T</title><link>https://a.example/</link>{hint}</channel></rss>"
    (tmp_path / "feed.xml").write_text(feed, encoding="utf-8")
    sample_site.writes("sources: [{key: a, kind: file, url: feed.xml, every: 20m}]\n")
    assert sample_site.poll()["fetched"] == 1
    sample_site.clock.now = datetime(2026, 3, 4, 12, 59, 59, tzinfo=START.tzinfo)
    with sample_site.opened() as app, app.store.read() as tx:
        (due,) = tx.schedule.due(sample_site.clock(), limit=1)
    sample_site.clock.move(seconds=2)
    report = sample_site.poll(everything=False)
    (row,) = report["results"]
    assert (row["outcome"], row["next_due"], row["error"]) == ("skipped", "2026-03-04T14:00:00Z", None)
    assert due.attempted_at == START
    with sample_site.opened() as app:
        (source,) = app.store.status(app.in_force.roster, sample_site.clock(), ()).sources
    assert (source.last_attempt, source.failures) == (START, 0)
    assert sample_site.poll(["a"])["fetched"] == 1, "who names it passes over hints"


def test_p87_with_few_hosts_nothing_is_held_and_a_new_operator_sees_at_once_what_is_out_of_reach() -> None:
    network: NetworkMonitor[SourceJob] = NetworkMonitor(Steady(), lambda own: HOSTS - 1)
    poll = gathered(failed(NameUnknown(URL, "x")))
    assert list(network.judge(poll)) == [poll]
    assert network.held == 0
