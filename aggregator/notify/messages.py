"""Sends what the operator must be told of alarms: each beginning and each end once, or once a day all together.

An alarm that began and ended before it could be told is told once, as over. A message that is not accepted stays due
and is sent again, with growing waits; after a week it is dropped.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from logging import INFO, WARNING, getLogger
from typing import Any, Final
from zoneinfo import ZoneInfo

from aggregator.app import App
from aggregator.model.alarm import Alarm
from aggregator.model.ask import Ask
from aggregator.model.hosts import budget_key
from aggregator.model.poll import Cut, Failed
from aggregator.model.settings import Request, Secret, Settings, SourceKey
from aggregator.notify.hours import told_until
from aggregator.render.alarm_words import headline_of, lines_of, record_of
from aggregator.store.channels import NOTIFY, WEBHOOK, names_of_sources, redaction_of
from aggregator.urls import Url

log = getLogger(__name__)

FIRST_PAUSE: Final = timedelta(minutes=1)  # after a failure; each further failure doubles it
MAX_PAUSE: Final = timedelta(hours=2)
MAX_AGE: Final = timedelta(days=7)  # of a change that could not be told

Redact = Callable[[str], str]


class _Refused(Exception):
    """The channel did not take a message; the text says why."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class _Stopped(Exception):
    """The program ends."""


