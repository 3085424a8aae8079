"""Pings that the hub must still get: one for each main document that has changed (A86).

A topic is the public address of a main document; it has one row, from its first ping on. A ping becomes owed in the
transaction that records the new bytes. So a crash between publishing and pinging loses no ping, and a change of which
the hub was told is not sent again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, exists, func, literal, select, update

from aggregator.model.status import HubStatus
from aggregator.store.schema import Instant, insert, outbox
from aggregator.urls import Url

_OWED = outbox.c.owed_at.is_not(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A ping that must be sent now."""

    topic: Url
    digest: str  # of the new bytes of the topic
    owed_at: datetime  # time of the first change that is not sent yet
    failures: int  # failed attempts in a row so far


class HubPings:
    """Queries and updates of the pings that the hub must still get: `tx.hub_pings`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def owe(self, changed: Mapping[Url, str], now: datetime) -> None:
        """Record that topics have changed, so that a ping is owed for each.

        A topic whose stored digest is the same is skipped: the hub knows of these bytes, or its ping is owed already.

        Args:
            changed: digest of the new bytes, by topic.
            now: the time.
        """
        fresh = {"owed_at": now, "due_at": now, "failures": 0, "held_up": False}
        rows = [{"topic": topic, "digest": digest} | fresh for topic, digest in sorted(changed.items())]
        if rows:
            statement = insert(outbox, self._connection.dialect.name)
            new = statement.excluded
            values = {"digest": new.digest, "owed_at": func.coalesce(outbox.c.owed_at, new.owed_at)}
            others = outbox.c.digest != new.digest
            owing = statement.on_conflict_do_update(index_elements=["topic"], set_=values, where=others)
            self._connection.execute(owing, rows)

    def next(self, now: datetime) -> Ping | None:
        """Return the ping that has been due longest; None if no ping is due, or if the hub is in trouble and must wait.

        A ping that is held up by trouble of the hub comes first: its attempt probes the hub.
        """
        first = outbox.alias()
        waits = exists().where(first.c.owed_at.is_not(None), first.c.held_up, first.c.due_at > now)
        due = select(outbox).where(_OWED, outbox.c.due_at <= now, ~waits)
        row = self._connection.execute(due.order_by(outbox.c.held_up.desc(), outbox.c.due_at, outbox.c.topic)).first()
        if row is None:
            return None
        return Ping(topic=Url(row.topic), digest=row.digest, owed_at=row.owed_at, failures=row.failures)

    def note_told(self, ping: Ping, now: datetime, *, due_at: datetime) -> None:
        """Record that the hub accepted a ping; if the topic changed since, a new ping is owed, due at `due_at`."""
        left = case((outbox.c.digest != ping.digest, literal(now, Instant())))
        values = {"owed_at": left, "due_at": due_at, "failures": 0, "held_up": False, "error": None}
        self._connection.execute(update(outbox).where(outbox.c.topic == ping.topic).values(values))

    def note_failure(self, ping: Ping, error: str, *, due_at: datetime, held_up: bool) -> None:
        """Record that the hub did not accept a ping.

        Args:
            ping: the ping.
            error: the reason, for the operator.
            due_at: time of the next attempt.
            held_up: the hub itself is in trouble, not this topic: no other ping is sent before the next attempt.
        """
        values = {"due_at": due_at, "failures": ping.failures + 1, "held_up": held_up, "error": error}
        self._connection.execute(update(outbox).where(outbox.c.topic == ping.topic).values(values))

    def give_up(self, ping: Ping, *, owed_before: datetime, held_up: bool) -> int:
        """Drop a ping that was owed before `owed_before`; if it held up all topics, drop all such pings.

        The next change of a topic is owed again.

        Returns:
            The number of dropped pings.
        """
        old = outbox.c.owed_at < owed_before
        these = old if held_up else old & (outbox.c.topic == ping.topic)
        free = {"owed_at": None, "failures": 0, "held_up": False}
        return self._connection.execute(update(outbox).where(these).values(free)).rowcount

    def keep(self, topics: Collection[Url]) -> None:
        """Delete the rows of all topics except these."""
        there = self._connection.execute(select(outbox.c.topic)).scalars()
        ended = [{"of_topic": topic} for topic in sorted(set(there).difference(topics))]
        if ended:
            self._connection.execute(delete(outbox).where(outbox.c.topic == bindparam("of_topic")), ended)

    def status(self) -> HubStatus | None:
        """Return how many pings are owed and failing; None if no topic has ever changed."""
        row = self._connection.execute(
            select(
                func.count(outbox.c.topic).label("topics"),
                func.count(outbox.c.owed_at).label("owed"),
                func.min(case((outbox.c.failures > 0, outbox.c.owed_at))).label("failing_since"),
                func.max(outbox.c.failures).label("failures"),
            )
        ).one()
        if not row.topics:
            return None
        worst = select(outbox.c.error).where(outbox.c.failures > 0).order_by(outbox.c.failures.desc()).limit(1)
        return HubStatus(
            topics=row.topics,
            owed=row.owed,
            failures=row.failures,
            failing_since=row.failing_since,
            error=self._connection.execute(worst).scalar_one_or_none(),
        )
