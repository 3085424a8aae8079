"""Adds when a source counts as silent, as feeds.yaml says it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; the next start fills it from feeds.yaml."""
    op.add_column("source", sa.Column("silent_after", sa.BigInteger(), nullable=True))
