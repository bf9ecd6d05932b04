"""Keys of a clinic's own programs, and what each was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

TABLES = ("api_key", "api_answer")


def upgrade() -> None:
    """Add the tables."""
    _keys()
    _answers()
    for table in TABLES:
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            _one_clinic_sees_its_own(table)


def _id(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _word(name: str, length: int, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.String(length), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _keys() -> None:
    op.create_table(
        "api_key",
        _id("id"),
        _id("clinic_id"),
        _word("name", 80),
        _bytes("token_hash"),
        sa.Column("scopes", sa.JSON(), nullable=False),
        _id("staff_id", nullable=True),
        _word("created_by", 60),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("last_used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        _word("revoked_by", 60, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("token_hash", name="uq_api_key_token_hash"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_api_key_staff_id_staff"),
    )


def _answers() -> None:
    op.create_table(
        "api_answer",
        _id("id"),
        _id("clinic_id"),
        _id("key_id"),
        _id("api_key_id"),
        _word("operation", 40),
        _bytes("token_hash"),
        _bytes("fingerprint"),
        _id("claim"),
        _moment("lease_until"),
        sa.Column("status", sa.Integer(), nullable=True),
        _bytes("body_ct", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_api_answer"),
        sa.UniqueConstraint(
            "api_key_id", "operation", "token_hash", name="uq_api_answer_api_key_id_operation_token_hash"
        ),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], name="fk_api_answer_api_key_id_api_key"),
    )
    op.create_index("ix_api_answer_at", "api_answer", ["created_at"])


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
