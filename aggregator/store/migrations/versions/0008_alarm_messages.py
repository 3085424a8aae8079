"""Keeps alarms that are over, what each said, and who was told; adds the channels that tell operators of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create both tables anew; an alarm that holds gets its text when alarms are looked for next."""
    connection = op.get_bind()
    held = connection.execute(sa.text("SELECT code, source_id, since FROM alarm")).mappings().all()
    op.drop_table("alarm")
    alarm = op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("notify", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
    )
    where = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_alarm_holds", "alarm", ["code", "source_id"], unique=True, sqlite_where=where, postgresql_where=where
    )
    if held:
        op.bulk_insert(alarm, [{**row, "text": ""} for row in held])
    op.create_table(
        "channel",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_channel"),
    )
