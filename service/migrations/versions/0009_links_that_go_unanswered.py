"""Links that go unanswered: what follows them up, when they end, and screens that were left half answered."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STILL_OPEN = sa.text("state IN ('open', 'verified')")
WAITING = sa.text("look_at IS NOT NULL")


def upgrade() -> None:
    """Add the follow-ups, the second token of a link, and when a half-answered screen must be looked at."""
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("first_message_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=80), nullable=True),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["intake_link.id"], name=op.f("fk_follow_up_link_id_intake_link")),
        sa.ForeignKeyConstraint(
            ["first_message_id"], ["message.id"], name=op.f("fk_follow_up_first_message_id_message")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_follow_up_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("link_id", name=op.f("uq_follow_up_link_id")),
    )
    op.create_index(op.f("ix_follow_up_clinic_id"), "follow_up", ["clinic_id"])
    op.create_index("ix_follow_up_work", "follow_up", ["state", "try_after"])
    with op.batch_alter_table("intake_link", schema=None) as batch_op:
        batch_op.add_column(sa.Column("second_hash", sa.LargeBinary(), nullable=True))
        batch_op.create_index("ix_intake_link_second", ["second_hash"], unique=True)
        batch_op.create_index(
            "ix_intake_link_ends", ["expires_at"], sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN
        )
    with op.batch_alter_table("screen", schema=None) as batch_op:
        batch_op.add_column(sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_screen_look", ["look_at"], sqlite_where=WAITING, postgresql_where=WAITING)
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("follow_up")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
