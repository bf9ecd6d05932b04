"""Emergency access to one patient, when somebody last proved who they are, and what of the audit was signed outside."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, a moment to each session, and to each chain's head what was signed of it last."""
    op.create_table(
        "emergency_access",
        *_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_emergency_access"),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=f"fk_emergency_access_{name}_{table}")
            for name, table in (("staff_id", "staff"), ("patient_id", "patient"), ("reviewed_by", "staff"))
        ),
    )
    for name, columns in (
        ("clinic_id", ["clinic_id"]),
        ("patient_id", ["patient_id"]),
        ("staff_patient", ["staff_id", "patient_id"]),
        ("clinic_began", ["clinic_id", "began_at"]),
    ):
        op.create_index(f"ix_emergency_access_{name}", "emergency_access", columns)
    with op.batch_alter_table("staff_session") as batch:
        batch.add_column(_moment("proved_at", nullable=True))
    with op.batch_alter_table("audit_head") as batch:
        batch.add_column(sa.Column("signed_seq", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(_moment("signed_at", nullable=True))
    op.create_index("ix_audit_entry_clinic_at", "audit_entry", ["clinic_id", "at"])
    op.create_index("ix_audit_entry_about", "audit_entry", ["about"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("emergency_access")


def _columns() -> tuple["sa.Column[object]", ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.String(20), nullable=False),
        sa.Column("reason_ct", sa.LargeBinary(), nullable=False),
        _moment("began_at"),
        _moment("ends_at"),
        _moment("ended_at", nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        _moment("reviewed_at", nullable=True),
        sa.Column("finding", sa.String(10), nullable=True),
        sa.Column("note_ct", sa.LargeBinary(), nullable=True),
    )


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
