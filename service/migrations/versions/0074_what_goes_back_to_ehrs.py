"""What goes back to EHRs: what each is written, what it is owed, by which reference it knows a patient, and what falls
under 42 CFR Part 2."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0074"
down_revision = "0072"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the three tables, each row its clinic's alone, and the reference of a patient, sealed."""
    with op.batch_alter_table("feed_patient") as batch_op:
        batch_op.add_column(sa.Column("key_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("reference_ct", sa.LargeBinary(), nullable=True))
    _writers()
    _writes()
    _labels()
    for table in ("ehr_writer", "ehr_write", "part_two_label"):
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
            seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def _table(name: str, *columns: SchemaItem) -> None:
    own = [sa.Column("id", sa.Uuid(), nullable=False), sa.Column("clinic_id", sa.Uuid(), nullable=False)]
    op.create_table(name, *own, *columns, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"))


def _feed(name: str) -> list[SchemaItem]:
    refers = sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=f"fk_{name}_feed_id_feed")
    return [sa.Column("feed_id", sa.Uuid(), nullable=False), refers]


def _writers() -> None:
    _table(
        "ehr_writer",
        *_feed("ehr_writer"),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("allows", sa.JSON(), nullable=False),
        sa.Column("refused", sa.String(30), nullable=True),
        sa.Column("refused_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("try_after", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.UniqueConstraint("feed_id", name="uq_ehr_writer_feed_id"),
    )
    op.create_index("ix_ehr_writer_work", "ehr_writer", ["state", "try_after"])


def _writes() -> None:
    _table(
        "ehr_write",
        *_feed("ehr_write"),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("try_after", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=True),
        sa.Column("first_tried_at", MOMENT, nullable=True),
        sa.Column("refused", sa.String(30), nullable=True),
        sa.Column("code", sa.String(20), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.UniqueConstraint("feed_id", "kind", "subject_id", name="uq_ehr_write_feed_id_kind_subject_id"),
    )
    op.create_index("ix_ehr_write_work", "ehr_write", ["feed_id", "state", "try_after"])
    op.create_index("ix_ehr_write_latest", "ehr_write", ["feed_id", "created_at"])


def _labels() -> None:
    _table(
        "part_two_label",
        sa.Column("about", sa.String(80), nullable=False),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("clinic_id", "about", name="uq_part_two_label_clinic_id_about"),
    )


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
