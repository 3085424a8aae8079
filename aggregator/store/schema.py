"""Tables of the store, column types of aware times and of JSON records, and what differs in SQL.

The schema is for SQLite and PostgreSQL. `migrations/` creates it; a test compares the result with these tables.
"""

import json
import zlib
from collections.abc import Callable
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
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """Column type of an aware time, stored as whole microseconds since 1970, UTC (R12): SQLite drops offsets."""

    impl = BigInteger
    cache_ok = True

    # A processor is called for each value; `process_bind_param` costs one more call, a fifth of storing small records.
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """Return the function from times to microseconds; it raises ValueError for a time without a zone."""
        return _microseconds_of

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        """Return the function from microseconds to aware times, UTC."""
        return _time_of


def _microseconds_of(value: datetime | None) -> int | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return (value - EPOCH) // MICROSECOND


def _time_of(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_IN_ORDER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder()


class Json(TypeDecorator[Any]):
    """Column type of a small record as compact JSON text, with sorted keys: equal records have equal texts."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Return the function from records to JSON text."""
        return lambda value: None if value is None else _COMPACT.encode(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        """Return the function from JSON text to records."""
        return lambda value: None if value is None else _DECODER.raw_decode(value)[0]  # no blanks are looked for


class DeflatedJson(TypeDecorator[dict[str, Any]]):
    """Column type of a larger record as deflated JSON, with its keys in their order."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> bytes | None:
        """Return the bytes that are stored for a record."""
        return None if value is None else zlib.compress(_IN_ORDER.encode(value).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> dict[str, Any] | None:
        """Return the record in stored bytes."""
        return None if value is None else json.loads(zlib.decompress(value))


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite generates ids only for INTEGER
Count = Integer().with_variant(BigInteger, "postgresql")  # an INTEGER of SQLite takes eight bytes, if it must
metadata = MetaData(
    naming_convention={  # SQLite can't drop a constraint without a name
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
    Column("uuid", Text, nullable=False),  # minted ids and feed ids are derived from it (A2, A4)
    Column("created_at", Instant, nullable=False),
    Column("restored_at", Instant),  # when it was restored from published documents; null: it was not (K2)
    Column("next_entry", Id, nullable=False),  # next unused id: max(id) + 1 would reuse ids of deleted rows
    Column("next_story", Id, nullable=False),
    Column("dirty", BigInteger, nullable=False),  # generation of index, all.* and the list of sources
    Column("rendered", BigInteger, nullable=False),
    # `news`: generation of the last change of feeds other than a backfill (I62).
    Column("news", BigInteger, nullable=False, server_default=text("0")),
    Column("look", Text),  # digest of the settings and templates that shape index, all.* and the list of sources
    Column("offered_at", Instant),  # readers may have read all.* with the store's content of then (T6); null: never
    Column("stories_look", Text),  # digest of the settings and templates that shape the pages of all stories
    Column("gone_stale", Boolean, nullable=False),  # gone.txt must be written again
    Column("folder", Text),  # folder of the listed files: the absolute path of publish.to
    Column("adopts", Boolean, nullable=False),  # restored: existing outputs with our mark are to be listed
    # `posts_rendered`: generation; stories that were touched later are not exported yet.
    Column("posts_rendered", BigInteger, nullable=False, server_default=text("0")),
    Column("posts_look", Text),  # digest of the settings and templates that shape posts
    Column("posts_names", Text),  # template of the names of posts
    Column("config", Text),  # the last valid feeds.yaml as it was written, with `${NAME}` not replaced (R51)
    Column("config_path", Text),
    Column("opened", Json),  # entries of `hosts` with `allow_private` in the last feeds.yaml
    Column("config_loaded_at", Instant),
    Column("config_error", Text),  # why a later edit is not in force
    Column("output_error", Text),  # which files could not be written at the last publication, and why
    Column("network_down_since", Instant),  # null: the network is up, or nothing has checked (P87)
    Column("own_down_since", Instant),  # the same for the operator's own machines
    Column("served_at", Instant),  # when `serve` last ran; null: long ago, or never
    Column("runs", Json),  # when the last runs of `poll` began, in seconds since 1970; null: `serve` was run since
    Column("run_gap", BigInteger),  # microseconds that a source may wait for the next run; null: there are no runs
    Column("thinned_at", Instant),  # end of the last pass that removed old texts (`keep`; K3); null: none yet
    Column("thin_after", Json),  # progress of a running pass: [category, page]; null: none runs
    # Pass that deletes bands of removed texts. `bands_walk`, its progress: [band, entry, generation at its beginning,
    # number of remaining bands]; null: none runs. `bands_walked`, the last complete pass: [generation, bands].
    Column("bands_walk", Json),
    Column("bands_walked", Json),
)

source = Table(
    "source",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),  # as configured, normalised
    Column("url_in_use", Text, nullable=False),  # the same, or the adopted target of redirects (P40)
    Column("host_key", Text, nullable=False),
    Column("settings_digest", Text, nullable=False),  # of the settings whose change invalidates validators (P9)
    Column("active", Boolean, nullable=False),  # the source is in feeds.yaml
    Column("paused", Boolean, nullable=False),
    Column("own_machine", Boolean, nullable=False),  # on the operator's machines: polled in a network outage (P87)
    Column("private", Boolean, nullable=False),  # S44; kept, like `show`, once the source has left feeds.yaml
    Column("show", Text),  # how much of its entries may be published; null: everything
    Column("noindex", Boolean, nullable=False),  # asks search engines to leave its entries out; kept, like `show`
    Column("keep", BigInteger),  # microseconds, from the last feeds.yaml; null: forever (K2)
    Column("silent_after", BigInteger),  # microseconds, from the last feeds.yaml; null: learned from its rhythm (R46)
    Column("stories_look", Text),  # digest of the settings of the source that shape pages of stories; null: none do
    Column("priority", Count, nullable=False),  # from the last feeds.yaml: a change chooses shown copies again (T3)
    Column("places", Json),  # ids of its categories in the last feeds.yaml (N2); null: not recorded yet
    Column("created_at", Instant, nullable=False),
    Column("first_stored_at", Instant),  # when its first entries were stored (I62)
    Column("entries", BigInteger, nullable=False, server_default=text("0")),  # number of its entries in the store
    Column("validators_url", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_digest", Text),
    Column("identical", Count, nullable=False),  # P13
    Column("due_at", Instant, nullable=False),
    Column("earliest_at", Instant, nullable=False),  # when a one-shot run may poll (P52)
    Column("retry_until", Instant),  # a running Retry-After
    Column("attempted_at", Instant),
    Column("claims", Count, nullable=False),  # successive claims without an outcome (R13)
    Column("polls", BigInteger, nullable=False),
    Column("interval", BigInteger, nullable=False),  # microseconds, as last computed
    Column("cadence", Json),  # the inputs of that decision, for `why` (P67)
    Column("succeeded_at", Instant),
    Column("failures", Count, nullable=False),  # successive
    Column("failing_since", Instant),
    Column("state", Text, nullable=False),
    Column("status", Count),
    Column("code", Text),
    Column("error", Text),
    Column("hints", Json),  # of the last document that was read: ttl, syndication, skip
    Column("retried", Boolean, nullable=False),  # the last answer had a Retry-After (P56)
    Column("observations", Json),  # an Observed: redirects (P40), 410s (P29), and other facts from several answers
    Column("arrivals", Json),  # arrival times of its last 30 entries, in seconds since 1970 (P62)
    Column("newest_at", Instant),  # latest date of its entries (I42); null: no document with a date was read since 0006
    Column("feed", Json),  # an Origin: the feed's own title, link and so on
    Column("identity", Json),  # an Identity, by which the next document is recognised as of the same feed (R44)
    Column("listed", Json),  # ids of the entries of its last document that was not empty (I35)
    Column("format", Text),
    Column("encoding", Text),
    Column("notices", Json),
    Column("recent", Text),  # the last 20 polls, a line each (P93)
    Column("window", LargeBinary),  # items of its last document that need not be read again; null: none (model/window)
    Column("read_whole", Text),  # why its last document was read whole, or the next will be; null: it was not
    # Covers the queries for due sources (P87), lag (R19) and states, which then do not read the rows: 8 ms instead of
    # 76 ms for 10,000 sources.
    Index("ix_source_due", "active", "due_at", "id", "paused", "own_machine", "interval", "state"),
    Index(None, "url_in_use"),
)

UNPUBLISHED = text("story_id IS NULL AND thinned IS NULL AND state IN ('known', 'rejected')")
_THINNED = text("thinned IS NOT NULL")

entry = Table(
    "entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    # `thinned`: the store's generation when its texts were removed (K2). The column is before the texts, so that SQLite
    # reads it without them.
    Column("thinned", BigInteger),
    Column("key_hash", Text, nullable=False),  # of the key without its http or https (I32)
    Column("key", Text, nullable=False),
    Column("key_rule", Text, nullable=False),
    Column("own_id", Text),  # its id in the source, as written there
    Column("id_hash", Text),  # of a globally unique id, compared with entries of other sources
    Column("digest", Text, nullable=False),  # of the newest revision
    Column("shown_digest", Text),  # of the revision in these columns, if that is an earlier one (T4, I61)
    Column("text_digest", Text),
    Column("match_link", Text),  # link in the form that is compared with entries of other sources
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
    Column("changed_at", Instant),  # arrival of its newest revision
    Column("revisions", Count, nullable=False),
    Column("undated", Count, nullable=False),  # revisions that the source did not date (T4)
    Column("unpublished", Json),  # a newer revision that is stored but not shown (T4); the columns hold what is shown
    Column("state", Text, nullable=False),  # of model.known.EntryState
    Column("story_id", ForeignKey("story.id")),
    Column("joined_at", Instant),
    Column("taken_back_at", Instant),  # time of its tombstone: an entry with a later `updated` is published again (I26)
    Column("merged_from", Id),  # its earlier story, which an operator merged into this one (T7)
    Column("categories", Json, nullable=False),  # ids of the categories in which its own source publishes it (T2)
    Column("filed", Json),  # keys of categories that the entry itself names
    Column("refused", Json),  # ids of categories of its source from which a rule excludes it; null: none
    Column("limited", Json),  # ids of categories whose limit its poll had reached; null: none
    Column("original", Json),  # the source's values of fields that `rewrite` changed, and the steps; null: none changed
    Column("origin", Json),  # the `atom:source` as it was when the entry was stored or revised (A9)
    Column("cleaned", Text),  # checksums of summary and content as the sanitiser wrote them (S30), divided by blanks
    UniqueConstraint("source_id", "key_hash"),  # R10: an entry is stored once, even if two programs run
    Index(None, "story_id"),
    Index(None, "id_hash"),
    Index(None, "text_digest"),
    Index(None, "match_link"),
    Index("ix_entry_thinned", "thinned", sqlite_where=_THINNED),
    Index("ix_entry_unpublished", "first_seen", sqlite_where=UNPUBLISHED),
)

revision = Table(
    "revision",
    metadata,
    Column("id", Id, primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("replaced_at", Instant, nullable=False),  # until then readers could see this revision
    Column("data", DeflatedJson, nullable=False),  # the columns of which `digest` is made
    Index(None, "entry_id"),
)

detail = Table(
    "detail",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True, autoincrement=False),  # entry that waits for this
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("asked", Json, nullable=False),  # [path, value] for the request
    Column("host_key", Text, nullable=False),  # of the request
    Column("since", Instant, nullable=False),
    Column("date", Instant, nullable=False),  # the entry's own date, for ordering (M1)
    Column("backfill", Boolean, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claims", Count, nullable=False),  # successive claims without an outcome (R13)
    Column("failures", Count, nullable=False),  # successive failures of the detail or of its host
    Column("held_up", Boolean, nullable=False),  # its host fails: all details of the host wait together
    Column("code", Text),
    Column("error", Text),
    Index(None, "due_at"),
    Index(None, "source_id", "host_key"),
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("band", BigInteger, nullable=False),
    Column("entry_id", Id, nullable=False),  # no foreign key: without an index, each update of an entry reads all rows
    PrimaryKeyConstraint("band", "entry_id"),
    sqlite_with_rowid=False,
)

ENTRY = "entry"  # `alias.kind` of the key of an entry
alias = Table(
    "alias",
    metadata,
    Column("kind", Text, nullable=False),  # entry, story
    Column("value_hash", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("source_id", Id, nullable=False),  # 0 for a story
    Column("target_id", Id, nullable=False),
    PrimaryKeyConstraint("kind", "source_id", "value_hash"),
)

_MERGED = text("merged_into IS NOT NULL")  # true for few stories
_DIRTY = text("dirty IS NOT NULL")

story = Table(
    "story",
    metadata,
    Column("id", Id, primary_key=True),
    Column("atom_id", Text, nullable=False, unique=True),
    Column("page_id", Text, nullable=False, unique=True),
    Column("founder_id", Id, nullable=False),  # the founding entry (T1)
    Column("created_at", Instant, nullable=False),
    Column("merged_into", Id),  # story of which its atom_id is an alias now (T7)
    Column("retracted_at", Instant),  # by an operator
    Column("touched", BigInteger, nullable=False, server_default=text("0")),  # store.dirty at its last change
    Column("dirty", Count),  # its page must be rendered: 1: before any feed links there; 2: later; null: is rendered
    Index(None, "touched"),
    Index("ix_story_dirty", "dirty", "id", sqlite_where=_DIRTY),
    Index("ix_story_merged", "merged_into", sqlite_where=_MERGED),
)

category = Table(
    "category",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("feed_id", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False),  # feeds.yaml has it, or items of a source there name it
    Column("source_id", Id),  # source whose item named it first; null: feeds.yaml names it
    Column("unlisted", Boolean, nullable=False),  # from the last feeds.yaml that had the category
    Column("title", Text, nullable=False),  # likewise
    Column("show", Text, nullable=False),  # likewise
    Column("removed_at", Instant),  # when it left feeds.yaml
    Column("pages", Count, nullable=False),  # number of archive pages
    Column("dirty", BigInteger, nullable=False),  # generation, raised by each change (invariant 6)
    Column("rendered", BigInteger, nullable=False),  # generation as of which the files are rendered
    # `news`: generation of the last change other than a backfill (I62).
    Column("news", BigInteger, nullable=False, server_default=text("0")),
    Column("dirty_pages", Json, nullable=False),  # generation of the change, by archive page to be rendered again
    Column("offered_at", Instant),  # readers may have read its files with the content of then (T6); null: never
    Column("rendered_at", Instant),
    Column("look", Text),  # two digests of settings and templates: of what shapes its outputs, and its feeds alone
    Column("stories_look", Text),  # digest of its settings that the pages of its stories show
    Column("rank", Count),  # its place in the order of feeds.yaml, with which these pages were rendered (N4)
)

_GONE = text("gone IS NOT NULL")  # true for few files
_STANDING = text("withdrawn_at IS NULL")
_TOMBSTONE = text("withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL")  # true for few publications
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
    Column("backfill", Boolean, nullable=False),  # added by a backfill and not yet filed on an archive page (M4)
    Column("shown_id", ForeignKey("entry.id"), nullable=False),
    Column("digest", Text, nullable=False),  # of the shown revision
    Column("updated", Instant, nullable=False),  # T4
    Column("page", Count),  # null: main document
    Column("filed_at", Instant),
    Column("withdrawn_at", Instant),
    Column("tombstone_ended_at", Instant),  # null and withdrawn: the main document still has the tombstone (M8)
    Column("thinned_at", Instant),  # when its text was removed from its archive page (K3)
    Column("cooled_at", Instant),  # when its post was moved to the archive (`publish.jekyll.hot`)
    PrimaryKeyConstraint("story_id", "category_id"),
    Index(None, "category_id", "page", "sort_at"),
    Index(  # covers the queries for the newest publications of a category and for their number, without reading rows
        "ix_publication_standing",
        "category_id",
        "sort_at",
        "entered_at",
        "withdrawn_at",  # always null here, but without it SQLite reads each row
        sqlite_where=_STANDING,
    ),
    Index(None, "sort_at"),
    Index(None, "shown_id"),
    Index("ix_publication_hot", "sort_at", sqlite_where=_HOT),
    Index("ix_publication_tombstone", "category_id", "withdrawn_at", sqlite_where=_TOMBSTONE),
    Index("ix_publication_whole", "category_id", "page", sqlite_where=_WHOLE),
    Index("ix_publication_pageless", "entered_at", sqlite_where=_PAGELESS),
)

document = Table(
    "document",
    metadata,
    Column("category_id", Id, nullable=False),  # 0: all.*
    Column("page", Count, nullable=False),  # 0: the main document
    Column("updated", Instant, nullable=False),  # latest `updated` of the document, which is never set back (A7)
    PrimaryKeyConstraint("category_id", "page"),
)

river_page = Table(
    "river_page",
    metadata,
    Column("number", Count, primary_key=True, autoincrement=False),  # counted up from 1, the oldest
    Column("since", Instant, nullable=False),  # `sort_at` of its stories: from then
    Column("until", Instant, nullable=False),  # and before then
    Column("closed_at", Instant, nullable=False),  # stories that entered later are not on it
    Column("dirty", BigInteger, nullable=False),  # raised by each change of one of its stories; 0: it is rendered
    Column("look", Text),  # digest of the settings and templates that shaped it when it was rendered; null: forgotten
    Index(None, "since"),
)

page_wording = Table(
    "page_wording",
    metadata,
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("entry_id", Id, nullable=False),  # no foreign key, as in `fingerprint`
    Column("data", DeflatedJson, nullable=False),  # columns of the entry that the archive page shows (M7)
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
    Column("digest", Text),  # of the written bytes; null: listed, not yet written
    Column("written_at", Instant),
    Column("max_age", Count, nullable=False),  # seconds (A75)
    Column("copied", Boolean, nullable=False, default=False),  # `publish.aliases` or `publish.static`; else rendered
    Column("gone", Count),  # status of its address if it is no longer published: 410, later 404 (A42, A44)
    Column("facts", Text),  # digests of what it showed when it was written last: `facts` of an Output; null: unknown
    Index("ix_file_gone", "path", sqlite_where=_GONE),
    Index("ix_file_copied", "path", sqlite_where=text("copied = 1")),
)

post = Table(
    "post",
    metadata,
    Column("folder", Text, nullable=False),  # relative to the folder of feeds.yaml: state and site may move together
    Column("name", Text, nullable=False),  # path below `folder`
    Column("form", Text, nullable=False),  # `name` in lower case: some file systems ignore case
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("digest", Text),  # of the written bytes; null: listed, not yet written
    Column("fault", Text),  # why it could not be written; null: it was
    Column("written_at", Instant, nullable=False),
    PrimaryKeyConstraint("folder", "name"),
    Index(None, "form"),
    Index(None, "story_id"),
    Index("ix_post_unfinished", "story_id", sqlite_where=_UNFINISHED),
)

host = Table(
    "host",
    metadata,
    Column("key", Text, primary_key=True),  # host key, by which budgets count (P60)
    Column("spacing", Count, nullable=False),  # doublings of the ordinary spacing (P61)
    Column("troubled_at", Instant, nullable=False),  # when it last asked to be polled less, or a doubling was undone
    Column("opens_at", Instant),  # no poll starts before (P30, P31, P37)
    Column("troubles", Json),  # recent refusals: [source key, status, when, until when or null], in seconds (P30, P61)
)

rule_hit = Table(
    "rule_hit",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("place", Text, nullable=False),  # key of the category that has the rule; empty: the source has it
    Column("rule", Text, nullable=False),  # description of the rule
    Column("hits", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
    PrimaryKeyConstraint("source_id", "place", "rule"),
    sqlite_with_rowid=False,
)

outline = Table(
    "outline",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),  # the OPML list; the rows are its last valid content
    Column("position", Count, nullable=False),
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
    Column("rules", Json, nullable=False),  # [allowed, pattern] of the rules that apply to us (P89)
    Column("delay", Count, nullable=False),  # milliseconds
)

poll_day = Table(
    "poll_day",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("day", Count, nullable=False),  # since 1970, UTC
    Column("polls", Count, nullable=False),
    Column("not_modified", Count, nullable=False),
    Column("unconditional", Count, nullable=False),  # 200s to requests without validators although we had them (P94)
    Column("bytes", BigInteger, nullable=False),
    Column("failures", Count, nullable=False),
    Column("new", Count, nullable=False),
    Column("future", Count, nullable=False),  # new entries dated over a day ahead (R48)
    Column("past", Count, nullable=False),  # new entries dated over a year back, without those of a first poll
    Column("late", BigInteger, nullable=False, server_default=text("0")),  # seconds after the due times
    PrimaryKeyConstraint("source_id", "day"),
    sqlite_with_rowid=False,
)

aside_day = Table(
    "aside_day",
    metadata,
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("day", Count, nullable=False),  # since 1970, UTC
    Column("kind", Text, nullable=False),  # detail: details and articles of entries; further: documents, robots.txt
    Column("host_key", Text, nullable=False),  # of the request: for details seldom the host key of the source
    Column("requests", Count, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("failures", Count, nullable=False),
    PrimaryKeyConstraint("source_id", "day", "kind", "host_key"),
    sqlite_with_rowid=False,
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", Text, nullable=False),  # of model.alarm.AlarmCode
    Column("source_id", Id, nullable=False),  # 0: the alarm concerns all sources
    Column("since", Instant, nullable=False),  # when the alarm was first noticed and logged (R46)
    Column("ended_at", Instant),  # when its end was noticed; null: it holds
    Column("text", Text, nullable=False),  # for the operator, as of its beginning; empty: not noted since 0008
    # How far each channel was told of it: 0 not at all, 1 that it began, 2 that it is over.
    Column("webhook", Integer, nullable=False, server_default=text("0")),
    Column("notify", Integer, nullable=False, server_default=text("0")),
    # Its condition in PostgreSQL is in the migration: a word of it here would import that dialect, 50 ms.
    Index("ix_alarm_holds", "code", "source_id", unique=True, sqlite_where=text("ended_at IS NULL")),
)

channel = Table(
    "channel",
    metadata,
    Column("name", Text, primary_key=True),  # webhook, notify
    Column("failures", Integer, nullable=False),  # in a row
    Column("due_at", Instant, nullable=False),  # no attempt before
    Column("failing_since", Instant),
    Column("error", Text),  # of the last failure, for the operator
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
    Column("lasts", Boolean, nullable=False),  # is never deleted: `lasts` of an Event
    Index(None, "source_id", "at"),
    Index(None, "entry_id"),
    Index(None, "story_id"),
    Index("ix_event_passing", "at", sqlite_where=text("lasts = 0")),
)

_OWED = text("owed_at IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("topic", Text, primary_key=True),  # public address of a main document that names a hub (A86)
    Column("digest", Text, nullable=False),  # of the bytes that the last ping announced, or the next will
    Column("owed_at", Instant),  # since when a ping is owed; null: none is
    Column("due_at", Instant, nullable=False),  # no ping before
    Column("failures", Count, nullable=False),  # successive
    Column("held_up", Boolean, nullable=False),  # the hub fails for all topics: they wait until this ping succeeds
    Column("error", Text),  # of the last failure
    Index("ix_outbox_owed", "due_at", sqlite_where=_OWED),
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


MAX_IN = 900  # values of one IN list; old builds of SQLite allow 999 parameters a statement


def insert(table: Table, database: str) -> Any:
    """Return an INSERT that supports `on_conflict_do_update`; `database` is the name of an SQLAlchemy dialect."""
    if database == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # late: 50 ms that a store in SQLite never needs

    return postgresql.insert(table)
