"""Creates the tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _unique_text(column: str, name: str) -> sa.Constraint:
    """Return a constraint for unique texts of strangers. A b-tree of PostgreSQL refuses texts of over 2,700 bytes."""
    if op.get_bind().dialect.name != "postgresql":
        return sa.UniqueConstraint(column, name=name)
    from sqlalchemy.dialects.postgresql import ExcludeConstraint

    return ExcludeConstraint((column, "="), name=name, using="hash")


def upgrade() -> None:
    """Create the tables; written out in full, since `schema.py` goes on to change."""
    op.create_table(
        "alarm",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", "source_id", name=op.f("pk_alarm")),
    )
    op.create_table(
        "alias",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("kind", "source_id", "value_hash", name=op.f("pk_alias")),
    )
    op.create_table(
        "category",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("feed_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("unlisted", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("show", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("dirty", sa.BigInteger(), nullable=False),
        sa.Column("rendered", sa.BigInteger(), nullable=False),
        sa.Column("news", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dirty_pages", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.BigInteger(), nullable=True),
        sa.Column("rendered_at", sa.BigInteger(), nullable=True),
        sa.Column("look", sa.Text(), nullable=True),
        sa.Column("stories_look", sa.Text(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("feed_id", name=op.f("uq_category_feed_id")),
        sa.UniqueConstraint("key", name=op.f("uq_category_key")),
        sa.UniqueConstraint("slug", name=op.f("uq_category_slug")),
    )
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("entry_id", Id, nullable=True),
        sa.Column("story_id", Id, nullable=True),
        sa.Column("category_id", Id, nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("lasts", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(
        "ix_event_passing",
        "event",
        ["at"],
        unique=False,
        sqlite_where=sa.text("lasts = 0"),
        postgresql_where=sa.text("NOT lasts"),
    )
    op.create_index(op.f("ix_event_entry_id"), "event", ["entry_id"], unique=False)
    op.create_index(op.f("ix_event_source_id_at"), "event", ["source_id", "at"], unique=False)
    op.create_index(op.f("ix_event_story_id"), "event", ["story_id"], unique=False)
    op.create_table(
        "file",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("listed_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("written_at", sa.BigInteger(), nullable=True),
        sa.Column("max_age", sa.Integer(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_file")),
    )
    op.create_index(
        "ix_file_gone",
        "file",
        ["path"],
        unique=False,
        sqlite_where=sa.text("gone IS NOT NULL"),
        postgresql_where=sa.text("gone IS NOT NULL"),
    )
    op.create_index(
        "ix_file_copied",
        "file",
        ["path"],
        unique=False,
        sqlite_where=sa.text("copied = 1"),
        postgresql_where=sa.text("copied"),
    )
    op.create_table(
        "host",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("spacing", sa.Integer(), nullable=False),
        sa.Column("troubled_at", sa.BigInteger(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=True),
        sa.Column("troubles", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_host")),
    )
    op.create_table(
        "outbox",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("owed_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("held_up", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_owed",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("owed_at IS NOT NULL"),
        postgresql_where=sa.text("owed_at IS NOT NULL"),
    )
    op.create_table(
        "request",
        sa.Column("id", Id, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index(op.f("ix_request_done_at"), "request", ["done_at"], unique=False)
    op.create_table(
        "source",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("url_in_use", sa.Text(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("settings_digest", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("own_machine", sa.Boolean(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("show", sa.Text(), nullable=True),
        sa.Column("noindex", sa.Boolean(), nullable=False),
        sa.Column("keep", sa.BigInteger(), nullable=True),
        sa.Column("stories_look", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("places", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("first_stored_at", sa.BigInteger(), nullable=True),
        sa.Column("entries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("validators_url", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_digest", sa.Text(), nullable=True),
        sa.Column("identical", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("earliest_at", sa.BigInteger(), nullable=False),
        sa.Column("retry_until", sa.BigInteger(), nullable=True),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("polls", sa.BigInteger(), nullable=False),
        sa.Column("interval", sa.BigInteger(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=True),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("hints", sa.Text(), nullable=True),
        sa.Column("retried", sa.Boolean(), nullable=False),
        sa.Column("observations", sa.Text(), nullable=True),
        sa.Column("arrivals", sa.Text(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("listed", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("encoding", sa.Text(), nullable=True),
        sa.Column("notices", sa.Text(), nullable=True),
        sa.Column("recent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("key", name=op.f("uq_source_key")),
    )
    op.create_index(
        "ix_source_due",
        "source",
        ["active", "due_at", "paused", "own_machine", "interval", "state"],
        unique=False,
    )
    op.create_index(op.f("ix_source_url_in_use"), "source", ["url_in_use"], unique=False, postgresql_using="hash")
    op.create_table(
        "store",
        sa.Column("id", Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("restored_at", sa.BigInteger(), nullable=True),
        sa.Column("next_entry", Id, nullable=False),
        sa.Column("next_story", Id, nullable=False),
        sa.Column("dirty", sa.BigInteger(), nullable=False),
        sa.Column("rendered", sa.BigInteger(), nullable=False),
        sa.Column("news", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("look", sa.Text(), nullable=True),
        sa.Column("offered_at", sa.BigInteger(), nullable=True),
        sa.Column("stories_look", sa.Text(), nullable=True),
        sa.Column("gone_stale", sa.Boolean(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("adopts", sa.Boolean(), nullable=False),
        sa.Column("posts_rendered", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("posts_look", sa.Text(), nullable=True),
        sa.Column("posts_names", sa.Text(), nullable=True),
        sa.Column("config", sa.Text(), nullable=True),
        sa.Column("config_path", sa.Text(), nullable=True),
        sa.Column("opened", sa.Text(), nullable=True),
        sa.Column("config_loaded_at", sa.BigInteger(), nullable=True),
        sa.Column("config_error", sa.Text(), nullable=True),
        sa.Column("output_error", sa.Text(), nullable=True),
        sa.Column("network_down_since", sa.BigInteger(), nullable=True),
        sa.Column("own_down_since", sa.BigInteger(), nullable=True),
        sa.Column("served_at", sa.BigInteger(), nullable=True),
        sa.Column("runs", sa.Text(), nullable=True),
        sa.Column("run_gap", sa.BigInteger(), nullable=True),
        sa.Column("thinned_at", sa.BigInteger(), nullable=True),
        sa.Column("thin_after", sa.Text(), nullable=True),
        sa.Column("bands_walk", sa.Text(), nullable=True),
        sa.Column("bands_walked", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store")),
    )
    op.create_table(
        "story",
        sa.Column("id", Id, nullable=False),
        sa.Column("atom_id", sa.Text(), nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("founder_id", Id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", Id, nullable=True),
        sa.Column("retracted_at", sa.BigInteger(), nullable=True),
        sa.Column("touched", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dirty", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
        _unique_text("atom_id", op.f("uq_story_atom_id")),
        sa.UniqueConstraint("page_id", name=op.f("uq_story_page_id")),
    )
    op.create_index(op.f("ix_story_touched"), "story", ["touched"])
    op.create_index(
        "ix_story_dirty",
        "story",
        ["dirty", "id"],
        unique=False,
        sqlite_where=sa.text("dirty IS NOT NULL"),
        postgresql_where=sa.text("dirty IS NOT NULL"),
    )
    op.create_index(
        "ix_story_merged",
        "story",
        ["merged_into"],
        unique=False,
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "verdict",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("other_id", Id, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "other_id", name=op.f("pk_verdict")),
    )
    op.create_index(op.f("ix_verdict_other_id"), "verdict", ["other_id"], unique=False)
    op.create_table(
        "body",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_body_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_body")),
    )
    op.create_index(op.f("ix_body_source_id_fetched_at"), "body", ["source_id", "fetched_at"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("thinned", sa.BigInteger(), nullable=True),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("key_rule", sa.Text(), nullable=False),
        sa.Column("own_id", sa.Text(), nullable=True),
        sa.Column("id_hash", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("shown_digest", sa.Text(), nullable=True),
        sa.Column("text_digest", sa.Text(), nullable=True),
        sa.Column("match_link", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("enclosures", sa.Text(), nullable=True),
        sa.Column("supplement", sa.Text(), nullable=True),
        sa.Column("rights", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("published", sa.BigInteger(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("revisions", sa.Integer(), nullable=False),
        sa.Column("undated", sa.Integer(), nullable=False),
        sa.Column("unpublished", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("story_id", Id, nullable=True),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_back_at", sa.BigInteger(), nullable=True),
        sa.Column("merged_from", Id, nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("filed", sa.Text(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("limited", sa.Text(), nullable=True),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_entry_source_id_source")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_entry_story_id_story")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("source_id", "key_hash", name=op.f("uq_entry_source_id_key_hash")),
    )
    op.create_index(op.f("ix_entry_id_hash"), "entry", ["id_hash"], unique=False)
    op.create_index(op.f("ix_entry_match_link"), "entry", ["match_link"], unique=False, postgresql_using="hash")
    op.create_index(op.f("ix_entry_story_id"), "entry", ["story_id"], unique=False)
    op.create_index(op.f("ix_entry_text_digest"), "entry", ["text_digest"], unique=False)
    op.create_index(
        "ix_entry_thinned",
        "entry",
        ["thinned"],
        unique=False,
        sqlite_where=sa.text("thinned IS NOT NULL"),
        postgresql_where=sa.text("thinned IS NOT NULL"),
    )
    op.create_index(
        "ix_entry_unpublished",
        "entry",
        ["first_seen"],
        unique=False,
        sqlite_where=sa.text("story_id IS NULL AND thinned IS NULL AND state IN ('known', 'rejected')"),
        postgresql_where=sa.text("story_id IS NULL AND thinned IS NULL AND state IN ('known', 'rejected')"),
    )
    op.create_table(
        "hub_subscription",
        sa.Column("id", Id, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=True),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("source_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_hub_subscription_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_subscription")),
        sa.UniqueConstraint("callback", name=op.f("uq_hub_subscription_callback")),
    )
    op.create_table(
        "poll_day",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("not_modified", sa.Integer(), nullable=False),
        sa.Column("unconditional", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("future", sa.Integer(), nullable=False),
        sa.Column("past", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_poll_day_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "day", name=op.f("pk_poll_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "aside_day",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_aside_day_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "day", "kind", "host_key", name=op.f("pk_aside_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revision",
        sa.Column("id", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_revision_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_index(op.f("ix_revision_entry_id"), "revision", ["entry_id"], unique=False)
    op.create_table(
        "detail",
        sa.Column("entry_id", Id, autoincrement=False, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("held_up", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_detail_entry_id_entry")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_detail_source_id_source")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_detail")),
    )
    op.create_index(op.f("ix_detail_due_at"), "detail", ["due_at"], unique=False)
    op.create_index(op.f("ix_detail_source_id_host_key"), "detail", ["source_id", "host_key"], unique=False)
    op.create_table(
        "outline",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_outline_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "position", name=op.f("pk_outline")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "robots",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("delay", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_robots")),
    )
    op.create_table(
        "rule_hit",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_rule_hit_source_id_source")),
        sa.PrimaryKeyConstraint("source_id", "place", "rule", name=op.f("pk_rule_hit")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fingerprint",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("band", "entry_id", name=op.f("pk_fingerprint")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "publication",
        sa.Column("story_id", Id, nullable=False),
        sa.Column("category_id", Id, nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("sort_at", sa.BigInteger(), nullable=False),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("shown_id", Id, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("filed_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("tombstone_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("thinned_at", sa.BigInteger(), nullable=True),
        sa.Column("cooled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_publication_category_id_category")),
        sa.ForeignKeyConstraint(["shown_id"], ["entry.id"], name=op.f("fk_publication_shown_id_entry")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_publication_story_id_story")),
        sa.PrimaryKeyConstraint("story_id", "category_id", name=op.f("pk_publication")),
    )
    op.create_index(
        op.f("ix_publication_category_id_page_sort_at"), "publication", ["category_id", "page", "sort_at"], unique=False
    )
    op.create_index(
        "ix_publication_standing",
        "publication",
        ["category_id", "sort_at", "entered_at", "withdrawn_at"],
        unique=False,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index(op.f("ix_publication_shown_id"), "publication", ["shown_id"], unique=False)
    op.create_index(op.f("ix_publication_sort_at"), "publication", ["sort_at"], unique=False)
    op.create_index(
        "ix_publication_hot",
        "publication",
        ["sort_at"],
        unique=False,
        sqlite_where=sa.text("cooled_at IS NULL"),
        postgresql_where=sa.text("cooled_at IS NULL"),
    )
    op.create_table(
        "post",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("story_id", Id, nullable=False),
        sa.Column("category_id", Id, nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_post_category_id_category")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_post_story_id_story")),
        sa.PrimaryKeyConstraint("folder", "name", name=op.f("pk_post")),
    )
    op.create_index(op.f("ix_post_form"), "post", ["form"], unique=False)
    op.create_index(op.f("ix_post_story_id"), "post", ["story_id"], unique=False)
    op.create_index(
        "ix_post_unfinished",
        "post",
        ["story_id"],
        unique=False,
        sqlite_where=sa.text("digest IS NULL OR fault IS NOT NULL"),
        postgresql_where=sa.text("digest IS NULL OR fault IS NOT NULL"),
    )
    op.create_index(
        "ix_publication_tombstone",
        "publication",
        ["category_id", "withdrawn_at"],
        unique=False,
        sqlite_where=sa.text("withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL"),
    )
    op.create_index(
        "ix_publication_whole",
        "publication",
        ["category_id", "page"],
        unique=False,
        sqlite_where=sa.text("page IS NOT NULL AND thinned_at IS NULL"),
        postgresql_where=sa.text("page IS NOT NULL AND thinned_at IS NULL"),
    )
    op.create_index(
        "ix_publication_pageless",
        "publication",
        ["entered_at"],
        unique=False,
        sqlite_where=sa.text("page IS NULL AND withdrawn_at IS NOT NULL AND thinned_at IS NULL"),
        postgresql_where=sa.text("page IS NULL AND withdrawn_at IS NOT NULL AND thinned_at IS NULL"),
    )
