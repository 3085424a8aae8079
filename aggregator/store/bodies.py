"""The last bodies of a source that changed something, deflated: for `replay` after a fix of a rule or of the parser.

Of two bodies in a row that say the same about every entry only the first is of use, and many feeds write a new date of
their own at every poll: so a body is kept in the transaction in which an entry was stored or changed, and in no other.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, delete, func, select, type_coerce

from aggregator.model.poll import PackedBody
from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import EPOCH, MICROSECOND, body, source

KEPT = 3  # bodies of one source, the newest
DEFLATE = "deflate"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """A document as it came, less secrets (S44)."""

    asked_at: datetime
    headers: dict[str, str]  # names in lower case
    data: bytes


def keep_body(connection: Connection, number: int, packed: PackedBody, asked_at: datetime) -> None:
    """Keep the body of a source; those of which there are too many then are dropped by `trim_bodies`."""
    row = {"source_id": number, "fetched_at": asked_at, "headers": dict(packed.headers), "digest": packed.digest}
    connection.execute(body.insert().values(row | {"codec": DEFLATE, "data": packed.data}))


def trim_bodies(connection: Connection, now: datetime) -> int:
    """Drop all but the newest bodies of each source, and what is older than it keeps texts; give how many were dropped.

    The last body of a source that is still polled stays: what it says, the source lists (K2).
    """
    place = func.row_number().over(partition_by=body.c.source_id, order_by=body.c.id.desc()).label("place")
    placed = select(body.c.id, body.c.source_id, body.c.fetched_at, place).subquery()
    until = type_coerce(placed.c.fetched_at, BigInteger) + source.c.keep
    is_over = (until <= (now - EPOCH) // MICROSECOND) & ((placed.c.place > 1) | ~source.c.active)
    query = select(placed.c.id).join(source, source.c.id == placed.c.source_id)
    over = list(connection.execute(query.where((placed.c.place > KEPT) | is_over)).scalars())
    for start in range(0, len(over), MAX_IN):
        connection.execute(delete(body).where(body.c.id.in_(over[start : start + MAX_IN])))
    return len(over)


def bodies_of(connection: Connection, key: str) -> list[StoredBody]:
    """Give the bodies that are kept of a source, the oldest first."""
    query = select(body).join(source, source.c.id == body.c.source_id).where(source.c.key == key).order_by(body.c.id)
    return [
        StoredBody(asked_at=row.fetched_at, headers=row.headers, data=zlib.decompress(row.data))
        for row in connection.execute(query).all()
        if row.codec == DEFLATE
    ]
