"""Feeds are heard by MLLP and paused; two entries of one visit in two EHRs are told to be one."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0051"
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


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
