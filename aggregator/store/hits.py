"""How often each rule had a say, and when last: `status` and `why` tell it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from aggregator.model.changes import Hit
from aggregator.model.settings import SourceKey
from aggregator.model.status import RuleHits
from aggregator.store.dialect import insert
from aggregator.store.schema import rule_hit, source


def write_hits(connection: Connection, source_id: int, hits: Sequence[tuple[Hit, int]], now: datetime) -> None:
    """Add to the counts of rules, in one statement."""
    if not hits:
        return
    statement = insert(rule_hit, connection.dialect.name)
    statement = statement.on_conflict_do_update(
        index_elements=["source_id", "place", "rule"],
        set_={"hits": rule_hit.c.hits + statement.excluded.hits, "last_at": statement.excluded.last_at},
    )
    rows = [
        {"source_id": source_id, "place": hit.place, "rule": hit.rule, "hits": count, "last_at": now}
        for hit, count in hits
    ]
    connection.execute(statement, rows)


def rule_hits(connection: Connection) -> list[RuleHits]:
    """Give the counts of all rules that ever matched anything, of sources that stand in feeds.yaml."""
    query = select(source.c.key, rule_hit.c.place, rule_hit.c.rule, rule_hit.c.hits, rule_hit.c.last_at)
    query = query.join(source, source.c.id == rule_hit.c.source_id).where(source.c.active)
    rows = connection.execute(query.order_by(source.c.key, rule_hit.c.place, rule_hit.c.rule)).all()
    return [RuleHits(SourceKey(key), place, rule, count, last_at) for key, place, rule, count, last_at in rows]
