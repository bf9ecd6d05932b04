"""Episodes of care, what was done in them, and case reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TABLES = ("care_episode", "care_entry", "case_review", "care_month")


def upgrade() -> None:
    """Add the tables of the registry."""
    _episode()
    _entry()
    _review()
    _month()
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


def _points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _episode() -> None:
    people = ("enrolled_by", "consent_by", "practitioner_id", "manager_id")
    op.create_table(
        "care_episode",
        _id("id"),
        _id("clinic_id"),
        _id("key_id"),
        _id("patient_id"),
        _word("phase", 20),
        _moment("phase_at"),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        _word("consent", 10),
        _moment("consent_at"),
        _word("consent_language", 8),
        *(_id(name) for name in people),
        _id("consultant_id", nullable=True),
        _word("payer", 20),
        _word("scale", 20),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("plan_on", "check_on", "ended_on")),
        _id("ended_by", nullable=True),
        _word("end_reason", 20, nullable=True),
        sa.Column("initiating_on", sa.Date(), nullable=True),
        _word("initiating_code", 10, nullable=True),
        *(sa.Column(name, sa.LargeBinary(), nullable=True) for name in ("diagnosis_ct", "question_ct")),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_care_episode"),
        _points("care_episode", "patient_id", "patient"),
        *(_points("care_episode", name, "staff") for name in (*people, "consultant_id", "ended_by")),
    )
    op.create_index("ix_care_episode_patient_id", "care_episode", ["patient_id"])
    op.create_index("ix_care_episode_manager_id", "care_episode", ["manager_id"])
    op.create_index("ix_care_episode_clinic_phase", "care_episode", ["clinic_id", "phase"])


def _entry() -> None:
    op.create_table(
        "care_entry",
        _id("id"),
        _id("clinic_id"),
        _id("episode_id"),
        _id("staff_id"),
        _word("kind", 20),
        sa.Column("live", sa.Boolean(), nullable=False),
        *(_moment(name) for name in ("starts_at", "ends_at", "made_at")),
        _word("source", 60, nullable=True),
        _moment("struck_at", nullable=True),
        _id("struck_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_care_entry"),
        sa.UniqueConstraint("episode_id", "source", name="uq_care_entry_episode_id_source"),
        _points("care_entry", "episode_id", "care_episode"),
        _points("care_entry", "staff_id", "staff"),
        _points("care_entry", "struck_by", "staff"),
    )
    op.create_index("ix_care_entry_episode_starts", "care_entry", ["episode_id", "starts_at"])
    op.create_index("ix_care_entry_staff_starts", "care_entry", ["staff_id", "starts_at"])


def _review() -> None:
    op.create_table(
        "case_review",
        _id("id"),
        _id("clinic_id"),
        _id("key_id"),
        _id("episode_id"),
        _id("by_id"),
        _id("written_by"),
        _moment("at"),
        _word("decision", 12),
        sa.Column("words_ct", sa.LargeBinary(), nullable=True),
        _id("to_id", nullable=True),
        _id("item_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_case_review"),
        _points("case_review", "episode_id", "care_episode"),
        *(_points("case_review", name, "staff") for name in ("by_id", "written_by", "to_id")),
        _points("case_review", "item_id", "inbox_item"),
    )
    op.create_index("ix_case_review_episode_at", "case_review", ["episode_id", "at"])
    op.create_index("ix_case_review_item_id", "case_review", ["item_id"])


def _month() -> None:
    op.create_table(
        "care_month",
        _id("id"),
        _id("clinic_id"),
        _id("key_id"),
        _id("episode_id"),
        _word("month", 7),
        sa.Column("codes", sa.JSON(), nullable=False),
        _moment("closed_at"),
        _id("closed_by"),
        sa.Column("evidence_ct", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_care_month"),
        sa.UniqueConstraint("episode_id", "month", name="uq_care_month_episode_id_month"),
        _points("care_month", "episode_id", "care_episode"),
        _points("care_month", "closed_by", "staff"),
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
