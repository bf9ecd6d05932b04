"""The counts of each day that the 90-day review is added up from, and what clinics change to become better."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

# By which the day's rows are found.
INDEXES = (
    ("ix_screen_clinic_submitted", "screen", ["clinic_id", "submitted_at"]),
    ("ix_care_entry_clinic_starts", "care_entry", ["clinic_id", "starts_at"]),
    ("ix_contact_clinic_at", "contact", ["clinic_id", "at"]),
)


def upgrade() -> None:
    """Add the two tables, and what the counting finds its rows by."""
    _figure_day()
    _improvement()
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    for table in ("figure_day", "improvement"):
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            _one_clinic_sees_its_own(table)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _figure_day() -> None:
    op.create_table(
        "figure_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        _moment("counted_at", nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        _moment("try_after"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("lease_until", nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_figure_day"),
        sa.UniqueConstraint("clinic_id", "day", name="uq_figure_day_clinic_id_day"),
    )
    op.create_index("ix_figure_day_work", "figure_day", ["settled", "try_after"])


def _improvement() -> None:
    op.create_table(
        "improvement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(40), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(10), nullable=True),
        sa.Column("words_ct", sa.LargeBinary(), nullable=False),
        sa.Column("learned_ct", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_improvement"),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name="fk_improvement_made_by_staff"),
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
