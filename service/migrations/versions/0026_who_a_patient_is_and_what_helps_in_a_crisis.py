"""Address, emergency contact and safety plan of a patient, whose second record was merged, the protocol's ticks."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

DETAILS = ("address_ct", "emergency_name_ct", "emergency_relation_ct", "emergency_phone_ct")


def upgrade() -> None:
    """Add the columns and tables; nothing is known yet. Everybody is indexed anew, to be found by birth date."""
    for name in DETAILS:
        op.add_column("patient", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.add_column("patient", sa.Column("details_by", sa.String(length=60), nullable=True))
    with op.batch_alter_table("patient") as batch_op:
        batch_op.add_column(sa.Column("merged_into", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key("fk_patient_merged_into_patient", "patient", ["merged_into"], ["id"])
    op.execute("UPDATE patient SET names_indexed = false WHERE birth_date_ct IS NOT NULL")
    _safety_plan()
    _protocol_tick()
    if op.get_bind().dialect.name == "postgresql":
        for table in ("safety_plan", "protocol_tick"):
            _one_clinic_sees_its_own(table)


def _safety_plan() -> None:
    op.create_table(
        "safety_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("sections_ct", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_safety_plan_patient_id_patient"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_safety_plan_staff_id_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_safety_plan"),
    )
    op.create_index("ix_safety_plan_clinic_id", "safety_plan", ["clinic_id"])
    op.create_index("ix_safety_plan_patient", "safety_plan", ["patient_id", "id"])


def _protocol_tick() -> None:
    op.create_table(
        "protocol_tick",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.String(length=200), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["inbox_item.id"], name="fk_protocol_tick_item_id_inbox_item"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_protocol_tick_staff_id_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_protocol_tick"),
        sa.UniqueConstraint("item_id", "line", name="uq_protocol_tick_item_id_line"),
    )
    op.create_index("ix_protocol_tick_clinic_id", "protocol_tick", ["clinic_id"])


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
