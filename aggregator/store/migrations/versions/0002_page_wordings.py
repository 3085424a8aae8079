"""Creates the table of earlier texts that archive pages keep showing after a template change (M7)."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, empty: earlier template changes are unknown, so pages show the entries as they are stored."""
    op.create_table(
        "page_wording",
        sa.Column("category_id", Id, nullable=False),
        sa.Column("story_id", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_page_wording_category_id_category")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_page_wording_story_id_story")),
        sa.PrimaryKeyConstraint("category_id", "story_id", "entry_id", name=op.f("pk_page_wording")),
    )
