"""Indexes for what is looked for in tables that grow, and for whatever points at a row that retention destroys."""

import sqlalchemy as sa
from alembic import op

revision = "0097"
down_revision = "0094"
branch_labels = None
depends_on = None

POINTING = {
    "care_asking": ("link_id",),
    "colleague_note": ("answers_id",),
    "consent_entry": ("patient_id",),
    "contact": ("item_id", "corrects_id"),
    "feed_visit": ("message_id",),
    "follow_up": ("first_message_id", "message_id"),
    "handoff": ("item_id", "message_id", "visit_id"),
    "intake_link": ("appointment_id",),
    "patient_merge": ("goes_id",),
    "reminder": ("message_id",),
    "satisfaction_asked": ("message_id",),
}


def upgrade() -> None:
    """Add them; those of rare rows hold these alone."""
    for table, columns in POINTING.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    _of_rare_rows("ix_patient_merged_into", "patient", ["merged_into"], "merged_into IS NOT NULL")
    _of_rare_rows("ix_message_staff", "message", ["staff_id", "id"], "staff_id IS NOT NULL")


def _of_rare_rows(name: str, table: str, columns: list[str], rare: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(rare), postgresql_where=sa.text(rare))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
