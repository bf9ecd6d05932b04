"""Social needs: the clinic's wording, what was answered, what a person goes after; and plans against a relapse."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

TABLES = ("social_wording", "social_screen", "social_need", "relapse_plan")


def upgrade() -> None:
    """Add the tables, empty."""
    _social_wording()
    _social_screen()
    _social_need()
    _relapse_plan()
    for table in TABLES:
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            _one_clinic_sees_its_own(table)


def _own(table: str, *columns: sa.schema.SchemaItem, sealed: bool = True) -> None:
    """Create a table of a clinic's rows."""
    key = [sa.Column("key_id", sa.Uuid(), nullable=False)] if sealed else []
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        *key,
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _social_wording() -> None:
    _own(
        "social_wording",
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("licence", sa.String(length=600), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("loaded_by", sa.Uuid(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        _refers("social_wording", "loaded_by", "staff"),
        sealed=False,
    )


def _social_screen() -> None:
    _own(
        "social_screen",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("wording_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answers_ct", sa.LargeBinary(), nullable=False),
        _refers("social_screen", "patient_id", "patient"),
        _refers("social_screen", "wording_id", "social_wording"),
        _refers("social_screen", "asked_by", "staff"),
    )
    op.create_index("ix_social_screen_patient", "social_screen", ["patient_id", "id"])


def _social_need() -> None:
    _own(
        "social_need",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("screen_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("domain_ct", sa.LargeBinary(), nullable=False),
        sa.Column("referred_ct", sa.LargeBinary(), nullable=True),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("referred_by", sa.Uuid(), nullable=True),
        _refers("social_need", "patient_id", "patient"),
        _refers("social_need", "screen_id", "social_screen"),
        _refers("social_need", "item_id", "inbox_item"),
        _refers("social_need", "referred_by", "staff"),
        sa.UniqueConstraint("item_id", name="uq_social_need_item_id"),
    )
    op.create_index("ix_social_need_patient", "social_need", ["patient_id", "id"])
    op.create_index("ix_social_need_screen_id", "social_need", ["screen_id"])


def _relapse_plan() -> None:
    _own(
        "relapse_plan",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("sections_ct", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        _refers("relapse_plan", "patient_id", "patient"),
        _refers("relapse_plan", "staff_id", "staff"),
    )
    op.create_index("ix_relapse_plan_patient", "relapse_plan", ["patient_id", "id"])


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
