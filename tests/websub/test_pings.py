"""Pings for changes: once each, later if the hub is unreachable, never delaying other work (A85, A86)."""

import logging
import threading
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from aggregator.app import App
from aggregator.errors import StoreError
from aggregator.model.alarm import AlarmCode
from aggregator.serve.metrics import Meter, current_figures
from aggregator.websub import Pinger, pings, send_pings
from aggregator.websub.pings import pause_after
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Hangs, Reply, Reset, redirect
from tests.sample_site import LOOPBACK, SampleSite

TAKEN = Reply(204)
PLANET = "https://planet.example.org/"
GENERAL = f"{PLANET}category/general.atom"
ALL = f"{PLANET}all.atom"
HUB = "127.0.0.2"


class Planet:
    """A site with a hub: `says` publishes new items of a source and pings the hub."""

    def __init__(self, sample_site: SampleSite, publisher: FeedServer) -> None:
        self.site, self.publisher = sample_site, publisher
        self.clock = sample_site.clock
        self.writes()

    def writes(self, more: str = "", *, publish: str = "formats: [atom]", base_url: str = PLANET) -> None:
        """Write a new feeds.yaml."""
        hub = self.publisher.url("/hub", host=HUB)
        self.site.writes(
            f"site: {{base_url: '{base_url}'}}\npublish: {{hub: '{hub}', {publish}}}\n{more}"
            "sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]\n"
        )

    def answers(self, *replies: Reply) -> None:
        """Set the hub's response."""
        self.publisher.says("/hub", *replies, host=HUB)

    def says(self, *numbers: int, key: str = "a", tell: bool = True, everything: bool = False) -> None:
        """Set the items of a source; poll, publish, and ping the hub."""
        with self.site.opened() as app:
            if numbers:
                FakeSource(app).says(key, *map(said, numbers))
            app.publisher.publish(everything=everything)
            if tell:
                self.tell(app)

    def tell(self, app: App) -> None:
        send_pings(app, should_stop=lambda: False)

    def told(self) -> list[str]:
        """Return the topics of the pings since the last call, in order."""
        found = [dict(parse_qsl(asked.body.decode())) for asked in self.publisher.asked]
        self.publisher.asked.clear()
        return sorted(form["hub.url"] for form in found)


@pytest.fixture
def planet(sample_site: SampleSite, publisher: FeedServer) -> Planet:
    """A site whose source was polled once, with a hub that accepts everything."""
    planet = Planet(sample_site, publisher)
    planet.answers(TAKEN)
    planet.says(1)
    planet.clock.move(hours=1)
    return planet


def test_i62_first_polls_ping_nobody_and_the_next_news_do(planet: Planet) -> None:
    assert planet.told() == []
    planet.says(2, key="b")
    assert b"Title 2" in planet.site.published("category/general.atom"), "it is published all the same"
    assert planet.told() == []
    planet.says(3, 2, key="b")
    assert planet.told() == [ALL, GENERAL]


def test_i62_a_source_that_is_added_pings_nobody(planet: Planet) -> None:
    text = (planet.site.folder / "feeds.yaml").read_text(encoding="utf-8").removeprefix(LOOPBACK)
    planet.site.writes(text.replace("sources: [", "sources: [{key: c, url: 'https://c.example/'}, "))
    planet.says(4, key="c")
    assert b"Title 4" in planet.site.published("all.atom")
    assert planet.told() == []
    planet.says(5, 4, key="c")
    assert planet.told() == [ALL, GENERAL]


def test_i62_a_source_that_enters_a_category_pings_nobody(planet: Planet) -> None:
    planet.writes("categories: {birds: {}}\n")
    planet.says()
    text = (planet.site.folder / "feeds.yaml").read_text(encoding="utf-8").removeprefix(LOOPBACK)
    planet.site.writes(text.replace("'https://a.example/'", "'https://a.example/', category: [general, birds]"))
    planet.says()
    assert b"Title 1" in planet.site.published("category/birds.atom")
    assert planet.told() == []


def test_a86_a_title_that_is_edited_is_told(planet: Planet) -> None:
    planet.writes("categories: {general: {title: All the News}}\n")
    planet.says()
    assert planet.told() == [GENERAL]


def test_a86_a_main_feed_that_an_edit_makes_shorter_is_told(planet: Planet) -> None:
    planet.writes(publish="formats: [atom], entries: 40, archive_page: 10")
    planet.says(*range(40, 0, -1))
    planet.clock.move(hours=1)
    planet.told()
    planet.writes(publish="formats: [atom], entries: 10, archive_page: 10")
    planet.says()
    assert b"Title 1<" in planet.site.published("category/general/archive/1.atom")
    assert planet.told() == [ALL, GENERAL]


