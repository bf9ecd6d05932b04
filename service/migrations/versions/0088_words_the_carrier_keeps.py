"""The words of texts that the carrier keeps, owed to be emptied there; sessions as an identity provider calls them."""

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, with all that the carrier was ever given and may still have."""
    op.create_table(
        "carrier_copy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("sid", sa.String(40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_carrier_copy_message_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_carrier_copy"),
    )
    for column in ("clinic_id", "message_id", "sid", "taken_at"):
        op.create_index(f"ix_carrier_copy_{column}", "carrier_copy", [column])
    op.create_index("ix_carrier_copy_work", "carrier_copy", ["try_after"])
    _owe_what_was_texted()
    _sessions_of_providers()
    if op.get_bind().dialect.name == "postgresql":
        for table in ("carrier_copy", "logout_token"):
            _one_clinic_sees_its_own(table)


def _sessions_of_providers() -> None:
    with op.batch_alter_table("staff_session") as batch_op:
        batch_op.add_column(sa.Column("provider_session", sa.LargeBinary(), nullable=True))
        batch_op.create_index("ix_staff_session_provider_session", ["provider_session"])
    op.create_table(
        "logout_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_logout_token"),
        sa.UniqueConstraint("clinic_id", "token", name="uq_logout_token_clinic_id_token"),
    )
    op.create_index("ix_logout_token_clinic_id", "logout_token", ["clinic_id"])


def _owe_what_was_texted() -> None:
    # Whose id is no other row's: the try's own, or the text's.
    op.execute(
        "INSERT INTO carrier_copy (id, clinic_id, message_id, sid, taken_at, try_after, attempts, fence)"
        " SELECT id, clinic_id, message_id, provider_sid, started_at, started_at, 0, 0 FROM attempt"
        " WHERE provider_sid LIKE 'SM%' OR provider_sid LIKE 'MM%'"
    )
    op.execute(
        "INSERT INTO carrier_copy (id, clinic_id, message_id, sid, taken_at, try_after, attempts, fence)"
        " SELECT id, clinic_id, id, provider_sid, created_at, created_at, 0, 0 FROM message"
        " WHERE direction = 'in' AND (provider_sid LIKE 'SM%' OR provider_sid LIKE 'MM%')"
    )


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
