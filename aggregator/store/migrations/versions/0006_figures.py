"""Adds two figures of the status page: the date of each source's newest entry, and how late polls came on each day."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns. Earlier days have no delay; a source's newest date is known once a document was read again.

    To compute the dates here would read the texts of all entries, since SQLite stores the dates behind them.
    """
    op.add_column("source", sa.Column("newest_at", sa.BigInteger()))
    op.add_column("poll_day", sa.Column("late", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