def send_messages(app: App, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Send the messages that are due now.

    Args:
        app: the opened application.
        should_stop: called before each message; when it returns True, the remaining messages stay due.

    Raises:
        StoreError: the store failed. At worst one message is sent twice.
    """
    settings, now = app.in_force.settings, app.clock()
    alarming = settings.alarms
    wanted = [WEBHOOK] * (alarming.webhook is not None) + [NOTIFY] * bool(alarming.notify)
    with app.store.read() as tx:
        known = tx.channels.names()
    if known != set(wanted):
        with app.store.begin() as tx:
            tx.channels.keep(wanted, now)
    until = told_until(alarming, ZoneInfo(settings.site.timezone), now) if wanted else None
    for name in wanted if until is not None else ():
        assert until is not None
        _serve(name, app, settings, until, should_stop)


def _serve(name: str, app: App, settings: Settings, until: datetime, should_stop: Callable[[], bool]) -> None:
    """Send what one channel must be told of changes up to `until`."""
    now = app.clock()
    with app.store.read() as tx:
        untold = [one for one in tx.channels.untold(name, now) if changed_at(one.alarm) <= until]
        if not untold:
            return
        names = names_of_sources(tx, settings, [one.alarm for one in untold])
        redact, store = redaction_of(tx, settings), str(tx.store_row.uuid())
        failures = tx.channels.failures(name)
    old = [one for one in untold if now - changed_at(one.alarm) > MAX_AGE]
    if old:
        log.warning("drop_messages", extra={"channel": name, "alarms": len(old)})
        with app.store.begin() as tx:
            tx.channels.note_told(name, old, now, error="messages of a week ago were dropped")
    left = untold[len(old) :]
    # A webhook is read by programs: one alarm in each message. People get one message on all that waits.
    apart = name == WEBHOOK and settings.alarms.digest is None
    for group in [[one] for one in left] if apart else [left] * bool(left):
        if should_stop():
            return
        alarms = [one.alarm for one in group]
        try:
            if name == WEBHOOK:
                _post(app, settings, alarms, names, store, redact)
                error = None
            else:
                error = _notify(settings, alarms, names, redact)
        except _Stopped:
            return
        except _Refused as refused:
            pause = max(pause_after(failures + 1), refused.retry_after or FIRST_PAUSE)
            facts = {"channel": name, "error": redact(str(refused)), "pause": round(pause.total_seconds())}
            log.log(INFO if failures else WARNING, "fail_message", extra=facts)  # only the first failure is a warning
            with app.store.begin() as tx:
                tx.channels.note_failure(name, redact(str(refused)), app.clock(), due_at=app.clock() + pause)
            return
        with app.store.begin() as tx:
            tx.channels.note_told(name, group, app.clock(), error=error)
        log.info("send_message", extra={"channel": name, "alarms": len(group)})


def pause_after(failures: int) -> timedelta:
    """Return the pause after `failures` failures in a row (1 or more)."""
    return min(FIRST_PAUSE * (1 << min(failures, 12) - 1), MAX_PAUSE)


def changed_at(alarm: Alarm) -> datetime:
    """Return when an alarm ended, or began if it holds."""
    return alarm.ended_at or alarm.since


def subject_of(alarms: Sequence[Alarm], names: dict[SourceKey, str], settings: Settings) -> str:
    """Return the subject of a message: the alarm, or how many there are."""
    if len(alarms) == 1:
        return f"{settings.site.title}: {headline_of(alarms[0], names)}"
    begun = sum(alarm.ended_at is None for alarm in alarms)
    counts = [f"{begun} new"] * bool(begun) + [f"{len(alarms) - begun} over"] * (begun < len(alarms))
    return f"{settings.site.title}: alarms, {', '.join(counts)}"


def text_of(alarms: Sequence[Alarm], names: dict[SourceKey, str]) -> str:
    """Return the text of a message."""
    return "\n\n".join("\n".join([headline_of(alarm, names), *lines_of(alarm)]) for alarm in alarms)


def _post(
    app: App, settings: Settings, alarms: Sequence[Alarm], names: dict[SourceKey, str], store: str, redact: Redact
) -> None:
    """Send a POST to the webhook.

    Raises:
        _Refused: the webhook did not take it.
        _Stopped: the program ends, or the limits of the host allow no request now.
    """
    record = {
        "version": 1,
        "planet": settings.site.title,
        "url": settings.site.base_url,
        "text": redact(f"{subject_of(alarms, names, settings)}\n\n{text_of(alarms, names)}"),
        "alarms": [_struck(record_of(alarm, names, store), redact) for alarm in alarms],
    }
    url = Url(str.__str__(settings.alarms.webhook or ""))
    ask = Ask(
        url=url,
        configured=url,
        host_key=budget_key(url, settings.hosts),
        request=Request(
            method="POST", body=Secret(json.dumps(record, ensure_ascii=False)), is_json=True, is_notice=True
        ),
        accept="*/*",
        is_further=True,  # no dispatcher reserved the host's budget: the client waits for the budget (P61)
    )
    answer = app.poller.ports.fetch(ask)
    if isinstance(answer, Cut):
        raise _Stopped
    if isinstance(answer, Failed):
        raise _Refused(f"{answer.code}: {answer.text}", answer.hints.retry_after)


def _struck(record: dict[str, object], redact: Redact) -> dict[str, object]:
    return {name: redact(value) if isinstance(value, str) and name != "id" else value for name, value in record.items()}


def _notify(settings: Settings, alarms: Sequence[Alarm], names: dict[SourceKey, str], redact: Redact) -> str | None:
    """Send one message to each address of `alarms.notify`; return why some of them did not take it.

    Raises:
        _Refused: no address took it. If one did, the message is not sent again: it would come twice.
    """
    apprise: Any = import_module("apprise")  # late: the import takes 0.5 s, and the extra may be missing
    subject, text = redact(subject_of(alarms, names, settings)), redact(text_of(alarms, names))
    faults = []
    for number, address in enumerate(settings.alarms.notify, start=1):
        with apprise.LogCapture(level=INFO) as captured:
            sender = apprise.Apprise()
            is_sent = sender.add(str.__str__(address)) and sender.notify(title=subject, body=text)
            said = captured.getvalue().strip().splitlines()
        if not is_sent:
            faults.append(f"address {number} of alarms.notify: {said[-1] if said else 'is not one that Apprise knows'}")
    if len(faults) == len(settings.alarms.notify):
        raise _Refused("; ".join(faults))
    return redact("; ".join(faults)) or None
