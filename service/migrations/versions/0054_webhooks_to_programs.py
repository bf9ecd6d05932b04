"""Webhooks to the clinic's own programs: where to, what is brought, every try."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    _make("webhook_endpoint", *_endpoint())
    _make("webhook_delivery", *_delivery())
    _make("webhook_attempt", *_attempt())
    for name, columns in (
        ("subject", ["endpoint_id", "subject", "state", "seq"]),
        ("work", ["state", "endpoint_id", "try_after"]),
        ("at", ["endpoint_id", "at"]),
        ("ended", ["ended_at"]),
    ):
        op.create_index(f"ix_webhook_delivery_{name}", "webhook_delivery", columns)
    op.create_index("ix_webhook_attempt_delivery_id", "webhook_attempt", ["delivery_id"])


def _make(table: str, *columns: "sa.Column[object] | sa.ForeignKeyConstraint | sa.UniqueConstraint") -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own(table)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _word(name: str, length: int, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.String(length), nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _endpoint() -> tuple["sa.Column[object]", ...]:
    return (
        sa.Column("key_id", sa.Uuid(), nullable=False),
        _word("name", 80),
        sa.Column("url_ct", sa.LargeBinary(), nullable=False),
        sa.Column("secret_ct", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret_ct", sa.LargeBinary(), nullable=True),
        _moment("old_secret_until", nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        _word("state", 6),
        _word("why", 8, nullable=True),
        _big("seq"),
        _count("failures"),
        _moment("failing_since", nullable=True),
        _count("notices"),
        _moment("hold_until"),
        _moment("served_at"),
        _word("created_by", 60),
        _moment("created_at"),
        _moment("changed_at"),
        _moment("removed_at", nullable=True),
    )


def _delivery() -> tuple["sa.Column[object] | sa.ForeignKeyConstraint | sa.UniqueConstraint", ...]:
    endpoint = "fk_webhook_delivery_endpoint_id_webhook_endpoint"
    return (
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        _big("seq", nullable=True),
        _word("type", 60),
        _word("subject", 80),
        _word("by", 20),
        _moment("at"),
        _word("state", 9),
        _moment("first_tried_at", nullable=True),
        _moment("ended_at", nullable=True),
        _moment("try_after"),
        _count("attempts"),
        _moment("lease_until", nullable=True),
        _big("fence"),
        _word("last_error", 80, nullable=True),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=endpoint),
        sa.UniqueConstraint("endpoint_id", "seq", name="uq_webhook_delivery_endpoint_id_seq"),
    )


def _attempt() -> tuple["sa.Column[object] | sa.ForeignKeyConstraint", ...]:
    delivery = "fk_webhook_attempt_delivery_id_webhook_delivery"
    return (
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        _moment("at"),
        _count("milliseconds"),
        _count("status", nullable=True),
        _word("error", 20, nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhook_delivery.id"], name=delivery),
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
