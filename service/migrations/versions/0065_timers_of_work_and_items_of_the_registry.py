"""Timers of work that become proposals, and what of the registry's to-do was made an inbox item."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

TABLES = ("care_timer", "care_due_notice", "care_due_round")
LIVE = sa.text("state IN ('running', 'paused')")
STANDING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Add the tables, empty."""
    _care_timer()
    _care_due_notice()
    _care_due_round()
    for table in TABLES:
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            _one_clinic_sees_its_own(table)


def _own(table: str, *columns: sa.schema.SchemaItem) -> None:
    """Create a table of a clinic's rows."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _care_timer() -> None:
    _own(
        "care_timer",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=6), nullable=True),
        sa.Column("stretches", sa.JSON(), nullable=False),
        _refers("care_timer", "episode_id", "care_episode"),
        _refers("care_timer", "staff_id", "staff"),
    )
    op.create_index("ix_care_timer_episode_id", "care_timer", ["episode_id"])
    op.create_index("ix_care_timer_staff_state", "care_timer", ["staff_id", "state"])
    op.create_index(
        "ix_care_timer_one_a_colleague",
        "care_timer",
        ["staff_id"],
        unique=True,
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )


def _care_due_notice() -> None:
    _own(
        "care_due_notice",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=12), nullable=True),
        _refers("care_due_notice", "episode_id", "care_episode"),
        _refers("care_due_notice", "item_id", "inbox_item"),
    )
    op.create_index("ix_care_due_notice_item_id", "care_due_notice", ["item_id"])
    op.create_index(
        "ix_care_due_notice_standing",
        "care_due_notice",
        ["episode_id", "rule"],
        unique=True,
        postgresql_where=STANDING,
        sqlite_where=STANDING,
    )


def _care_due_round() -> None:
    _own(
        "care_due_round",
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.UniqueConstraint("clinic_id", name="uq_care_due_round_clinic_id"),
    )
    op.create_index("ix_care_due_round_work", "care_due_round", ["state", "try_after"])


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
