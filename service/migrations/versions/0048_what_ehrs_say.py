"""The feeds of EHRs, what each has said, word for word and sealed, and since when the newest of each visit is so,
and whom it means by which identifier."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; no clinic has a feed yet."""
    op.create_table(
        "feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("secret_ct", sa.LargeBinary(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sa.UniqueConstraint("name", name="uq_feed_name"),
    )
    op.create_index("ix_feed_clinic_id", "feed", ["clinic_id"])
    _messages()
    op.create_table(
        "feed_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_feed_visit_feed_id_feed"),
        sa.PrimaryKeyConstraint("id", name="pk_feed_visit"),
        sa.UniqueConstraint("feed_id", "visit", name="uq_feed_visit_feed_id_visit"),
    )
    op.create_index("ix_feed_visit_clinic_id", "feed_visit", ["clinic_id"])
    op.create_table(
        "feed_patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("identifier_index", sa.LargeBinary(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_feed_patient_feed_id_feed"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_feed_patient_patient_id_patient"),
        sa.PrimaryKeyConstraint("id", name="pk_feed_patient"),
        sa.UniqueConstraint("feed_id", "identifier_index", name="uq_feed_patient_feed_id_identifier_index"),
    )
    op.create_index("ix_feed_patient_clinic_id", "feed_patient", ["clinic_id"])
    op.create_index("ix_feed_patient_patient_id", "feed_patient", ["patient_id"])
    if op.get_bind().dialect.name == "postgresql":
        for table in ("feed", "feed_message", "feed_visit", "feed_patient"):
            _one_clinic_sees_its_own(table)


def _messages() -> None:
    op.create_table(
        "feed_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("control_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("raw_ct", sa.LargeBinary(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_feed_message_feed_id_feed"),
        sa.PrimaryKeyConstraint("id", name="pk_feed_message"),
        sa.UniqueConstraint("feed_id", "event", name="uq_feed_message_feed_id_event"),
    )
    op.create_index("ix_feed_message_clinic_id", "feed_message", ["clinic_id"])
    op.create_index("ix_feed_message_work", "feed_message", ["state", "try_after"])
    op.create_index("ix_feed_message_latest", "feed_message", ["feed_id", "received_at"])
    op.create_index("ix_feed_message_control", "feed_message", ["feed_id", "control_id"])


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
