"""Adds the checksums of texts as the sanitiser wrote them (S30)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; texts of older versions have no checksum, so they are sanitised again when they are published."""
    op.add_column("entry", sa.Column("cleaned", sa.Text(), nullable=True))
