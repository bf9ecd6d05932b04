"""Feeds are heard by MLLP and paused; two entries of one visit in two EHRs are told to be one; a merge
of two records can be taken back for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add who sends a feed by MLLP, over whose certificate, since when it is paused; what entries said of a start."""
    with op.batch_alter_table("feed") as batch:
        batch.add_column(sa.Column("mllp_sender", sa.String(130), nullable=True))
        batch.add_column(sa.Column("mllp_certificate", sa.String(100), nullable=False, server_default=""))
        batch.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_unique_constraint("uq_feed_mllp_sender_mllp_certificate", ["mllp_sender", "mllp_certificate"])
    with op.batch_alter_table("feed_visit") as batch:
        batch.add_column(sa.Column("external_id", sa.String(80), nullable=False, server_default=""))
        batch.add_column(sa.Column("patient_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("claims", sa.JSON(), nullable=False, server_default="[]"))
        batch.create_foreign_key("fk_feed_visit_patient_id_patient", "patient", ["patient_id"], ["id"])
        batch.create_index("ix_feed_visit_patient_id", ["patient_id"])
    _merges()


def _merges() -> None:
    op.create_table(
        "patient_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("stays_id", sa.Uuid(), nullable=False),
        sa.Column("goes_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("before_ct", sa.LargeBinary(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["stays_id"], ["patient.id"], name="fk_patient_merge_stays_id_patient"),
        sa.ForeignKeyConstraint(["goes_id"], ["patient.id"], name="fk_patient_merge_goes_id_patient"),
        sa.PrimaryKeyConstraint("id", name="pk_patient_merge"),
    )
    op.create_index("ix_patient_merge_clinic_id", "patient_merge", ["clinic_id"])
    op.create_index("ix_patient_merge_stays_at", "patient_merge", ["stays_id", "at"])
    if op.get_bind().dialect.name == "postgresql":
        named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
        seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
        op.execute("ALTER TABLE patient_merge ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE patient_merge FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_clinic ON patient_merge USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
