"""Why and how soon somebody is asked for, who wants another time, and which hints a colleague has closed."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was asked for before has no reason and is not urgent, and every hint is still open."""
    op.add_column("handoff", sa.Column("key_id", sa.Uuid(), nullable=True))
    op.add_column("handoff", sa.Column("reason_ct", sa.LargeBinary(), nullable=True))
    op.add_column("handoff", sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("handoff", sa.Column("language", sa.String(length=8), nullable=True))
    asked = sa.text("state = 'change_asked'")
    op.create_index(
        "ix_appointment_change_asked",
        "appointment",
        ["clinic_id", "starts_at"],
        sqlite_where=asked,
        postgresql_where=asked,
    )
    op.add_column("staff", sa.Column("hints_closed", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
