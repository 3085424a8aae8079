"""Messages on alarms that a channel (the webhook, or `alarms.notify`) must still send, and how its sending goes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, literal, select, update

from aggregator.model.alarm import Alarm
from aggregator.model.naming import name_of_source
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Settings, SourceKey
from aggregator.store.alarms import alarm_of
from aggregator.store.private_redactor import redactor_of_private
from aggregator.store.schema import Instant, alarm, channel, insert, source
from aggregator.store.transaction import Transaction

WEBHOOK, NOTIFY = "webhook", "notify"
_TOLD = {WEBHOOK: alarm.c.webhook, NOTIFY: alarm.c.notify}
_BEGUN, _OVER = 1, 2  # values of these columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """An alarm whose beginning or end a channel was not told of."""

    number: int  # `alarm.id`
    alarm: Alarm


class Channels:
    """Queries and updates of channels: `tx.channels`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, names: Sequence[str], now: datetime) -> None:
        """Add the channels of feeds.yaml and delete the others; a new channel is told of the alarms that hold."""
        there = set(self._connection.execute(select(channel.c.name)).scalars())
        if there == set(names):
            return
        self._connection.execute(delete(channel).where(channel.c.name.not_in(names)))
        for name in sorted(set(names) - there):
            statement = insert(channel, self._connection.dialect.name).values(name=name, failures=0, due_at=now)
            self._connection.execute(statement.on_conflict_do_nothing())
            column = _TOLD[name]
            self._connection.execute(update(alarm).where(alarm.c.ended_at.is_not(None)).values({column.name: _OVER}))

    def names(self) -> frozenset[str]:
        """Return the names of the channels that the store knows."""
        return frozenset(self._connection.execute(select(channel.c.name)).scalars())

    def untold(self, name: str, now: datetime) -> list[Untold]:
        """Return what a channel must be told, oldest first; nothing while it waits after a failure."""
        column = _TOLD[name]
        waits = select(channel.c.name).where(channel.c.name == name, channel.c.due_at > now)
        query = select(alarm, source.c.key).outerjoin(source, source.c.id == alarm.c.source_id)
        is_new = alarm.c.ended_at.is_(None) & (column == 0)
        is_over = alarm.c.ended_at.is_not(None) & (column < _OVER)
        query = query.where(is_new | is_over, ~waits.exists(), alarm.c.text != "")
        query = query.order_by(func.coalesce(alarm.c.ended_at, alarm.c.since), alarm.c.id)
        rows = self._connection.execute(query).mappings()
        return [Untold(number=row["id"], alarm=alarm_of(row)) for row in rows]

    def note_told(self, name: str, told: Iterable[Untold], now: datetime, *, error: str | None = None) -> None:
        """Record that a channel was told of alarms, or will not be.

        Args:
            name: of the channel.
            told: the alarms.
            now: the time.
            error: why not everybody was told; None: all were.
        """
        column = _TOLD[name]
        rows = [{"of_id": one.number, "now": _OVER if one.alarm.ended_at else _BEGUN} for one in told]
        statement = update(alarm).where(alarm.c.id == bindparam("of_id"))
        self._connection.execute(statement.values({column.name: bindparam("now")}), rows)
        values = {"failures": 0, "due_at": now, "failing_since": self._failing_since(now, error), "error": error}
        self._connection.execute(update(channel).where(channel.c.name == name).values(values))

    def failures(self, name: str) -> int:
        """Return how many attempts of a channel have failed in a row."""
        query = select(channel.c.failures).where(channel.c.name == name)
        return self._connection.execute(query).scalar_one_or_none() or 0

    def note_failure(self, name: str, error: str, now: datetime, *, due_at: datetime) -> None:
        """Record that a channel took no message; the next attempt is at `due_at`."""
        values = {
            "failures": channel.c.failures + 1,
            "due_at": due_at,
            "failing_since": self._failing_since(now, error),
            "error": error,
        }
        self._connection.execute(update(channel).where(channel.c.name == name).values(values))

    def _failing_since(self, now: datetime, error: str | None) -> ColumnElement[datetime] | None:
        return None if error is None else func.coalesce(channel.c.failing_since, literal(now, Instant()))


def names_of_sources(tx: Transaction, settings: Settings, alarms: Iterable[Alarm]) -> dict[SourceKey, str]:
    """Return the names of the sources of alarms, by key; sources that are no longer in feeds.yaml are left out."""
    keys = {one.source for one in alarms if one.source is not None}
    titles = tx.sources.titles(keys) if keys else {}
    return {one.key: name_of_source(one, titles.get(one.key)) for one in settings.sources if one.key in keys}


def redaction_of(tx: Transaction, settings: Settings) -> Callable[[str], str]:
    """Return the function that strikes secrets, and addresses of private sources, out of a text."""
    secrets, private = Redactor.of(settings), redactor_of_private(tx, settings.sources, for_others=True)
    return lambda text: private.text(secrets.text(text))
