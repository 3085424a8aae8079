"""Adds the closed pages of the river, the list of the newest stories of all categories."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table; its first pages are closed at the next publication."""
    op.create_table(
        "river_page",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("dirty", sa.BigInteger(), nullable=False),
        sa.Column("look", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_river_page"),
    )
    op.create_index("ix_river_page_since", "river_page", ["since"])
