"""The tables, and the two column types that keep times and records honest.

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
    text,
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


_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Json(TypeDecorator[Any]):
    """A small record as JSON text: sorted keys, so that equal records are equal texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write it compactly."""
        return None if value is None else _COMPACT.encode(value)

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
    Column("restored_at", Instant),  # when it was made from what was published; null: it was not (K2)
    Column(
        "next_entry", Id, nullable=False
    ),  # ids are given out here: max(id) + 1 would reuse those of what was deleted
    Column("next_story", Id, nullable=False),
    Column("dirty", BigInteger, nullable=False),  # generation of index, all.* and the list of sources
    Column("rendered", BigInteger, nullable=False),
    Column("news", BigInteger, nullable=False, server_default=text("0")),  # generation of the last change of feeds that
    Column("look", Text),  # is more than a backfill (I62); digest of what shapes those outputs besides the store
    Column("offered_at", Instant),  # all.* may have been read with what stood in the store then (T6); null: never
    Column("stories_look", Text),  # the same of the pages of all stories
    Column("gone_stale", Boolean, nullable=False),  # gone.txt says something that is no longer so
    Column("folder", Text),  # where the listed files stand: the absolute path of publish.to
    Column("adopts", Boolean, nullable=False),  # restored: outputs that stand there and bear our mark are to be listed
    Column("posts_rendered", BigInteger, nullable=False, server_default=text("0")),  # generation: stories touched later
    Column("posts_look", Text),  # are not exported yet; digest of what shapes posts besides the store
    Column("posts_names", Text),  # the template of their names
    Column("config", Text),  # the last good feeds.yaml as it was written, `${NAME}` and all (R51)
    Column("config_path", Text),
    Column("opened", Json),  # entries of `hosts` with `allow_private`, as feeds.yaml said last
    Column("config_loaded_at", Instant),
    Column("config_error", Text),  # why a later edit is not in force
    Column("output_error", Text),  # which files could not be written at the last publication, and why
    Column("network_down_since", Instant),  # null: it is not, or nobody looks (P87)
    Column("own_down_since", Instant),  # the same of the operator's own machines
    Column("served_at", Instant),  # when `serve` was seen last; null: long ago, or never
    Column("runs", Json),  # when the last runs of `poll` began, in seconds since 1970; null: `serve` was run since
    Column("run_gap", BigInteger),  # microseconds: how long a source may wait for the next run; null: for none
    Column("thinned_at", Instant),  # when all archives had been looked through for what `keep` ends (K3); null: never
    Column("thin_after", Json),  # how far that has come: [category, page], or null
    Column("bands_walk", Json),  # how far a look for bands of texts that are gone has come: [band, entry, generation in
    Column("bands_walked", Json),  # which it began, bands that stay], or null; of the last one: [generation, bands]
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
    Column("own_machine", Boolean, nullable=False),  # the operator's: asked although the world is out of reach (P87)
    Column("private", Boolean, nullable=False),  # S44; it outlives the source's place in feeds.yaml, like `show`
    Column("show", Text),  # how much of its entries may be published; null: all of it
    Column("noindex", Boolean, nullable=False),  # search engines are asked to leave its entries out; it outlives, too
    Column("keep", BigInteger),  # microseconds, as feeds.yaml said last; null: forever (K2)
    Column("stories_look", Text),  # digest of what the settings say of it, in the pages of its stories; null: nothing
    Column("priority", Integer, nullable=False),  # as feeds.yaml said last: a change chooses shown copies anew (T3)
    Column("places", Json),  # ids of the categories that feeds.yaml has it in (N2); null: it was never there before
    Column("created_at", Instant, nullable=False),
    Column("first_stored_at", Instant),  # when its first entries were stored (I62)
    Column("entries", BigInteger, nullable=False, server_default=text("0")),  # of it in the store
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
    Column("observations", Json),  # an Observed: redirects (P40), 410s (P29), and what else answers show over time
    Column("arrivals", Json),  # when its last 30 entries came, in seconds since 1970 (P62)
    Column("feed", Json),  # what the feed says of itself: an Origin
    Column("identity", Json),  # an Identity: by which the next document is known to be of the same feed (R44)
    Column("listed", Json),  # ids of the entries that its last document with any listed (I35)
    Column("format", Text),
    Column("encoding", Text),
    Column("notices", Json),
    Column("recent", Text),  # the last 20 polls, a line each (P93)
    # Who is due, whose (P87), how late they are (R19) and how they stand, without a look at the rows: 8 ms instead of
    # 76 for 10,000.
    Index("ix_source_due", "active", "due_at", "paused", "own_machine", "interval", "state"),
    Index(None, "url_in_use"),
)

UNPUBLISHED = text("story_id IS NULL AND thinned IS NULL AND state IN ('known', 'rejected')")
_THINNED = text("thinned IS NOT NULL")

entry = Table(
    "entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("thinned", BigInteger),  # the store's generation when its texts left (K2); ahead of them: read without them
    Column("key_hash", Text, nullable=False),  # of the key without its http or https (I32)
    Column("key", Text, nullable=False),
    Column("key_rule", Text, nullable=False),
    Column("own_id", Text),  # the source's id, as written
    Column("id_hash", Text),  # of a globally unique id, for other sources
    Column("digest", Text, nullable=False),  # of the newest revision
    Column("shown_digest", Text),  # of what is kept here, where that is an earlier one (T4, I61)
    Column("text_digest", Text),
    Column("match_link", Text),  # the link as other sources' are compared with it
    Column("title", Text, nullable=False),
    Column("link", Text),
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("authors", Json),
    Column("tags", Json),
    Column("enclosures", Json),
    Column("supplement", Json),
    Column("rights", Text),
    Column("language", Text),
    Column("published", Instant),
    Column("updated", Instant),
    Column("first_seen", Instant, nullable=False),
    Column("changed_at", Instant),  # when its newest revision came
    Column("revisions", Integer, nullable=False),
    Column("undated", Integer, nullable=False),  # revisions that the source did not date (T4)
    Column("unpublished", Json),  # a newer revision that is stored but not shown (T4); the columns hold what is shown
    Column("state", Text, nullable=False),  # of model.known.EntryState
    Column("story_id", ForeignKey("story.id")),
    Column("joined_at", Instant),
    Column("taken_back_at", Instant),  # as its tombstone says: of a later `updated` it returns (I26)
    Column("merged_from", Id),  # the story it told until an operator merged that one into this (T7)
    Column("categories", Json, nullable=False),  # ids of those where its own source publishes it (T2)
    Column("filed", Json),  # keys of categories that it names itself
    Column("refused", Json),  # ids of categories of its source that a rule keeps it out of; null: none
    Column("limited", Json),  # ids of categories that had enough from the poll that brought it; null: none
    Column("original", Json),  # what the source said, as far as `rewrite` changed it, and by which steps; null: nothing
    Column("origin", Json),  # the `atom:source` as it was when the entry was stored or revised (A9)
    UniqueConstraint("source_id", "key_hash"),  # R10: whatever runs twice, an entry is stored once
    Index(None, "story_id"),
    Index(None, "id_hash"),
    Index(None, "text_digest"),
    Index(None, "match_link"),
    Index("ix_entry_thinned", "thinned", sqlite_where=_THINNED, postgresql_where=_THINNED),
    Index("ix_entry_unpublished", "first_seen", sqlite_where=UNPUBLISHED, postgresql_where=UNPUBLISHED),
)

revision = Table(
    "revision",
    metadata,
    Column("id", Id, primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("replaced_at", Instant, nullable=False),  # until then a reader could see this
    Column("data", LargeBinary, nullable=False),  # JSON of what was seen, deflated: the columns that `digest` is of
    Index(None, "entry_id"),
)

detail = Table(
    "detail",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True, autoincrement=False),  # of an entry that waits for it
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("asked", Json, nullable=False),  # [path, value] for the request
    Column("host_key", Text, nullable=False),  # that it goes to
    Column("since", Instant, nullable=False),
    Column("date", Instant, nullable=False),  # its own, for ordering (M1)
    Column("backfill", Boolean, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claims", Integer, nullable=False),  # without an outcome, in a row (R13)
    Column("failures", Integer, nullable=False),  # in a row, of it or of its host
    Column("held_up", Boolean, nullable=False),  # its host is in trouble: all that wait for it wait together
    Column("code", Text),
    Column("error", Text),
    Index(None, "due_at"),
    Index(None, "source_id", "host_key"),
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("band", BigInteger, nullable=False),
    Column(
        "entry_id", Id, nullable=False
    ),  # no foreign key: it has no index, and all would be read to rewrite an entry
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

_MERGED = text("merged_into IS NOT NULL")  # few, of all stories
_DIRTY = text("dirty IS NOT NULL")

story = Table(
    "story",
    metadata,
    Column("id", Id, primary_key=True),
    Column("atom_id", Text, nullable=False, unique=True),
    Column("page_id", Text, nullable=False, unique=True),
    Column("founder_id", Id, nullable=False),  # the founding entry (T1)
    Column("created_at", Instant, nullable=False),
    Column("merged_into", Id),  # its atom_id is an alias of that story's now (T7)
    Column("retracted_at", Instant),  # by an operator
    Column("touched", BigInteger, nullable=False, server_default=text("0")),  # store.dirty at its last change
    Column("dirty", Integer),  # its page must be made: 1, before any feed leads there; 2, in time; null: it stands
    Index(None, "touched"),
    Index("ix_story_dirty", "dirty", "id", sqlite_where=_DIRTY, postgresql_where=_DIRTY),
    Index("ix_story_merged", "merged_into", sqlite_where=_MERGED, postgresql_where=_MERGED),
)

category = Table(
    "category",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("feed_id", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False),  # stands in feeds.yaml, or items of a source there name it
    Column("source_id", Id),  # whose item named it first; null: feeds.yaml did
    Column("unlisted", Boolean, nullable=False),  # as feeds.yaml said last; it holds also once the category is gone
    Column("title", Text, nullable=False),  # the same
    Column("show", Text, nullable=False),  # the same
    Column("removed_at", Instant),  # when it left feeds.yaml
    Column("pages", Integer, nullable=False),  # archive pages so far
    Column("dirty", BigInteger, nullable=False),  # generation, raised by each change (invariant 6)
    Column("rendered", BigInteger, nullable=False),  # the generation that stands in the files
    Column("news", BigInteger, nullable=False, server_default=text("0")),  # of the last change beyond a backfill (I62)
    Column("dirty_pages", Json, nullable=False),  # archive page to render again: the generation that made it so
    Column("offered_at", Instant),  # its files may have been read with what stood in the store then (T6); null: never
    Column("rendered_at", Instant),
    Column("look", Text),  # digest of what shapes its outputs besides the store
    Column("stories_look", Text),  # digest of what the pages of its stories show of it
    Column("rank", Integer),  # its place in the order of feeds.yaml, as those pages know it (N4)
)

_GONE = text("gone IS NOT NULL")  # few, of all that was ever written
_STANDING = text("withdrawn_at IS NULL")
_TOMBSTONE = text("withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL")  # few, of all that was ever published
_HOT = text("cooled_at IS NULL")
_UNFINISHED = text("digest IS NULL OR fault IS NOT NULL")
_WHOLE = text("page IS NOT NULL AND thinned_at IS NULL")
_PAGELESS = text("page IS NULL AND withdrawn_at IS NOT NULL AND thinned_at IS NULL")

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
    Column("tombstone_ended_at", Instant),  # null, though withdrawn: the main document still says so (M8)
    Column("thinned_at", Instant),  # since when its archive page shows no text of it (K3)
    Column("cooled_at", Instant),  # since when its post stands in the archive (`publish.jekyll.hot`)
    PrimaryKeyConstraint("story_id", "category_id"),
    Index(None, "category_id", "page", "sort_at"),
    Index(  # the newest of a category, in whatever documents they stand; and how many stand, without a look at the rows
        "ix_publication_standing",
        "category_id",
        "sort_at",
        "entered_at",
        "withdrawn_at",  # always null, but without it SQLite looks at each row
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    ),
    Index(None, "sort_at"),
    Index(None, "shown_id"),
    Index("ix_publication_hot", "sort_at", sqlite_where=_HOT, postgresql_where=_HOT),
    Index(
        "ix_publication_tombstone", "category_id", "withdrawn_at", sqlite_where=_TOMBSTONE, postgresql_where=_TOMBSTONE
    ),
    Index("ix_publication_whole", "category_id", "page", sqlite_where=_WHOLE, postgresql_where=_WHOLE),
    Index("ix_publication_pageless", "entered_at", sqlite_where=_PAGELESS, postgresql_where=_PAGELESS),
)

document = Table(
    "document",
    metadata,
    Column("category_id", Id, nullable=False),  # 0: all.*
    Column("page", Integer, nullable=False),  # 0: the main document
    Column("updated", Instant, nullable=False),  # the latest that it has said: it never goes back (A7)
    PrimaryKeyConstraint("category_id", "page"),
)

page_wording = Table(
    "page_wording",
    metadata,
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("entry_id", Id, nullable=False),  # no foreign key, as in `fingerprint`
    Column("data", LargeBinary, nullable=False),  # JSON of what the archive page shows of the entry, deflated (M7)
    PrimaryKeyConstraint("category_id", "story_id", "entry_id"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("entry_id", Id, nullable=False),
    Column("other_id", Id, nullable=False),  # entry_id < other_id
    Column("verdict", Text, nullable=False),  # same, different
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("entry_id", "other_id"),
    Index(None, "other_id"),
)

request = Table(
    "request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("command", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("done_at", Instant),
    Column("outcome", Json),  # an Outcome of model.correction
    Index(None, "done_at"),
)

file = Table(
    "file",
    metadata,
    Column("path", Text, primary_key=True),  # below publish.to, without .gz
    Column("listed_at", Instant, nullable=False),
    Column("digest", Text),  # of what stands there; null: listed, not yet written
    Column("written_at", Instant),
    Column("max_age", Integer, nullable=False),  # seconds (A75)
    Column("copied", Boolean, nullable=False, default=False),  # `publish.aliases` or `publish.static`; else rendered
    Column("gone", Integer),  # what its address answers since it is no longer published: 410 (A42, A44)
    Index("ix_file_gone", "path", sqlite_where=_GONE, postgresql_where=_GONE),
    Index("ix_file_copied", "path", sqlite_where=text("copied = 1"), postgresql_where=text("copied")),
)

post = Table(
    "post",
    metadata,
    Column("folder", Text, nullable=False),  # relative to that of feeds.yaml: state and site may move together
    Column("name", Text, nullable=False),  # below it
    Column("form", Text, nullable=False),  # in lower case: disks may not tell case apart
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("digest", Text),  # of what stands there; null: listed, not yet written
    Column("fault", Text),  # why it is not what it should be; null: it is
    Column("written_at", Instant, nullable=False),
    PrimaryKeyConstraint("folder", "name"),
    Index(None, "form"),
    Index(None, "story_id"),
    Index("ix_post_unfinished", "story_id", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
)

host = Table(
    "host",
    metadata,
    Column("key", Text, primary_key=True),  # as budgets count (P60)
    Column("spacing", Integer, nullable=False),  # doublings of the ordinary spacing (P61)
    Column("troubled_at", Instant, nullable=False),  # when it last asked for peace, or a doubling was taken back
    Column("opens_at", Instant),  # no start before (P30, P31, P37)
    Column(
        "troubles", Json
    ),  # who was refused lately: [source key, status, when, until when or null], in seconds (P30, P61)
)

rule_hit = Table(
    "rule_hit",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("place", Text, nullable=False),  # key of the category whose rule it is; empty: the source's own
    Column("rule", Text, nullable=False),  # in words
    Column("hits", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
    PrimaryKeyConstraint("source_id", "place", "rule"),
    sqlite_with_rowid=False,
)

outline = Table(
    "outline",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),  # the list; these are its last good copy
    Column("position", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("categories", Json, nullable=False),
    PrimaryKeyConstraint("source_id", "position"),
    sqlite_with_rowid=False,
)

robots = Table(
    "robots",
    metadata,
    Column("origin", Text, primary_key=True),  # scheme://host:port
    Column("asked_at", Instant, nullable=False),
    Column("rules", Json, nullable=False),  # [allowed, pattern], as they hold for us (P89)
    Column("delay", Integer, nullable=False),  # milliseconds
)

poll_day = Table(
    "poll_day",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("day", Integer, nullable=False),  # since 1970, UTC
    Column("polls", Integer, nullable=False),
    Column("not_modified", Integer, nullable=False),
    Column("unconditional", Integer, nullable=False),  # 200s to a request without validators that we had (P94)
    Column("bytes", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("future", Integer, nullable=False),  # new entries dated over a day ahead (R48)
    Column("past", Integer, nullable=False),  # or over a year back, those of a first poll apart
    PrimaryKeyConstraint("source_id", "day"),
    sqlite_with_rowid=False,
)

aside_day = Table(
    "aside_day",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("day", Integer, nullable=False),  # since 1970, UTC
    Column("kind", Text, nullable=False),  # detail: of an entry, articles too; further: documents, robots.txt
    Column("host_key", Text, nullable=False),  # that was asked: for details seldom the source's
    Column("requests", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    PrimaryKeyConstraint("source_id", "day", "kind", "host_key"),
    sqlite_with_rowid=False,
)

alarm = Table(
    "alarm",
    metadata,
    Column("code", Text, nullable=False),  # of model.alarm.AlarmCode
    Column("source_id", Id, nullable=False),  # 0: it concerns all of them
    Column("since", Instant, nullable=False),  # when it was noticed and logged, once (R46)
    PrimaryKeyConstraint("code", "source_id"),
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
    Column("lasts", Boolean, nullable=False),  # stays for ever: an Event's
    Index(None, "source_id", "at"),
    Index(None, "entry_id"),
    Index(None, "story_id"),
    Index("ix_event_passing", "at", sqlite_where=text("lasts = 0"), postgresql_where=text("NOT lasts")),
)

_OWED = text("owed_at IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("topic", Text, primary_key=True),  # public address of a main document that names a hub (A86)
    Column("digest", Text, nullable=False),  # of the bytes that the hub was told of, or is to be
    Column("owed_at", Instant),  # since when it is owed a ping; null: it is not
    Column("due_at", Instant, nullable=False),  # no ping before
    Column("failures", Integer, nullable=False),  # in a row
    Column("held_up", Boolean, nullable=False),  # the hub itself is in trouble: all topics wait for this one
    Column("error", Text),  # of the last one
    Index("ix_outbox_owed", "due_at", sqlite_where=_OWED, postgresql_where=_OWED),
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
