"""What colleagues say of a stay in a hospital that a feed tells wrongly."""

import sqlalchemy as sa
from alembic import op

revision = "0092"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "stay_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("stay_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("says", sa.String(8), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_state", sa.String(10), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_ct", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["stay_id"], ["inpatient_stay.id"], name="fk_stay_correction_stay_id"),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name="fk_stay_correction_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stay_correction"),
    )
    op.create_index("ix_stay_correction_clinic_id", "stay_correction", ["clinic_id"])
    op.create_index("ix_stay_correction_stay", "stay_correction", ["stay_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("stay_correction")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
