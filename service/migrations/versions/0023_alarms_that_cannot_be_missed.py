"""What nobody has answered comes first, whom an escalation has asked, who is on it, and one row for a patient."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UNFINISHED = "state IN ('open', 'claimed')"
OWED = f"{UNFINISHED} AND acknowledged_at IS NULL"
BY_DEADLINE = ("rank", "urgency", "answer_by", "id")
# Each index of the inbox: its columns after the clinic's, and the rows that stand in it.
INDEXES = {
    "mine": (
        ("owner_id", *BY_DEADLINE),
        f"{UNFINISHED} AND (acknowledged_at IS NULL OR disposition IS NULL OR disposition != 'replied')",
    ),
    "unassigned": (BY_DEADLINE, f"{UNFINISHED} AND owner_id IS NULL"),
    "waiting": (
        ("owner_id", *BY_DEADLINE),
        f"{UNFINISHED} AND acknowledged_at IS NOT NULL AND disposition = 'replied'",
    ),
    "snoozed": (("owner_id", *BY_DEADLINE), "state = 'snoozed'"),
    "everyone": (BY_DEADLINE, "state != 'done'"),
    "exhausted": (BY_DEADLINE, f"{OWED} AND exhausted_at IS NOT NULL"),
    "escalated": (BY_DEADLINE, f"{OWED} AND escalated_at IS NOT NULL"),
    "unseen_safety": (("answer_by", "id"), f"{OWED} AND urgency = 0"),
}
ANEW = ("mine", "unassigned", "waiting", "snoozed", "everyone", "exhausted")
RANK = "CASE WHEN snoozed_until IS NOT NULL THEN 2 WHEN acknowledged_at IS NOT NULL THEN 1 ELSE 0 END"
THREAD = "coalesce(patient_id, conversation_id, id)"


def upgrade() -> None:
    """Add the columns and the table, and make the indexes of the list anew in its new order."""
    for name in ANEW:
        op.drop_index(f"ix_inbox_item_{name}", "inbox_item")
    with op.batch_alter_table("inbox_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("held_by", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("held_how", sa.String(length=8), nullable=True))
        batch_op.create_foreign_key(op.f("fk_inbox_item_held_by"), "staff", ["held_by"], ["id"])
        for name, kind, kept in (("rank", sa.Integer(), RANK), ("thread_id", sa.Uuid(), THREAD)):
            batch_op.add_column(sa.Column(name, kind, sa.Computed(kept, persisted=True), nullable=False))
    _told()
    for name, (columns, held) in INDEXES.items():
        where = sa.text(held)
        op.create_index(
            f"ix_inbox_item_{name}", "inbox_item", ["clinic_id", *columns],
            postgresql_where=where, sqlite_where=where,
        )  # fmt: skip
    where = sa.text("state != 'done'")
    op.create_index(
        "ix_inbox_item_thread", "inbox_item", ["thread_id", *BY_DEADLINE], postgresql_where=where, sqlite_where=where
    )


def _told() -> None:
    op.create_table(
        "told",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["inbox_item.id"], name=op.f("fk_told_item_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_told_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told")),
        sa.UniqueConstraint("item_id", "staff_id", name=op.f("uq_told_item_id_staff_id")),
    )
    op.create_index("ix_told_clinic_id", "told", ["clinic_id"])
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("told")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
