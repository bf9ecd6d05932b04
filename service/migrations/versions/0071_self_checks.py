"""A made-up clinic by which the service checks itself, and how its last check went."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say of clinics whether they are made up, and add the table of the self-check."""
    with op.batch_alter_table("clinic") as batch_op:
        batch_op.add_column(sa.Column("synthetic", sa.String(8), nullable=True))
    moments = ("begun_at", "seen_at", "late_at", "pinged_at")
    op.create_table(
        "self_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("event", sa.String(40), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in moments),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("ping_error", sa.String(40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_self_check"),
        sa.UniqueConstraint("clinic_id", name="uq_self_check_clinic_id"),
    )
    op.create_index("ix_self_check_clinic_id", "self_check", ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("self_check")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