def test_i62_a_first_poll_beside_news_hides_them_not(planet: Planet) -> None:
    with planet.site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(2), said(1))
        fake_source.says("b", said(3))
        app.publisher.publish()
        planet.tell(app)
    assert planet.told() == [ALL, GENERAL]


def test_a86_each_changed_feed_is_told_once_in_the_usual_form(planet: Planet) -> None:
    planet.writes(publish="formats: [atom, rss, json, html]", more="categories: {quiet: {}}\n")
    planet.says(2, 1)
    forms = [asked for asked in planet.publisher.asked if b"category%2Fgeneral.json" in asked.body]
    assert [asked.method for asked in forms] == ["POST"]
    topic = f"{PLANET}category/general.json"
    pairs = [("hub.mode", "publish"), ("hub.url", topic), ("hub.topic", topic)]
    assert parse_qsl(forms[0].body.decode()) == pairs
    assert forms[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert forms[0].headers["user-agent"].startswith("aggregator/")
    names = [f"{PLANET}{name}.{feed}" for name in ("all", "category/general") for feed in ("atom", "json", "rss")]
    assert planet.told() == names, "no page, no archive, no category in which nothing happened"
    planet.clock.move(hours=1)
    planet.says()
    planet.says(everything=True)
    assert planet.told() == [], "the same bytes"


def test_a86_at_most_one_ping_a_minute_for_a_topic(planet: Planet) -> None:
    planet.says(2, 1)
    planet.told()
    planet.clock.move(seconds=20)
    planet.says(3, 2, 1)
    assert planet.told() == []
    planet.clock.move(seconds=39)
    planet.says(4, 3, 2, 1)
    assert planet.told() == []
    planet.clock.move(seconds=1)
    planet.says()
    assert planet.told() == [ALL, GENERAL], "one for both changes"
    planet.clock.move(hours=1)
    planet.says()
    assert planet.told() == []


def test_a86_what_changes_while_the_hub_is_told_is_told_again(planet: Planet) -> None:
    planet.says(2, 1, tell=False)
    with planet.site.opened() as app:
        fetch, fake_source = app.poller.ports.fetch, FakeSource(app)

        def publish_meanwhile(due: object) -> object:
            object.__setattr__(app.poller.ports, "fetch", fetch)
            fake_source.says("a", said(3), said(2), said(1))
            app.publisher.publish()
            return fetch(due)  # type: ignore[arg-type]

        object.__setattr__(app.poller.ports, "fetch", publish_meanwhile)
        planet.tell(app)
        assert planet.told() == [ALL, GENERAL]
        planet.clock.move(minutes=1)
        planet.tell(app)
        assert planet.told() == [ALL], "the one that was under way; the other was told after the change"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(Reply(503), "http", id="503"),
        pytest.param(Reset(), "reset", id="reset"),
        pytest.param(Reply(401), "auth", id="401"),
        pytest.param(redirect("/elsewhere", 308), "redirect", id="redirect"),
    ],
)
def test_a86_a_hub_in_trouble_is_asked_once_and_later_for_all(planet: Planet, reply: Reply, code: str) -> None:
    planet.answers(reply, TAKEN)
    planet.says(2, 1)
    assert len(planet.told()) == 1, "what all the others would meet as well"
    planet.clock.move(seconds=59)
    planet.says(3, 2, 1)
    assert planet.told() == [], "new changes wait, too"
    with planet.site.opened() as app, app.store.read() as tx:
        hub = tx.hub_pings.status()
    assert hub is not None
    assert (hub.owed, hub.failures) == (2, 1)
    assert hub.error is not None
    assert hub.error.startswith(f"{code}: ")
    planet.clock.move(seconds=1)
    planet.says()
    assert planet.told() == [ALL, GENERAL]


def test_a86_a_redirect_is_told_and_not_followed(planet: Planet, caplog: pytest.LogCaptureFixture) -> None:
    planet.answers(redirect(planet.publisher.url("/new", host=HUB), 301))
    with caplog.at_level(logging.WARNING):
        planet.says(2, 1)
    assert [asked.path for asked in planet.publisher.asked] == ["/hub"]
    (line,) = (record for record in caplog.records if record.message == "fail_ping")
    assert "HTTP 301 redirects; write the final address" in line.__dict__["error"]


def test_a86_a_hub_that_is_away_is_told_when_it_is_back(planet: Planet) -> None:
    planet.publisher.leave()
    planet.says(2, 1)
    planet.publisher.come_back()
    assert planet.told() == []
    planet.clock.move(minutes=1)
    planet.says()
    assert planet.told() == [ALL, GENERAL]


