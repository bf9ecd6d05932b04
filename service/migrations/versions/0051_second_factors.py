"""What colleagues prove themselves by beside a password, and how a session began."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of second factors, and say of a session how it began."""
    with op.batch_alter_table("staff_session") as batch:
        for name, length in (("how", 8), ("factor", 8), ("browser", 60)):
            batch.add_column(sa.Column(name, sa.String(length), nullable=True))
        batch.add_column(sa.Column("recovery_id", sa.Uuid(), nullable=True))
    _make("code_device", *_code_device(), unique="staff_id")
    _make("recovery_code", *_recovery_code(), unique="code_hash")
    _make("passkey", *_passkey(), unique="credential_id")
    _make("account_change", *_account_change())
    _make("access_recovery", *_access_recovery())
    for table in ("recovery_code", "passkey", "access_recovery"):
        op.create_index(f"ix_{table}_staff_id", table, ["staff_id"])
    op.create_index("ix_account_change_staff_at", "account_change", ["staff_id", "at"])


def _make(table: str, *columns: "sa.Column[object] | sa.ForeignKeyConstraint", unique: str | None = None) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        *([sa.UniqueConstraint(unique, name=f"uq_{table}_{unique}")] if unique else []),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=f"fk_{table}_staff_id_staff"),
    )
    op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own(table)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _code_device() -> tuple["sa.Column[object]", ...]:
    return (
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("secret_ct", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _moment("made_at"),
        _moment("confirmed_at", nullable=True),
    )


def _recovery_code() -> tuple["sa.Column[object]", ...]:
    return sa.Column("code_hash", sa.LargeBinary(), nullable=False), _moment("used_at", nullable=True)


def _passkey() -> tuple["sa.Column[object]", ...]:
    return (
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        _moment("made_at"),
        _moment("used_at", nullable=True),
    )


def _account_change() -> tuple["sa.Column[object]", ...]:
    return (
        _moment("at"),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
    )


def _access_recovery() -> tuple["sa.Column[object] | sa.ForeignKeyConstraint", ...]:
    people = ("asked_by", "agreed_by", "confirmed_by")
    points = [(name, f"fk_access_recovery_{name}_staff") for name in people]
    columns: list[sa.Column[object]] = [sa.Column(name, sa.Uuid(), nullable=name != "asked_by") for name in people]
    return (
        *columns,
        _moment("asked_at"),
        *(_moment(name, nullable=True) for name in ("agreed_at", "used_at", "confirmed_at")),
        *(sa.ForeignKeyConstraint([name], ["staff.id"], name=key) for name, key in points),
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
