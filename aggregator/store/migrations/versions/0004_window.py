"""Adds the window of a source: the items of its last document by their bytes, which need not be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns, empty: the next document of each source is read whole."""
    op.add_column("source", sa.Column("window", sa.LargeBinary()))
    op.add_column("source", sa.Column("read_whole", sa.Text()))
