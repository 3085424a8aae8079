"""`/metrics`: counters of polls and figures of the store, as totals and at little cost (R67)."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aggregator.app import App
from aggregator.errors import StoreError
from aggregator.extras import install_command
from aggregator.model.alarm import AlarmCode
from aggregator.model.poll import State
from aggregator.model.status import Figures
from aggregator.serve.metrics import FRESH_SECONDS, Meter, current_figures, load_meter, metrics
from aggregator.store.status import ADVICE
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

Samples = dict[tuple[str, str], float]  # (name, value of the label) to value; there is one label at most


def samples(text: bytes) -> Samples:
    """Parse metrics as Prometheus does."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


@contextmanager
def opened(tmp_path: Path) -> Iterator[App]:
    site = SampleSite(tmp_path)
    site.writes(
        "sources: [{key: a, url: 'https://a.example/secret'}, {key: b, url: 'https://b.example/', paused: true}]"
    )
    with site.opened() as app:
        yield app


def test_polls_are_counted_by_outcome_bytes_failures_and_entries(tmp_path: Path) -> None:
    meter = Meter()
    with opened(tmp_path) as app:
        fake_source = FakeSource(app)
        meter.count([fake_source.says("a", said(1), said(2))])
        meter.count([fake_source.says("a", said(1, text="<p>Something else by now.</p>"))])
        meter.count(fake_source.unchanged(["a"]))
        meter.count([fake_source.fails("a", "dns")])
        read = samples(meter.write(current_figures(app.store, app.clock()), in_flight=3, tick_age=2.5)[1])
    assert read["aggregator_polls_total", "fetched"] == 2
    assert read["aggregator_polls_total", "not_modified"] == 1
    assert read["aggregator_polls_total", "failed"] == 1
    assert read["aggregator_failures_total", "dns"] == 1
    assert read["aggregator_not_modified_total", ""] == 1
    assert read["aggregator_unconditional_total", ""] == 1, "the desk sends no validators"
    assert read["aggregator_new_entries_total", ""] == 2
    assert read["aggregator_revised_entries_total", ""] == 1
    assert read["aggregator_poll_seconds_count", ""] == 4
    assert read["aggregator_stories", ""] == 2
    assert read["aggregator_requests_in_flight", ""] == 3
    assert read["aggregator_tick_age_seconds", ""] == 2.5
    assert read["process_resident_memory_bytes", ""] > 1e6


def test_r67_every_state_alarm_and_code_is_there_from_the_start_at_zero(tmp_path: Path) -> None:
    with opened(tmp_path) as app:
        text = Meter().write(current_figures(app.store, app.clock()), in_flight=0, tick_age=0)[1]
    read = samples(text)
    assert {label for name, label in read if name == "aggregator_sources"} == {state.value for state in State}
    assert {label for name, label in read if name == "aggregator_alarms"} == {code.value for code in AlarmCode}
    assert {label for name, label in read if name == "aggregator_failures_total"} == set(ADVICE)
    assert read["aggregator_failures_total", "internal"] == 0
    assert (read["aggregator_sources", "never"], read["aggregator_sources", "paused"]) == (1, 1)


def test_alarms_are_counted_as_they_were_noticed(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with site.opened() as app:
        for _ in range(4):
            for key in ("a", "b"):
                FakeSource(app).fails(key)
            site.clock.move(days=3)
        with app.store.begin() as tx:
            tx.alarms.note(app.clock())
        read = samples(Meter().write(current_figures(app.store, app.clock()), in_flight=0, tick_age=0)[1])
    assert read["aggregator_alarms", "dead"] == 2
    assert read["aggregator_alarms", "silent"] == 0


def test_s44_neither_sources_nor_hosts_have_labels(tmp_path: Path) -> None:
    meter = Meter()
    with opened(tmp_path) as app:
        meter.count(FakeSource(app).unchanged(["a"]))
        text = meter.write(current_figures(app.store, app.clock()), in_flight=0, tick_age=0)[1]
    assert b"example" not in text
    assert b"secret" not in text


def test_the_store_is_asked_once_in_15_seconds_however_many_ask(tmp_path: Path) -> None:
    now, asked = [100.0], []
    with opened(tmp_path) as app:

        def figures() -> Figures:
            asked.append(now[0])
            return current_figures(app.store, app.clock())

        endpoint = metrics(Meter(), figures=figures, in_flight=lambda: 0, tick_age=lambda: 0.0, steady=lambda: now[0])
        threads = [threading.Thread(target=endpoint.answer, args=({},)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        now[0] += FRESH_SECONDS - 0.1
        endpoint.answer({})
        assert asked == [100.0]
        now[0] += 0.1
        endpoint.answer({})
        assert len(asked) == 2


def test_a_store_that_does_not_answer_is_a_503(caplog: pytest.LogCaptureFixture) -> None:
    def figures() -> Figures:
        raise StoreError("the disk is gone")

    endpoint = metrics(Meter(), figures=figures, in_flight=lambda: 0, tick_age=lambda: 0.0)
    assert endpoint.answer({}).status is HTTPStatus.SERVICE_UNAVAILABLE
    assert "fail_metrics" in caplog.text


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)  # as if the library were not installed
    caplog.set_level(logging.INFO)
    meter = load_meter()
    assert meter is None
    reply = metrics(
        meter, figures=lambda: pytest.fail("nobody needs them"), in_flight=lambda: 0, tick_age=lambda: 0.0
    ).answer({})
    assert reply.status is HTTPStatus.NOT_IMPLEMENTED
    assert b"extra metrics is not installed" in reply.body
    assert sys.prefix.encode() not in reply.body, "anyone may read it"
    assert [record.message for record in caplog.records] == ["lack_metrics"], "once, not for each request"
    assert install_command("metrics") in str(vars(caplog.records[0])["advice"])


@pytest.mark.slow
def test_serve_answers_at_metrics(tmp_path: Path, publisher: FeedServer) -> None:
    good = publisher.serve("/good.xml", rss(item(1), item(2)))
    bad = publisher.says("/bad.xml", Reply(404), host="127.0.0.2")
    with Running(tmp_path, f"{LOOPBACK}publish: {{formats: [atom]}}\nsources: ['{good}', '{bad}']\n") as running:

        def read() -> Samples:
            status, body = running.get("metrics")
            assert status == 200
            return samples(body)

        running.wait_for(lambda: read()["aggregator_failures_total", "not_found"] == 1)
        running.wait_for(lambda: read()["aggregator_new_entries_total", ""] == 2)
        assert 0 <= read()["aggregator_tick_age_seconds", ""] < 60
        assert read()["aggregator_fetched_bytes_total", ""] > 500
