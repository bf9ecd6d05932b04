"""What both readers said of each text that came in, what a person said of it then, and when it is looked over."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; texts that came before are not read again."""
    op.create_table(
        "second_reading",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("rules_version", sa.String(length=20), nullable=False),
        sa.Column("weights_version", sa.String(length=40), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("band", sa.String(length=6), nullable=True),
        sa.Column("language", sa.String(length=6), nullable=False),
        sa.Column("off", sa.String(length=8), nullable=True),
        sa.Column("tier", sa.String(length=6), nullable=True),
        sa.Column("acted", sa.String(length=6), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("joined", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn", sa.String(length=8), nullable=True),
        sa.Column("verdict", sa.String(length=8), nullable=True),
        sa.Column("verdict_by", sa.Uuid(), nullable=True),
        sa.Column("verdict_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_second_reading_message_id_message"),
        sa.ForeignKeyConstraint(["item_id"], ["inbox_item.id"], name="fk_second_reading_item_id_inbox_item"),
        sa.ForeignKeyConstraint(["verdict_by"], ["staff.id"], name="fk_second_reading_verdict_by_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_second_reading"),
        sa.UniqueConstraint("message_id", name="uq_second_reading_message_id"),
    )
    op.create_index("ix_second_reading_clinic_id", "second_reading", ["clinic_id"])
    op.create_index("ix_second_reading_item_id", "second_reading", ["item_id"])
    op.create_index("ix_second_reading_at", "second_reading", ["clinic_id", "at"])
    op.create_index("ix_second_reading_latest", "second_reading", ["at"])
    op.create_index("ix_second_reading_drawn", "second_reading", ["clinic_id", "drawn"])
    op.create_table(
        "reading_watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("drawn", sa.String(length=8), nullable=True),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reading_watch"),
        sa.UniqueConstraint("clinic_id", name="uq_reading_watch_clinic_id"),
    )
    op.create_index("ix_reading_watch_clinic_id", "reading_watch", ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        for table in ("second_reading", "reading_watch"):
            _one_clinic_sees_its_own(table)


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
