"""Messages on alarms: each beginning and end once, at the hours of the operator, retried politely, without secrets."""

import json
import logging
from typing import Any

import pytest

from aggregator.app import App
from aggregator.notify import send_messages
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite

TAKEN = Reply(204)
HOOK = "127.0.0.3"


class Planet:
    """A site with a webhook; `dies` and `revives` begin and end the alarm `dead` of its source."""

    def __init__(self, site: SampleSite, publisher: FeedServer) -> None:
        self.site, self.publisher, self.clock = site, publisher, site.clock
        site.environ["TOKEN"] = "s3cret-of-the-hook"
        self.writes()
        self.answers(TAKEN)
        with site.opened() as app:
            FakeSource(app).says("a", said(1))

    def writes(self, alarms: str = "", *, more: str = "", webhook: bool = True) -> None:
        hook = f"webhook: '{self.publisher.url('/hook/${TOKEN}', host=HOOK)}', " if webhook else ""
        self.site.writes(
            f"site: {{title: Our planet, timezone: Europe/Berlin}}\nalarms: {{{hook}{alarms}}}\n"
            f"sources: [{{key: a, url: 'https://a.example/', title: The a, {more}}}]\n"
        )

    def answers(self, *replies: Reply) -> None:
        self.publisher.says("/hook/s3cret-of-the-hook", *replies, host=HOOK)

    def note(self, app: App) -> None:
        with app.store.begin() as tx:
            tx.alarms.note(self.clock())
        send_messages(app)

    def dies(self) -> None:
        with self.site.opened() as app:
            for _ in range(4):
                self.clock.move(days=2)
                FakeSource(app).fails("a", "dns")
            self.note(app)

    def revives(self) -> None:
        with self.site.opened() as app:
            FakeSource(app).unchanged(["a"])
            self.note(app)

    def goes_on(self, **by: float) -> None:
        self.clock.move(**by)
        with self.site.opened() as app:
            self.note(app)

    def told(self) -> list[dict[str, Any]]:
        """Return the bodies of the messages since the last call."""
        found = [json.loads(asked.body) for asked in self.publisher.asked]
        self.publisher.asked.clear()
        return found

    def events(self) -> list[str]:
        """Return what was told since the last call; nobody polls here, so that `lag` comes and goes."""
        alarms = [alarm for body in self.told() for alarm in body["alarms"] if alarm["code"] != "lag"]
        return [f"{alarm['event']} {alarm['code']}" for alarm in alarms]


@pytest.fixture
def planet(sample_site: SampleSite, publisher: FeedServer) -> Planet:
    return Planet(sample_site, publisher)


def test_an_alarm_is_told_once_when_it_begins_and_once_when_it_ends(planet: Planet) -> None:
    planet.dies()
    (message,) = planet.told()
    (begun,) = message["alarms"]
    assert message["planet"] == "Our planet"
    assert message["text"].startswith("Our planet: dead: The a\n\ndead: The a\nSince 2026-03-12 12:00 UTC: no success")
    assert begun["event"] == "begin"
    assert (begun["code"], begun["source"], begun["title"]) == ("dead", "a", "The a")
    assert (begun["since"], begun["ended"]) == ("2026-03-12T12:00:00Z", None)
    planet.goes_on(hours=1)
    assert planet.told() == []
    planet.revives()
    (message,) = planet.told()
    assert message["text"].startswith("Our planet: Over: dead: The a\n")
    assert message["alarms"] == [begun | {"event": "end", "ended": "2026-03-12T13:00:00Z"}]
    planet.goes_on(hours=1)
    assert planet.told() == []


def test_a_refusal_is_retried_with_growing_waits_and_is_an_alarm_itself_after_an_hour(
    planet: Planet, caplog: pytest.LogCaptureFixture
) -> None:
    planet.answers(Reply(503))
    waits = []
    with caplog.at_level(logging.INFO):
        planet.dies()
        for _ in range(70):
            asked = len(planet.publisher.asked)
            planet.goes_on(minutes=1)
            waits.append(len(planet.publisher.asked) - asked)
    assert [minute for minute, sent in enumerate(waits, start=1) if sent] == [1, 3, 7, 15, 31, 63]
    assert [record.levelname for record in caplog.records if record.message == "fail_message"] == ["WARNING"] + 6 * [
        "INFO"
    ]
    with planet.site.opened() as app:
        alarms = {each.code.value: each.text for each in app.store.status(app.in_force.roster, planet.clock()).alarms}
    assert alarms["messages"].startswith(
        "alarms.webhook takes no messages on alarms since 2026-03-12 12:00 UTC: http: "
    )
    assert "s3cret" not in alarms["messages"]
    planet.publisher.asked.clear()
    planet.answers(TAKEN)
    planet.goes_on(hours=2)
    assert planet.events() == ["begin dead", "begin messages"]
    planet.goes_on(minutes=5)
    assert planet.events() == ["end messages"]


