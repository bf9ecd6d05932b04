"""The inbox of a day: contacts, drafts, saved replies and filters, absences, names that can be searched for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNFINISHED = "state IN ('open', 'claimed')"
BY_DEADLINE = ("urgency", "answer_by", "id")
# Each view of the inbox: the columns of its index, and the rows that stand in it.
VIEWS = {
    "mine": (("owner_id", *BY_DEADLINE), f"{UNFINISHED} AND acknowledged_at IS NULL"),
    "unassigned": (BY_DEADLINE, f"{UNFINISHED} AND owner_id IS NULL"),
    "waiting": (("owner_id", *BY_DEADLINE), f"{UNFINISHED} AND acknowledged_at IS NOT NULL"),
    "snoozed": (("owner_id", *BY_DEADLINE), "state = 'snoozed'"),
    "done": (("done_at", "id"), "state = 'done'"),
    "everyone": (BY_DEADLINE, "state <> 'done'"),
    "exhausted": (BY_DEADLINE, f"{UNFINISHED} AND exhausted_at IS NOT NULL AND acknowledged_at IS NULL"),
}
TABLES = ("absence", "contact", "draft", "patient_name", "saved_filter", "saved_reply")


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("cover_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["cover_id"], ["staff.id"], name=op.f("fk_absence_cover_id")),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_absence_created_by")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_absence_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_clinic_id"), ["clinic_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_absence_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index("ix_absence_work", ["ended_at", "try_after"], unique=False)

    op.create_table(
        "draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("thread", sa.String(length=60), nullable=False),
        sa.Column("body_ct", sa.LargeBinary(), nullable=False),
        sa.Column("compose_id", sa.Uuid(), nullable=False),
        sa.Column("seen_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_draft_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("staff_id", "thread", name=op.f("uq_draft_staff_id_thread")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "patient_name",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_patient_name_patient_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_name")),
        sa.UniqueConstraint("patient_id", "token", name=op.f("uq_patient_name_patient_id_token")),
    )
    with op.batch_alter_table("patient_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patient_name_clinic_id"), ["clinic_id"], unique=False)
        batch_op.create_index("ix_patient_name_token", ["clinic_id", "token", "patient_id"], unique=False)

    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_saved_filter_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint("staff_id", "name", name=op.f("uq_saved_filter_staff_id_name")),
    )
    with op.batch_alter_table("saved_filter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_filter_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "saved_reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_saved_reply_staff_id")),
        sa.ForeignKeyConstraint(["updated_by"], ["staff.id"], name=op.f("fk_saved_reply_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_reply")),
    )
    with op.batch_alter_table("saved_reply", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_reply_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words_ct", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("struck_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_contact_conversation_id")),
        sa.ForeignKeyConstraint(["item_id"], ["inbox_item.id"], name=op.f("fk_contact_item_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_contact_patient_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_contact_staff_id")),
        sa.ForeignKeyConstraint(["struck_by"], ["staff.id"], name=op.f("fk_contact_struck_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_clinic_id"), ["clinic_id"], unique=False)
        batch_op.create_index("ix_contact_conversation_at", ["conversation_id", "at"], unique=False)
        batch_op.create_index("ix_contact_patient_at", ["patient_id", "at"], unique=False)

    with op.batch_alter_table("inbox_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("snoozed_for", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("exhausted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index("ix_inbox_item_list")
        batch_op.drop_index("ix_inbox_item_owner")
    for view, (columns, held) in VIEWS.items():
        where = sa.text(held)
        op.create_index(
            f"ix_inbox_item_{view}", "inbox_item", ["clinic_id", *columns],
            postgresql_where=where, sqlite_where=where,
        )  # fmt: skip

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.add_column(sa.Column("names_indexed", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("here_until", sa.DateTime(timezone=True), nullable=True))

    op.create_index(
        "ix_patient_names_owed",
        "patient",
        ["created_at"],
        sqlite_where=sa.text("names_indexed = 0"),
        postgresql_where=sa.text("NOT names_indexed"),
    )
    op.create_index("ix_appointment_clinic_day", "appointment", ["clinic_id", "starts_at"])

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("on_call", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("notify", sa.JSON(), nullable=False, server_default="{}"))

    # So that the places and instruments a clinic really has are found without reading every visit and screen.
    op.create_index("ix_appointment_place", "appointment", ["clinic_id", "place"])
    op.create_index("ix_screen_instrument", "screen", ["clinic_id", "instrument"])

    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own()


def _one_clinic_sees_its_own() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_clinic ON {table} USING (false)")
    # The same wall as before for every table, said so that the setting is read once for a statement instead of once
    # for a row, and so that the planner does not take the wall for a filter that lets a hundredth through: it would
    # rather sort ten thousand items than walk an index to the fiftieth.
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    walled = sa.text(
        "SELECT tablename FROM pg_policies WHERE policyname = 'one_clinic' AND schemaname = current_schema()"
    )
    for table in op.get_bind().scalars(walled).all():
        column = "id" if table == "clinic" else "clinic_id"
        seen = f"CASE WHEN {named} = '*' THEN true ELSE {column}::text = {named} END"
        op.execute(f"ALTER POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
