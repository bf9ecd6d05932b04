"""What came in: how far the carrier's list has been read, and the pictures and files that came with texts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("inbound_check", "media")


def upgrade() -> None:
    op.create_table(
        "inbound_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("looked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owed_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deep_at", sa.DateTime(timezone=True), nullable=False),
        *_work(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_check")),
        sa.UniqueConstraint("clinic_id", name=op.f("uq_inbound_check_clinic_id")),
    )
    op.create_index(op.f("ix_inbound_check_clinic_id"), "inbound_check", ["clinic_id"])

    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("carrier_sid", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("content_ct", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_work(),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_media_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("message_id", "place", name=op.f("uq_media_message_id_place")),
    )
    op.create_index(op.f("ix_media_clinic_id"), "media", ["clinic_id"])
    op.create_index("ix_media_work", "media", ["state", "try_after"])

    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own()


def _work() -> list[sa.Column[object]]:
    return [
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
    ]


def _one_clinic_sees_its_own() -> None:
    named = "nullif(current_setting('app.clinic', true), '')"
    seen = f"{named} = '*' OR clinic_id::text = {named}"
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