def test_a86_a_topic_that_the_hub_does_not_want_holds_up_no_other(planet: Planet) -> None:
    planet.answers(Reply(404), TAKEN)
    planet.says(2, 1)
    assert planet.told() == [ALL, GENERAL]
    planet.clock.move(minutes=1)
    planet.says()
    assert planet.told() == [ALL]


def test_a86_retry_after_is_obeyed(planet: Planet) -> None:
    planet.answers(Reply(429, b"", {"Retry-After": "600"}), TAKEN)
    planet.says(2, 1)
    planet.told()
    planet.clock.move(seconds=599)
    planet.says()
    assert planet.told() == []
    planet.clock.move(seconds=1)
    planet.says()
    assert planet.told() == [ALL, GENERAL]


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [pytest.param(1, 1, id="a-minute"), pytest.param(3, 4, id="doubles"), pytest.param(99, 120, id="capped")],
)
def test_a86_pauses_grow(failures: int, minutes: int) -> None:
    assert pause_after(failures) == timedelta(minutes=minutes)


def test_a86_after_a_day_an_old_change_is_no_news_and_the_next_one_is(
    planet: Planet, caplog: pytest.LogCaptureFixture
) -> None:
    planet.answers(Reply(500))
    planet.says(2, 1)
    asked = 1
    with planet.site.opened() as app, caplog.at_level(logging.INFO):
        for _ in range(30 * 60):
            planet.clock.move(minutes=1)
            planet.tell(app)
            asked = len(planet.publisher.asked)
    assert 12 <= asked < 24, "ever more rarely"
    lines = [record for record in caplog.records if record.message in ("fail_ping", "drop_pings")]
    levels = [line.levelname for line in lines if line.message == "fail_ping"]
    assert levels == ["WARNING"] + ["INFO"] * (asked - 1), "loud once"
    (dropped,) = (line for line in lines if line.message == "drop_pings")
    assert dropped.__dict__["topics"] == 2
    planet.answers(TAKEN)
    planet.told()
    planet.says()
    assert planet.told() == []
    planet.says(3, 2, 1)
    assert planet.told() == [ALL, GENERAL]


def test_a86_a_kill_while_files_are_written_loses_no_ping(planet: Planet) -> None:
    planet.writes(publish="formats: [atom, json]")
    planet.says()
    planet.told()
    planet.clock.move(minutes=1)
    with planet.site.opened() as app:
        FakeSource(app).says("a", said(2), said(1))
    files = 0
    while planet.site.dies_publishing(files):  # after each file that a run has to write, and finally after none
        files += 1
    assert files > 3
    planet.says()
    assert planet.told() == [topic for name in (ALL, GENERAL) for topic in (name, name.replace(".atom", ".json"))]


def test_a86_a_kill_before_the_ping_loses_none_and_repeats_none(planet: Planet) -> None:
    planet.says(2, 1, tell=False)
    planet.says()
    assert planet.told() == [ALL, GENERAL]
    planet.clock.move(minutes=1)
    planet.says()
    assert planet.told() == []


def test_a86_a_hub_that_never_answers_is_cut_with_all_else(planet: Planet) -> None:
    planet.answers(Hangs())
    planet.says(2, 1, tell=False)
    with planet.site.opened() as app:
        app.poller.cut()
        planet.tell(app)
    assert planet.told() == []
    planet.answers(TAKEN)
    planet.says()
    assert planet.told() == [ALL, GENERAL], "as if it had not been tried"


def test_s3_a_hub_at_a_private_address_is_not_asked_unless_allowed(planet: Planet) -> None:
    planet.site.writes((planet.site.folder / "feeds.yaml").read_text(encoding="utf-8").removeprefix(LOOPBACK), hosts="")
    planet.says(2, 1)
    assert planet.told() == []
    with planet.site.opened() as app, app.store.read() as tx:
        hub = tx.hub_pings.status()
    assert hub is not None
    assert str(hub.error).startswith("refused: ")


def test_a85_a_new_hub_is_told_once_of_feeds_that_name_it_now(sample_site: SampleSite, publisher: FeedServer) -> None:
    planet = Planet(sample_site, publisher)
    planet.answers(TAKEN)
    text = (sample_site.folder / "feeds.yaml").read_text(encoding="utf-8")
    sample_site.writes(f"site: {{base_url: '{PLANET}'}}\npublish: {{formats: [atom]}}\n{text.splitlines()[-1]}\n")
    planet.says(1)
    plain = sample_site.published("category/general.atom")
    planet.writes()
    planet.says()
    assert b'rel="hub"' in sample_site.published("category/general.atom")
    assert planet.told() == [ALL, GENERAL]
    sample_site.writes(f"site: {{base_url: '{PLANET}'}}\npublish: {{formats: [atom]}}\n{text.splitlines()[-1]}\n")
    planet.says()
    assert sample_site.published("category/general.atom") == plain, "without a hub the bytes are those without a hub"
    assert planet.told() == []


