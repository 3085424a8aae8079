"""Adds the id to the index of due times: of sources due at one time, the first ones are found without a sort."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_source_due", "source")
    op.create_index("ix_source_due", "source", ["active", "due_at", "id", "paused", "own_machine", "interval", "state"])
