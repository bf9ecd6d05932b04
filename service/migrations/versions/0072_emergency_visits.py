"""Visits to emergency departments as feeds tell them, and which patients a feed could tell them of."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables; whom a feed knows already is covered by it since it first named them."""
    op.create_table(
        "emergency_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("external_id", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_emergency_visit_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_emergency_visit"),
        sa.UniqueConstraint(
            "clinic_id", "source", "external_id", name="uq_emergency_visit_clinic_id_source_external_id"
        ),
    )
    op.create_index("ix_emergency_visit_clinic_id", "emergency_visit", ["clinic_id"])
    op.create_index("ix_emergency_visit_patient_at", "emergency_visit", ["patient_id", "at"])
    op.create_index("ix_emergency_visit_clinic_at", "emergency_visit", ["clinic_id", "at"])
    op.create_table(
        "emergency_cover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_emergency_cover_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_emergency_cover"),
    )
    op.create_index("ix_emergency_cover_clinic_id", "emergency_cover", ["clinic_id"])
    op.create_index("ix_emergency_cover_patient", "emergency_cover", ["patient_id"])
    _cover_those_who_are_known()
    if op.get_bind().dialect.name == "postgresql":
        for table in ("emergency_visit", "emergency_cover"):
            _one_clinic_sees_its_own(table)


def _cover_those_who_are_known() -> None:
    """A row's id says when it was made (UUIDv7)."""
    connection = op.get_bind()
    link = sa.table(
        "feed_patient", *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id", "feed_id", "patient_id"))
    )
    feed = sa.table("feed", sa.column("id", sa.Uuid()), sa.column("name", sa.String()))
    known = sa.select(link.c.clinic_id, link.c.patient_id, feed.c.name, sa.func.min(sa.cast(link.c.id, sa.String(36))))
    known = known.join(feed, feed.c.id == link.c.feed_id)
    rows = [
        {
            "id": uuid4(),
            "clinic_id": clinic_id,
            "patient_id": patient_id,
            "source": f"ehr.{name}",
            "since": datetime.fromtimestamp((UUID(first).int >> 80) / 1000, UTC),
        }
        for clinic_id, patient_id, name, first in connection.execute(
            known.group_by(link.c.clinic_id, link.c.patient_id, feed.c.name)
        )
    ]
    cover = sa.table(
        "emergency_cover",
        *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id", "patient_id")),
        sa.column("source", sa.String()),
        sa.column("since", sa.DateTime(timezone=True)),
    )
    if rows:
        connection.execute(sa.insert(cover), rows)


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