def test_topics_at_an_address_that_is_no_longer_ours_are_not_told(planet: Planet) -> None:
    planet.says(2, 1, tell=False)
    planet.writes(base_url="https://other.example/")
    planet.says()
    assert planet.told() == ["https://other.example/all.atom", "https://other.example/category/general.atom"]


def test_an_unlisted_category_is_told_to_nobody(planet: Planet) -> None:
    planet.writes("categories: {general: {unlisted: true}}\n")
    planet.says(2, 1)
    planet.clock.move(hours=1)
    planet.told()
    planet.says(3, 2, 1)
    assert planet.told() == []
    assert b'rel="hub"' not in planet.site.published("category/general.atom")


def test_what_is_owed_of_a_category_is_forgotten_when_it_is_unlisted_or_gone(planet: Planet) -> None:
    planet.says(2, 1, tell=False)
    planet.writes("categories: {general: {unlisted: true}}\n")
    with planet.site.opened() as app:
        planet.tell(app)  # before the next publication, as beside a service
    assert planet.told() == [ALL]
    planet.clock.move(hours=1)
    planet.writes()
    planet.says(3, 2, 1, tell=False)
    text = (planet.site.folder / "feeds.yaml").read_text(encoding="utf-8").removeprefix(LOOPBACK)
    planet.site.writes(text.replace(".example/'", ".example/', category: other"))
    with planet.site.opened() as app:
        planet.tell(app)
    assert planet.told() == [ALL]


def test_formats_that_are_no_longer_made_are_not_told(planet: Planet) -> None:
    planet.writes(publish="formats: [atom, json]")
    planet.says(2, 1, tell=False)
    planet.writes(publish="formats: [atom]")
    planet.says()
    assert planet.told() == [ALL, GENERAL]


def test_r67_a_hub_that_refuses_for_an_hour_is_an_alarm(planet: Planet) -> None:
    planet.answers(Reply(500))
    planet.says(2, 1)

    def alarms(app: App) -> list[AlarmCode]:
        return [alarm.code for alarm in app.store.status(app.in_force.roster, app.clock()).alarms]

    with planet.site.opened() as app:
        planet.clock.move(minutes=59)
        assert AlarmCode.HUB not in alarms(app)
        planet.clock.move(minutes=1)
        planet.answers(TAKEN)
        assert AlarmCode.HUB in alarms(app)
        planet.tell(app)
        assert AlarmCode.HUB not in alarms(app)


def test_a_fault_of_ours_is_said_once_and_pings_go_on(
    planet: Planet, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, enough = [0], threading.Event()

    def fail(app: App, **how: object) -> None:
        asked[0] += 1
        if asked[0] > 3:
            enough.set()
        raise StoreError("the disk is full" if asked[0] < 3 else "another fault")

    monkeypatch.setattr(pings, "send_pings", fail)
    monkeypatch.setattr(pings, "CHECK_SECONDS", 0.001)
    with planet.site.opened() as app:
        pinger = Pinger(app, lambda taken: None)
        pinger.start()
        assert enough.wait(30)
        pinger.stop()
        pinger.join()
    said = [
        str(record.exc_info[1]) for record in caplog.records if record.message == "hinder_pings" and record.exc_info
    ]
    assert said == ["the disk is full", "another fault"]


def test_r67_metrics_count_pings_and_what_is_owed(planet: Planet) -> None:
    meter = Meter()
    planet.answers(Reply(400), TAKEN)
    planet.says(2, 1, tell=False)
    with planet.site.opened() as app:
        before = meter.write(current_figures(app.store, app.clock()), in_flight=0, tick_age=0)[1].decode()
        send_pings(app, should_stop=lambda: False, on_sent=meter.count_ping)
        after = meter.write(current_figures(app.store, app.clock()), in_flight=0, tick_age=0)[1].decode()
    assert "aggregator_pings_owed 2.0" in before
    assert 'aggregator_pings_total{taken="yes"} 0.0' in before
    assert "aggregator_pings_owed 1.0" in after
    assert 'aggregator_pings_total{taken="yes"} 1.0' in after
    assert 'aggregator_pings_total{taken="no"} 1.0' in after
