"""Creates the table of the last published `updated` of each document (A7)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# `updated` of the documents of categories as rendered last, in microseconds since 1970. A tombstone counts with the
# second after the `updated` of the withdrawn publication, if that is later than the withdrawal. `updated` of all.* is
# no earlier than that of its newest publication.
SAID = """
INSERT INTO document (category_id, page, updated)
SELECT category_id, page, max(updated) FROM (
    SELECT category_id, coalesce(page, 0) AS page, updated FROM publication WHERE withdrawn_at IS NULL
    UNION ALL
    SELECT category_id, 0, withdrawn_at FROM publication
    WHERE withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL
    UNION ALL
    SELECT category_id, 0, (updated / 1000000 + 1) * 1000000 FROM publication
    WHERE withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL
    UNION ALL
    SELECT id, 0, created_at FROM category WHERE id NOT IN (
        SELECT category_id FROM publication
        WHERE page IS NULL AND withdrawn_at IS NULL OR withdrawn_at IS NOT NULL AND tombstone_ended_at IS NULL
    )
) AS said
WHERE category_id IN (SELECT id FROM category WHERE offered_at IS NOT NULL)
GROUP BY category_id, page
"""


def upgrade() -> None:
    """Create the table, and fill it with the `updated` of published documents as far as the store knows it."""
    op.create_table(
        "document",
        sa.Column("category_id", Id, nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("category_id", "page", name=op.f("pk_document")),
    )
    op.execute(SAID)
