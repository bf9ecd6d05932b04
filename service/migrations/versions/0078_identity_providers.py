"""People who sign in with their clinic's identity provider, and what the clinic proves itself by to it."""

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the provider calls a colleague, and the table of secrets."""
    with op.batch_alter_table("staff") as batch_op:
        batch_op.add_column(sa.Column("sso_subject", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("sso_state", sa.String(8), nullable=True))
        batch_op.add_column(sa.Column("sso_used_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_unique_constraint("uq_staff_clinic_id_sso_subject", ["clinic_id", "sso_subject"])
    op.create_table(
        "provider_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("secret_ct", sa.LargeBinary(), nullable=False),
        sa.Column("changed_by", sa.String(60), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_secret"),
        sa.UniqueConstraint("clinic_id", name="uq_provider_secret_clinic_id"),
    )
    op.create_index("ix_provider_secret_clinic_id", "provider_secret", ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("provider_secret")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
