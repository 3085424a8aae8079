"""What the hub is owed: a ping for each main document that has changed, whatever becomes of us meanwhile (A86).

A topic has one row, from its first ping on. A ping is owed in the transaction that records the new bytes, so a crash
between publishing and pinging loses none, and what was told already is not told again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, exists, func, literal, select, update

from aggregator.model.status import HubStatus
from aggregator.store.dialect import insert
from aggregator.store.schema import Instant, outbox
from aggregator.urls import Url

_OWED = outbox.c.owed_at.is_not(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """What is to be told now."""

    topic: Url
    digest: str
    owed_at: datetime
    failures: int  # in a row, before this one


class HubPings:
    """What a transaction tells and keeps of pings: `tx.hub_pings`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def owe(self, changed: Mapping[Url, str], now: datetime) -> None:
        """Note that topics have changed; what the hub was told of already, or is to be, is owed no more than once.

        Args:
            changed: topics, each with the digest of its new bytes.
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
        """Return the ping that is due longest; None if none is, or if the hub is in trouble and not to be asked yet."""
        first = outbox.alias()
        waits = exists().where(first.c.owed_at.is_not(None), first.c.held_up, first.c.due_at > now)
        due = select(outbox).where(_OWED, outbox.c.due_at <= now, ~waits)
        row = self._connection.execute(due.order_by(outbox.c.held_up.desc(), outbox.c.due_at, outbox.c.topic)).first()
        if row is None:
            return None
        return Ping(topic=Url(row.topic), digest=row.digest, owed_at=row.owed_at, failures=row.failures)

    def note_told(self, ping: Ping, now: datetime, *, due_at: datetime) -> None:
        """Note that the hub has taken a ping; what changed meanwhile is owed anew, and not before `due_at`."""
        left = case((outbox.c.digest != ping.digest, literal(now, Instant())))
        values = {"owed_at": left, "due_at": due_at, "failures": 0, "held_up": False, "error": None}
        self._connection.execute(update(outbox).where(outbox.c.topic == ping.topic).values(values))

    def note_failure(self, ping: Ping, error: str, *, due_at: datetime, held_up: bool) -> None:
        """Note that the hub did not take a ping.

        Args:
            ping: the ping.
            error: why, for the operator.
            due_at: when it may be told again.
            held_up: that is no fault of this topic: no other is told before it, either.
        """
        values = {"due_at": due_at, "failures": ping.failures + 1, "held_up": held_up, "error": error}
        self._connection.execute(update(outbox).where(outbox.c.topic == ping.topic).values(values))

    def give_up(self, ping: Ping, *, owed_before: datetime, held_up: bool) -> int:
        """Tell no more what is owed for so long: this ping, and if it held up the others, those as well; give how many.

        The next change of a topic is owed again.
        """
        old = outbox.c.owed_at < owed_before
        these = old if held_up else old & (outbox.c.topic == ping.topic)
        free = {"owed_at": None, "failures": 0, "held_up": False}
        return self._connection.execute(update(outbox).where(these).values(free)).rowcount

    def keep(self, topics: Collection[Url]) -> None:
        """Forget all topics but these."""
        there = self._connection.execute(select(outbox.c.topic)).scalars()
        ended = [{"of_topic": topic} for topic in sorted(set(there).difference(topics))]
        if ended:
            self._connection.execute(delete(outbox).where(outbox.c.topic == bindparam("of_topic")), ended)

    def status(self) -> HubStatus | None:
        """Say how the hub takes its pings; None if it never was owed one."""
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
