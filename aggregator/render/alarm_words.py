"""Renders alarms as words and as records, for the feed of alarms and for messages. Pure."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid5

from aggregator.clock import rfc3339
from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.settings import SourceKey

ADVICE: Final[Mapping[AlarmCode, str]] = {  # in short; docs/alarms.md has more
    AlarmCode.NETWORK_DOWN: "Repair the connection; polling continues by itself.",
    AlarmCode.OUTPUT: "Correct the named file; else check the disk and its permissions.",
    AlarmCode.CRASH: "See in the system's log why the program ended, and report it.",
    AlarmCode.LAG: "See whether the runs of poll keep up; raise workers, or write a longer every.",
    AlarmCode.POSTS: "Correct the template, or the file in the way.",
    AlarmCode.HUB: "Write the hub's new address in publish.hub, or remove it.",
    AlarmCode.MESSAGES: "Correct the address under alarms in feeds.yaml.",
    AlarmCode.DEAD: "Find the new address of the source, or remove it.",
    AlarmCode.REPLACED: "Look at the feed; if it is the one you want, aggregator accept KEY, else remove it.",
    AlarmCode.FIELDS_LOST: "See what it answers with aggregator preview KEY; correct entry, or tell the publisher.",
    AlarmCode.EMPTY: "Look at the feed in a browser, and tell the publisher.",
    AlarmCode.LIST_SHRUNK: "Look at the list; if it is intended, write trust: true beside it.",
    AlarmCode.OVERFLOW: "With a fixed every, write a shorter one.",
    AlarmCode.FLOOD: "Check that it is still the feed you want.",
    AlarmCode.UNFILED: "Correct the field under category, or name a fixed category.",
    AlarmCode.REKEYED: "Tell the publisher that ids have to stay.",
    AlarmCode.UNCONDITIONAL: "Write the final address of the source.",
    AlarmCode.FUTURE: "If the clock or the time zone is wrong, write timezone beside the source.",
    AlarmCode.PAST: "Nothing, if an archive was added to the feed.",
    AlarmCode.SILENT: "See whether the site has moved; if it always rests for so long, write silent_after.",
}


def id_of(alarm: Alarm, store: str) -> str:
    """Return the id of an alarm, the same at its beginning and its end.

    Args:
        alarm: the alarm.
        store: id of the store, a UUID.
    """
    return uuid5(UUID(store), f"alarm/{alarm.code.value}/{alarm.source or ''}/{alarm.since.timestamp():.0f}").urn


def headline_of(alarm: Alarm, names: Mapping[SourceKey, str]) -> str:
    """Return the title of an alarm in one line."""
    about = f"{alarm.code.value}: {names.get(alarm.source, alarm.source)}" if alarm.source else alarm.code.value
    return f"Over: {about}" if alarm.ended_at is not None else about


def advice_of(alarm: Alarm) -> str:
    """Return what to do about an alarm."""
    return ADVICE[alarm.code].replace("KEY", alarm.source or "")


def lines_of(alarm: Alarm) -> list[str]:
    """Return the sentences below the title of an alarm."""
    over = [f"Over since {alarm.ended_at:%Y-%m-%d %H:%M} UTC."] if alarm.ended_at is not None else []
    begun = f"{'It began' if over else 'Since'} {alarm.since:%Y-%m-%d %H:%M} UTC: {alarm.text or alarm.code.value}."
    return [*over, begun, *([] if over else [advice_of(alarm)])]


def record_of(alarm: Alarm, names: Mapping[SourceKey, str], store: str) -> dict[str, object]:
    """Return an alarm as the webhook gets it."""
    return {
        "id": id_of(alarm, store),
        "event": "begin" if alarm.ended_at is None else "end",
        "code": alarm.code.value,
        "source": alarm.source,
        "title": names.get(alarm.source) if alarm.source else None,
        "since": rfc3339(alarm.since),
        "ended": rfc3339(alarm.ended_at),
        "text": alarm.text,
        "advice": advice_of(alarm),
    }
