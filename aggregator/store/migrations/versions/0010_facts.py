"""Adds what a published file showed, so that a later run renders only pages of sources that show something else."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; it is filled when files are written."""
    op.add_column("file", sa.Column("facts", sa.Text()))
