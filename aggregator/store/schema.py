"""The tables of DESIGN, section 4, and the two column types that keep times and records honest.

The same schema stands on SQLite and PostgreSQL. `migrations/` makes it; a test compares the two.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as whole microseconds since 1970, UTC (R12): SQLite drops offsets in silence."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Give it back aware, UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    """A small record as JSON text: sorted keys, so that equal records are equal texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write it compactly."""
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read it back."""
        return None if value is None else json.loads(value)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only on INTEGER
metadata = MetaData(
    naming_convention={  # SQLite can't drop what has no name
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

store = Table(
    "store",
    metadata,
    Column("id", Id, primary_key=True),  # 1: there is one row
    Column("uuid", Text, nullable=False),  # minted ids and feed ids come from it (A2, A4)
    Column("created_at", Instant, nullable=False),
    Column(
        "next_entry", Id, nullable=False
    ),  # ids are given out here: max(id) + 1 would reuse those of what was deleted
    Column("next_story", Id, nullable=False),
    Column("sketch", Json),  # kind, version and seed of the fingerprints
    Column("dirty", BigInteger, nullable=False),  # generation of index, all.* and the list of sources
    Column("rendered", BigInteger, nullable=False),
    Column("look", Text),  # digest of what shapes those outputs besides the store
    Column("folder", Text),  # where the listed files stand: the absolute path of publish.to
    Column("config", Text),  # the last good feeds.yaml as it was written, `${NAME}` and all (R51)
    Column("config_path", Text),
    Column("config_loaded_at", Instant),
    Column("config_error", Text),  # why a later edit is not in force
)

source = Table(
    "source",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),  # as configured, normalised
    Column("url_in_use", Text, nullable=False),  # the same, or one that was adopted (P40)
    Column("host_key", Text, nullable=False),
    Column("settings_digest", Text, nullable=False),  # of what a change of makes validators worthless (P9)
    Column("active", Boolean, nullable=False),  # stands in feeds.yaml
    Column("paused", Boolean, nullable=False),
    Column("private", Boolean, nullable=False),  # S44; it outlives the source's place in feeds.yaml, like `show`
    Column("show", Text),  # how much of its entries may be published; null: all of it
    Column("created_at", Instant, nullable=False),
    Column("first_stored_at", Instant),  # when its first entries were stored (I62)
    Column("validators_url", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_digest", Text),
    Column("identical", Integer, nullable=False),  # P13
    Column("due_at", Instant, nullable=False),
    Column("earliest_at", Instant, nullable=False),  # when a one-shot run may ask (P52)
    Column("retry_until", Instant),  # a running Retry-After
    Column("attempted_at", Instant),
    Column("claims", Integer, nullable=False),  # without an outcome, in a row (R13)
    Column("polls", BigInteger, nullable=False),
    Column("interval", BigInteger, nullable=False),  # microseconds, as last computed
    Column("cadence", Json),  # the inputs of that decision, for `why` (P67)
    Column("succeeded_at", Instant),
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since", Instant),
    Column("state", Text, nullable=False),
    Column("status", Integer),
    Column("code", Text),
    Column("error", Text),
    Column("hints", Json),  # of the last document that was read: ttl, syndication, skip
    Column("retried", Boolean, nullable=False),  # the last answer carried a Retry-After (P56)
    Column("observations", Json),  # of permanent redirects (P40) and of 410s (P29)
    Column("feed", Json),  # what the feed says of itself: an Origin
    Column("format", Text),
    Column("encoding", Text),
    Column("notices", Json),
    Column("recent", Json),  # the last 20 polls (P93)
    Index(None, "active", "due_at"),
)

entry = Table(
    "entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("key_hash", Text, nullable=False),  # of the key without its http or https (I32)
    Column("key", Text, nullable=False),
    Column("key_rule", Text, nullable=False),
    Column("own_id", Text),  # the source's id, as written
    Column("id_hash", Text),  # of a globally unique id, for other sources
    Column("digest", Text, nullable=False),  # of the newest revision
    Column("text_digest", Text),
    Column("match_link", Text),  # the link as other sources' are compared with it
    Column("title", Text, nullable=False),
    Column("link", Text),
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("authors", Json),
    Column("tags", Json),
    Column("enclosures", Json),
    Column("rights", Text),
    Column("language", Text),
    Column("published", Instant),
    Column("updated", Instant),
    Column("first_seen", Instant, nullable=False),
    Column("changed_at", Instant),  # when its newest revision came
    Column("revisions", Integer, nullable=False),
    Column("undated", Integer, nullable=False),  # revisions that the source did not date (T4)
    Column("unpublished", Json),  # a newer revision that is stored but not shown (T4); the columns hold what is shown
    Column("state", Text, nullable=False),  # published, waiting, rejected, known, withdrawn
    Column("due_at", Instant),  # of an entry that waits for more
    Column("story_id", ForeignKey("story.id")),
    Column("joined_at", Instant),
    Column("categories", Json, nullable=False),  # ids of those where its own source publishes it (T2)
    Column("origin", Json),  # the `atom:source` as it was when the entry was stored or revised (A9)
    UniqueConstraint("source_id", "key_hash"),  # R10: whatever runs twice, an entry is stored once
    Index(None, "story_id"),
    Index(None, "id_hash"),
    Index(None, "text_digest"),
    Index(None, "match_link"),
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("band", BigInteger, nullable=False),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("seen_at", Instant, nullable=False),
    PrimaryKeyConstraint("band", "entry_id"),
    sqlite_with_rowid=False,
)

alias = Table(
    "alias",
    metadata,
    Column("kind", Text, nullable=False),  # entry, story
    Column("value_hash", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("source_id", Id, nullable=False),  # 0 for a story's
    Column("target_id", Id, nullable=False),
    PrimaryKeyConstraint("kind", "source_id", "value_hash"),
)

story = Table(
    "story",
    metadata,
    Column("id", Id, primary_key=True),
    Column("atom_id", Text, nullable=False, unique=True),
    Column("page_id", Text, nullable=False, unique=True),
    Column("founder_id", Id, nullable=False),  # the founding entry (T1)
    Column("created_at", Instant, nullable=False),
)

category = Table(
    "category",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("feed_id", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False),  # stands in feeds.yaml
    Column("pages", Integer, nullable=False),  # archive pages so far
    Column("dirty", BigInteger, nullable=False),  # generation, raised by each change (invariant 6)
    Column("rendered", BigInteger, nullable=False),  # the generation that stands in the files
    Column("dirty_pages", Json, nullable=False),  # archive page to render again: the generation that made it so
    Column("rendered_at", Instant),
    Column("look", Text),  # digest of what shapes its outputs besides the store
)

publication = Table(
    "publication",
    metadata,
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("sort_at", Instant, nullable=False),  # M1
    Column("backfill", Boolean, nullable=False),  # came by a backfill and is not yet filed (M4)
    Column("shown_id", ForeignKey("entry.id"), nullable=False),
    Column("digest", Text, nullable=False),  # of what is shown
    Column("updated", Instant, nullable=False),  # T4
    Column("page", Integer),  # null: main document
    Column("filed_at", Instant),
    Column("withdrawn_at", Instant),
    PrimaryKeyConstraint("story_id", "category_id"),
    Index(None, "category_id", "page", "sort_at"),
    Index(None, "sort_at"),
    Index(None, "shown_id"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("entry_id", Id, nullable=False),
    Column("other_id", Id, nullable=False),  # entry_id < other_id
    Column("verdict", Text, nullable=False),  # same, different
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("entry_id", "other_id"),
)

request = Table(
    "request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("command", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("done_at", Instant),
    Column("outcome", Text),
)

file = Table(
    "file",
    metadata,
    Column("path", Text, primary_key=True),  # below publish.to, without .gz
    Column("listed_at", Instant, nullable=False),
    Column("digest", Text),  # of what stands there; null: listed, not yet written
    Column("written_at", Instant),
    Column("max_age", Integer, nullable=False),  # seconds (A75)
)

poll_day = Table(
    "poll_day",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("day", Integer, nullable=False),  # since 1970, UTC
    Column("polls", Integer, nullable=False),
    Column("not_modified", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    PrimaryKeyConstraint("source_id", "day"),
    sqlite_with_rowid=False,
)

body = Table(
    "body",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("headers", Json, nullable=False),
    Column("digest", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index(None, "source_id", "fetched_at"),
)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("code", Text, nullable=False),  # of model.event.Code
    Column("source_id", Id),
    Column("entry_id", Id),
    Column("story_id", Id),
    Column("category_id", Id),
    Column("facts", Json),
    Index(None, "source_id", "at"),
    Index(None, "entry_id"),
    Index(None, "story_id"),
    Index(None, "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", Instant),
    Index(None, "done_at", "due_at"),
)

hub_subscription = Table(
    "hub_subscription",
    metadata,
    Column("id", Id, primary_key=True),
    Column("role", Text, nullable=False),  # subscriber, hub
    Column("topic", Text, nullable=False),
    Column("hub", Text),
    Column("callback", Text, nullable=False, unique=True),
    Column("secret", Text),
    Column("state", Text, nullable=False),
    Column("lease_until", Instant),
    Column("source_id", ForeignKey("source.id")),
)
