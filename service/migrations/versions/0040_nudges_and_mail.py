"""By which ways each colleague hears of what; their confirmed addresses, the mails that wait, and their calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0035"
branch_labels = None
depends_on = None

WORK = (
    ("try_after", sa.DateTime(timezone=True), False),
    ("attempts", sa.Integer(), False),
    ("lease_until", sa.DateTime(timezone=True), True),
    ("fence", sa.BigInteger(), False),
    ("last_error", sa.String(length=80), True),
)


def upgrade() -> None:
    """Add the tables, and say of each kind which ways were chosen."""
    _mail_address()
    _mail()
    _duty_feed()
    _choices()
    if op.get_bind().dialect.name == "postgresql":
        for table in ("mail_address", "mail", "duty_feed"):
            _one_clinic_sees_its_own(table)


def _work() -> list[sa.Column[object]]:
    return [sa.Column(name, kind, nullable=nullable) for name, kind, nullable in WORK]


def _mail_address() -> None:
    op.create_table(
        "mail_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=20), nullable=True),
        *_work(),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_mail_address_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mail_address"),
        sa.UniqueConstraint("staff_id", name="uq_mail_address_staff_id"),
        sa.UniqueConstraint("token_hash", name="uq_mail_address_token_hash"),
    )
    op.create_index("ix_mail_address_clinic_id", "mail_address", ["clinic_id"])
    op.create_index("ix_mail_address_work", "mail_address", ["confirmed_at", "try_after"])


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=8), nullable=True),
        sa.Column("subject_ct", sa.LargeBinary(), nullable=False),
        sa.Column("body_ct", sa.LargeBinary(), nullable=False),
        sa.Column("dedupe", sa.String(length=160), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useful_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *_work(),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_mail_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
        sa.UniqueConstraint("clinic_id", "dedupe", name="uq_mail_clinic_id_dedupe"),
    )
    op.create_index("ix_mail_clinic_id", "mail", ["clinic_id"])
    op.create_index("ix_mail_staff_id", "mail", ["staff_id"])
    op.create_index("ix_mail_work", "mail", ["state", "try_after"])


def _duty_feed() -> None:
    op.create_table(
        "duty_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_duty_feed_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_duty_feed"),
        sa.UniqueConstraint("staff_id", name="uq_duty_feed_staff_id"),
        sa.UniqueConstraint("token_hash", name="uq_duty_feed_token_hash"),
    )
    op.create_index("ix_duty_feed_clinic_id", "duty_feed", ["clinic_id"])


def _choices() -> None:
    """What was "text" or "inbox" for a kind says now whether that kind is texted."""
    connection = op.get_bind()
    staff = sa.table("staff", sa.column("id", sa.Uuid()), sa.column("notify", sa.JSON()))
    for staff_id, notify in connection.execute(sa.select(staff.c.id, staff.c.notify)).all():
        ways = {kind: {"text": how == "text"} for kind, how in notify.items() if isinstance(how, str)}
        if ways:
            connection.execute(staff.update().where(staff.c.id == staff_id).values(notify={**notify, **ways}))


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