def test_what_began_and_ended_meanwhile_is_told_once(planet: Planet) -> None:
    planet.writes("quiet: '22:00-07:00'")
    planet.clock.move(hours=10)  # noon UTC of the fourth; it dies at 23:00 in Berlin
    planet.dies()
    planet.goes_on(hours=1)
    planet.revives()
    assert planet.told() == []
    planet.goes_on(hours=6, minutes=59)
    assert planet.told() == [], "06:59 in Berlin"
    planet.goes_on(minutes=1)
    assert planet.events() == ["end dead"]


def test_a_digest_tells_all_of_a_day_in_one_message(planet: Planet) -> None:
    planet.writes("digest: '08:00'")
    planet.dies()
    planet.goes_on(hours=18, minutes=59)
    assert planet.told() == []
    planet.revives()
    planet.goes_on(minutes=1)
    (message,) = planet.told()
    assert [alarm["event"] for alarm in message["alarms"] if alarm["code"] == "dead"] == ["end"]
    planet.goes_on(hours=12)
    assert planet.told() == []


def test_a_new_webhook_is_told_what_holds_and_nothing_that_is_over(planet: Planet) -> None:
    planet.writes(webhook=False, alarms="feed: alarms.atom")
    planet.dies()
    planet.revives()
    planet.goes_on(days=1)
    planet.dies()
    planet.writes()
    planet.goes_on(minutes=1)
    assert planet.events() == ["begin dead"]


def test_a_webhook_on_a_private_address_needs_a_rule_of_hosts(planet: Planet, sample_site: SampleSite) -> None:
    text = (sample_site.folder / "feeds.yaml").read_text(encoding="utf-8").partition("\n")[2]
    (sample_site.folder / "feeds.yaml").write_text(text, encoding="utf-8")
    planet.dies()
    assert planet.told() == []
    planet.goes_on(hours=2)
    with sample_site.opened() as app:
        alarms = {each.code.value: each.text for each in app.store.status(app.in_force.roster, planet.clock()).alarms}
    assert "refused" in alarms["messages"]
    assert "allow_private" in alarms["messages"]


def test_secrets_and_addresses_of_private_sources_are_struck_out(planet: Planet) -> None:
    planet.site.environ["KEY"] = "an-address-nobody-knows"
    planet.writes("feed: alarms-x.atom", more="private: true, was: ['https://a.example/an-address-nobody-knows']")
    with planet.site.opened() as app, app.store.begin() as tx:
        tx.store_row.note_output_error(
            "posts/an.md: it names https://a.example/an-address-nobody-knows and s3cret-of-the-hook"
        )
    planet.dies()
    with planet.site.opened() as app:
        app.publisher.publish()
    told = json.dumps(planet.told()) + planet.site.published("alarms-x.atom").decode()
    assert "posts/an.md" in told
    assert "nobody-knows" not in told
    assert "s3cret" not in told


@pytest.fixture
def receiver(publisher: FeedServer) -> str:
    pytest.importorskip("apprise")
    publisher.says("/mail", TAKEN, host=HOOK)
    return publisher.url("/mail", host=HOOK).replace("http://", "json://")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise imports imghdr
def test_apprise_sends_one_message_to_each_address(planet: Planet, receiver: str) -> None:
    planet.writes(f"notify: ['{receiver}?method=post', 'nosuch://address']", webhook=False)
    planet.dies()
    (message,) = planet.told()
    assert message["title"] == "Our planet: dead: The a"
    assert "no success since 2026-03-04" in message["message"]
    planet.goes_on(hours=2)
    with planet.site.opened() as app:
        alarms = {each.code.value: each.text for each in app.store.status(app.in_force.roster, planet.clock()).alarms}
    assert "address 2 of alarms.notify" in alarms["messages"]
