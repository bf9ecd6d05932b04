"""What somebody has read: when they last had a thread before their eyes."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; whoever opens a case from now on leaves a mark."""
    op.create_table(
        "reading_mark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("thread", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_reading_mark_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reading_mark"),
        sa.UniqueConstraint("staff_id", "thread", name="uq_reading_mark_staff_id_thread"),
    )
    op.create_index("ix_reading_mark_clinic_id", "reading_mark", ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("reading_mark")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
