"""A thread for each patient among colleagues, tasks, notes between two, and the clinic's board."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = (
    "mention",
    "team_file",
    "task_template",
    "task",
    "colleague_note",
    "announcement",
    "announcement_read",
)


def upgrade() -> None:
    """Add the columns and tables. The notes that were written beside cases are the beginning of each thread."""
    with op.batch_alter_table("contact") as batch_op:
        for name in ("answers_id", "corrects_id", "pinned_by"):
            batch_op.add_column(sa.Column(name, sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key("fk_contact_answers_id_contact", "contact", ["answers_id"], ["id"])
        batch_op.create_foreign_key("fk_contact_corrects_id_contact", "contact", ["corrects_id"], ["id"])
        batch_op.create_foreign_key("fk_contact_pinned_by_staff", "staff", ["pinned_by"], ["id"])
    op.create_index("ix_contact_answers_id", "contact", ["answers_id"])
    _mention()
    _team_file()
    _task_template()
    _task()
    _colleague_note()
    _announcement()
    for table in TABLES:
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            _one_clinic_sees_its_own(table)


def _columns(table: str, *columns: sa.Column[Any], sealed: bool = False) -> list[sa.schema.SchemaItem]:
    """The columns that every table here has, and its own."""
    key = [sa.Column("key_id", sa.Uuid(), nullable=False)] if sealed else []
    own = [sa.Column("id", sa.Uuid(), nullable=False), sa.Column("clinic_id", sa.Uuid(), nullable=False), *key]
    return [*own, *columns, sa.PrimaryKeyConstraint("id", name=f"pk_{table}")]


def _points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _mention() -> None:
    op.create_table(
        "mention",
        *_columns(
            "mention",
            _id("contact_id"),
            _id("staff_id"),
            _id("item_id"),
            _moment("at"),
            _moment("read_at", nullable=True),
            _id("read_by", nullable=True),
        ),
        _points("mention", "contact_id", "contact"),
        _points("mention", "staff_id", "staff"),
        _points("mention", "item_id", "inbox_item"),
        _points("mention", "read_by", "staff"),
        sa.UniqueConstraint("contact_id", "staff_id", name="uq_mention_contact_id_staff_id"),
    )
    for column in ("staff_id", "item_id"):
        op.create_index(f"ix_mention_{column}", "mention", [column])


def _team_file() -> None:
    op.create_table(
        "team_file",
        *_columns(
            "team_file",
            _id("contact_id"),
            sa.Column("place", sa.Integer(), nullable=False),
            sa.Column("name_ct", sa.LargeBinary(), nullable=False),
            sa.Column("type", sa.String(length=40), nullable=False),
            sa.Column("size", sa.Integer(), nullable=False),
            sa.Column("content_ct", sa.LargeBinary(), nullable=False),
            _moment("created_at"),
            sealed=True,
        ),
        _points("team_file", "contact_id", "contact"),
        sa.UniqueConstraint("contact_id", "place", name="uq_team_file_contact_id_place"),
    )


def _task_template() -> None:
    op.create_table(
        "task_template",
        *_columns(
            "task_template",
            sa.Column("name", sa.String(length=80), nullable=False),
            sa.Column("words", sa.String(length=1000), nullable=False),
            sa.Column("hours", sa.Integer(), nullable=False),
            sa.Column("after", sa.JSON(), nullable=False),
            _id("updated_by", nullable=True),
            _moment("updated_at"),
            _moment("retired_at", nullable=True),
        ),
        _points("task_template", "updated_by", "staff"),
    )


def _task() -> None:
    op.create_table(
        "task",
        *_columns(
            "task",
            _id("item_id"),
            _id("template_id", nullable=True),
            sa.Column("made", sa.String(length=16), nullable=False),
            _id("made_by", nullable=True),
            sa.Column("source", sa.String(length=60), nullable=True),
            _id("watcher_id", nullable=True),
            _moment("seen_at", nullable=True),
            sa.Column("words_ct", sa.LargeBinary(), nullable=True),
            sealed=True,
        ),
        _points("task", "item_id", "inbox_item"),
        _points("task", "template_id", "task_template"),
        _points("task", "made_by", "staff"),
        _points("task", "watcher_id", "staff"),
        sa.UniqueConstraint("item_id", name="uq_task_item_id"),
    )
    op.create_index("ix_task_made_by", "task", ["made_by"])
    op.create_index("ix_task_watcher", "task", ["watcher_id", "seen_at"])


def _colleague_note() -> None:
    table = "colleague_note"
    op.create_table(
        table,
        *_columns(
            table,
            _id("from_id"),
            _id("to_id"),
            _id("item_id"),
            _id("answers_id", nullable=True),
            sa.Column("words_ct", sa.LargeBinary(), nullable=False),
            _moment("at"),
            _moment("read_at", nullable=True),
            _id("read_by", nullable=True),
            sealed=True,
        ),
        _points(table, "from_id", "staff"),
        _points(table, "to_id", "staff"),
        _points(table, "item_id", "inbox_item"),
        _points(table, "answers_id", "colleague_note"),
        _points(table, "read_by", "staff"),
    )
    op.create_index("ix_colleague_note_to", table, ["to_id", "at"])
    for column in ("from_id", "item_id"):
        op.create_index(f"ix_colleague_note_{column}", table, [column])


def _announcement() -> None:
    op.create_table(
        "announcement",
        *_columns(
            "announcement",
            _id("staff_id"),
            sa.Column("words_ct", sa.LargeBinary(), nullable=False),
            _moment("at"),
            _moment("ends_at"),
            _id("ended_by", nullable=True),
            sealed=True,
        ),
        _points("announcement", "staff_id", "staff"),
        _points("announcement", "ended_by", "staff"),
    )
    op.create_index("ix_announcement_clinic_ends", "announcement", ["clinic_id", "ends_at"])
    op.create_table(
        "announcement_read",
        *_columns("announcement_read", _id("announcement_id"), _id("staff_id"), _moment("at")),
        _points("announcement_read", "announcement_id", "announcement"),
        _points("announcement_read", "staff_id", "staff"),
        sa.UniqueConstraint("announcement_id", "staff_id", name="uq_announcement_read_announcement_id_staff_id"),
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
