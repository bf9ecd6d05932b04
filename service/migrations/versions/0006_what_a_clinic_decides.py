"""What a clinic decides, in editions: drafts, what is in force, what was.

The published cadences become the first of them."""

import json
import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('draft', 'asked')")
LIVE = sa.text("state = 'live'")


def upgrade() -> None:
    """Add the editions and the kind of a visit; carry the cadences over."""
    edition = op.create_table(
        "edition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("edit", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=True),
        sa.Column("written_by", sa.String(length=60), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=True),
        sa.Column("published_by", sa.String(length=60), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("clinic_id", "kind", "number", name=op.f("uq_edition_clinic_id_kind_number")),
    )
    op.create_index(op.f("ix_edition_clinic_id"), "edition", ["clinic_id"])
    for name, where in (("open", OPEN), ("live", LIVE)):
        op.create_index(
            f"uq_edition_{name}", "edition", ["clinic_id", "kind"],
            unique=True, sqlite_where=where, postgresql_where=where,
        )  # fmt: skip
    _carry_over(edition)
    op.drop_table("clinic_cadence")
    with op.batch_alter_table("appointment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=40), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("edition")


def _carry_over(edition: sa.Table) -> None:
    found = op.get_bind().execute(
        sa.text("SELECT clinic_id, version, definition, published_by, published_at FROM clinic_cadence")
    )
    for clinic_id, version, definition, by, at in found.all():
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        op.get_bind().execute(
            edition.insert().values(
                id=uuid.uuid4(), clinic_id=uuid.UUID(str(clinic_id)), kind="cadence", state="live",
                number=version, based_on=version - 1, edit=1,
                definition=json.loads(definition) if isinstance(definition, str) else definition,
                written_by=by, written_at=moment, published_by=by, published_at=moment,
            )
        )  # fmt: skip


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
