"""Access that a second person agrees to, and since when a colleague counts as one."""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and let everybody who is here have settled from the day on which they were added."""
    with op.batch_alter_table("staff") as batch:
        batch.add_column(sa.Column("settling_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE staff SET settling_since = created_at")
    people = ("staff_id", "asked_by")
    op.create_table(
        "access_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("facts_ct", sa.LargeBinary(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=True),
        sa.Column("ended_by", sa.String(60), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.ForeignKeyConstraint([name], ["staff.id"], name=f"fk_access_request_{name}_staff") for name in people),
        sa.PrimaryKeyConstraint("id", name="pk_access_request"),
    )
    op.create_index("ix_access_request_clinic_id", "access_request", ["clinic_id"])
    op.create_index("ix_access_request_staff_id", "access_request", ["staff_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("access_request")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
