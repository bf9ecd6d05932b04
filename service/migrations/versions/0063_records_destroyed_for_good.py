"""Records that were asked to be destroyed and those that were, and legal hold, which refuses it."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of destroyed records and two moments to each patient."""
    with op.batch_alter_table("patient") as batch_op:
        batch_op.add_column(sa.Column("legal_hold_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "shredding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.String(60), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.String(60), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_shredding_patient_id_patient"),
        sa.PrimaryKeyConstraint("id", name="pk_shredding"),
        sa.UniqueConstraint("clinic_id", "mark", name="uq_shredding_clinic_id_mark"),
    )
    op.create_index("ix_shredding_clinic_id", "shredding", ["clinic_id"])
    op.create_index("ix_shredding_patient_id", "shredding", ["patient_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("shredding")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
