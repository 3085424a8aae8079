"""The Atom feed of alarms, byte for byte."""

from collections.abc import Callable
from datetime import timedelta

from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.settings import SourceKey
from aggregator.render.alarm_feed import render_alarm_feed
from tests.render.records import NOON, SITE, STORE

HERON = SourceKey("heron")


def rendered(*alarms: Alarm) -> bytes:
    return render_alarm_feed(
        alarms,
        {HERON: "Heron Notes"},
        SITE,
        store=STORE,
        created_at=NOON - timedelta(days=9),
        path="private/alarms.atom",
        redact=lambda text: text.replace("sekret", "…"),
    )


def test_the_feed_of_alarms(golden: Callable[[str, bytes], None]) -> None:
    dead = Alarm(code=AlarmCode.DEAD, source=HERON, since=NOON, text="no success since sekret & others")
    over = Alarm(code=AlarmCode.LAG, source=None, since=NOON, text="late", ended_at=NOON + timedelta(hours=1))
    golden("alarms.atom", rendered(over, dead))
    assert b"<updated>2025-02-20T12:00:00Z</updated>" in rendered()
