"""Warm handoffs that close: who was asked and what they answered, what follows when, and how each ended."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
# What the states of before are called now; an open request that nobody was left to be asked for stays asked.
STATES = {"arrived": "met", "not_arrived": "left", "declined": "cancelled", "timed_out": "lost"}
OPEN = ("asked", "offered", "accepted", "told")
WAITING, COMING = ("asked", "offered"), ("accepted", "told")
# For so long a patient is taken to be in the building where a clinic has decided nothing.
STAY = timedelta(minutes=60)
HANDOFF = sa.table(
    "handoff",
    *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id", "offered_to", "colleague_id")),
    *(sa.column(name, sa.String()) for name in ("state", "outcome", "follows")),
    *(sa.column(name, MOMENT) for name in ("requested_at", "accepted_at", "arrived_at", "met_at", "state_at")),
    *(sa.column(name, MOMENT) for name in ("leaves_at", "ended_at")),
    sa.column("stage", sa.Integer()),
    sa.column("tried", sa.JSON()),
)
OFFER = sa.table(
    "handoff_offer",
    *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id", "handoff_id", "staff_id")),
    sa.column("offered_at", MOMENT),
    sa.column("answer", sa.String()),
)


def upgrade() -> None:
    """Add the columns and the table of offers; what is under way goes on where it stood and texts nobody."""
    _columns()
    _offers()
    _states()
    _lose_the_old(datetime.now(UTC))
    _carry_on()
    _carry_offers_over()
    op.execute("ALTER TABLE handoff DROP COLUMN tried")
    op.execute("ALTER TABLE handoff RENAME COLUMN offered_to TO colleague_id")
    op.execute(_set(HANDOFF.c.state.in_(WAITING) | HANDOFF.c.accepted_at.is_(None), colleague_id=None))
    op.drop_index("ix_handoff_work", "handoff")
    op.create_index("ix_handoff_work", "handoff", ["follows", "try_after"])
    op.create_index("ix_handoff_clinic_requested", "handoff", ["clinic_id", "requested_at"])
    if op.get_bind().dialect.name == "postgresql":
        for name in ("modality", "stage"):
            op.alter_column("handoff", name, server_default=None)
        _one_clinic_sees_its_own("handoff_offer")


def _columns() -> None:
    for column in (
        sa.Column("note_ct", sa.LargeBinary(), nullable=True),
        sa.Column("modality", sa.String(length=10), server_default="in_person", nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("stage", sa.Integer(), server_default="0", nullable=False),
        sa.Column("follows", sa.String(length=10), nullable=True),
        sa.Column("state_at", MOMENT, nullable=True),
        sa.Column("leaves_at", MOMENT, nullable=True),
        sa.Column("start_at", MOMENT, nullable=True),
        sa.Column("nudged_at", MOMENT, nullable=True),
        sa.Column("met_at", MOMENT, nullable=True),
        sa.Column("contact_by", MOMENT, nullable=True),
        sa.Column("contact_at", MOMENT, nullable=True),
        sa.Column("door_ct", sa.LargeBinary(), nullable=True),
        sa.Column("door_hash", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("handoff", column)
    with op.batch_alter_table("handoff") as batch_op:
        batch_op.add_column(sa.Column("visit_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key("fk_handoff_visit_id", "appointment", ["visit_id"], ["id"])
    op.create_index("ix_handoff_door_hash", "handoff", ["door_hash"], unique=True)
    op.add_column("staff", sa.Column("named_to_patients", sa.Boolean(), server_default=sa.false(), nullable=False))


def _offers() -> None:
    op.create_table(
        "handoff_offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("handoff_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=True),
        sa.Column("why", sa.String(length=20), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoff.id"], name="fk_handoff_offer_handoff_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_handoff_offer_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handoff_offer"),
        sa.UniqueConstraint("handoff_id", "staff_id", name="uq_handoff_offer_handoff_id_staff_id"),
    )
    op.create_index("ix_handoff_offer_clinic_id", "handoff_offer", ["clinic_id"])


def _set(where: sa.ColumnElement[bool], **values: Any) -> sa.Update:
    return sa.update(HANDOFF).where(where).values(values)


def _states() -> None:
    state, offered_to = HANDOFF.c.state, HANDOFF.c.offered_to
    for was, becomes in STATES.items():
        op.execute(_set(state == was, state=becomes, outcome=becomes))
    op.execute(_set(state == "met", met_at=HANDOFF.c.arrived_at))
    op.execute(_set((state == "requested") & offered_to.is_(None), state="asked"))
    op.execute(_set(state == "requested", state="offered"))
    began = sa.func.coalesce(HANDOFF.c.accepted_at, HANDOFF.c.requested_at)
    op.execute(_set(sa.true(), state_at=began, leaves_at=HANDOFF.c.requested_at))


def _lose_the_old(now: datetime) -> None:
    """End what has been open for longer than anybody stays: until now nobody had to say how one ended.

    Nothing follows, so that nobody is texted about a day long past; its item stays with whoever has it.
    """
    old = HANDOFF.c.state.in_(OPEN) & (HANDOFF.c.requested_at <= now - STAY)
    op.execute(_set(old, state="lost", outcome="lost", ended_at=now))


def _carry_on() -> None:
    """Have what is still under way looked at at once. A patient who was told is not texted a second time."""
    connection, state = op.get_bind(), HANDOFF.c.state
    for row in connection.execute(sa.select(HANDOFF.c.id, HANDOFF.c.requested_at).where(state.in_(OPEN))).all():
        leaves_at = row.requested_at + STAY
        connection.execute(_set(HANDOFF.c.id == row.id, follows="look", leaves_at=leaves_at))
    op.execute(_set(state.in_(COMING), stage=1))


def _carry_offers_over() -> None:
    offers: list[dict[str, Any]] = []
    known = [HANDOFF.c[name] for name in ("id", "clinic_id", "offered_to", "state", "tried", "requested_at")]
    for row in op.get_bind().execute(sa.select(*known).where(HANDOFF.c.state.in_(OPEN))):
        asked: dict[Any, str | None] = {uuid.UUID(tried): "silent" for tried in row.tried or ()}
        if row.offered_to is not None:
            asked[row.offered_to] = None if row.state == "offered" else "accepted"
        common = {"clinic_id": row.clinic_id, "handoff_id": row.id, "offered_at": row.requested_at}
        offers += [
            {**common, "id": uuid.uuid4(), "staff_id": staff_id, "answer": answer} for staff_id, answer in asked.items()
        ]
    if offers:
        op.bulk_insert(OFFER, offers)


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
