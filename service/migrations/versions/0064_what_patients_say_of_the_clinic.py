"""Who in care is asked how the clinic did, on which occasion, and what they answered.

Whoever is in care is looked at from now on; that alone texts nobody, as no clinic has published its questions yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

TABLES = ("satisfaction_watch", "satisfaction_asked")


def upgrade() -> None:
    """Add both tables, and a row of the first for each open episode."""
    _watch()
    _asked()
    for table in TABLES:
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            _one_clinic_sees_its_own(table)
    # Whose id is no other row's: the episode's own.
    op.execute(
        "INSERT INTO satisfaction_watch (id, clinic_id, episode_id, state, try_after, attempts, fence)"
        " SELECT id, clinic_id, id, 'waiting', phase_at, 0, 0 FROM care_episode WHERE phase <> 'discharged'"
    )


def _watch() -> None:
    op.create_table(
        "satisfaction_watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        _refers("satisfaction_watch", "episode_id", "care_episode"),
        sa.PrimaryKeyConstraint("id", name="pk_satisfaction_watch"),
        sa.UniqueConstraint("episode_id", name="uq_satisfaction_watch_episode_id"),
    )
    op.create_index("ix_satisfaction_watch_work", "satisfaction_watch", ["state", "try_after"])


def _asked() -> None:
    op.create_table(
        "satisfaction_asked",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.String(length=12), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_in", sa.String(length=8), nullable=True),
        sa.Column("named", sa.Boolean(), nullable=True),
        sa.Column("spoke", sa.Boolean(), nullable=False),
        sa.Column("raised", sa.Boolean(), nullable=False),
        sa.Column("said_ct", sa.LargeBinary(), nullable=True),
        sa.Column("words_ct", sa.LargeBinary(), nullable=True),
        _refers("satisfaction_asked", "episode_id", "care_episode"),
        _refers("satisfaction_asked", "link_id", "intake_link"),
        _refers("satisfaction_asked", "message_id", "message"),
        sa.PrimaryKeyConstraint("id", name="pk_satisfaction_asked"),
        sa.UniqueConstraint("episode_id", "occasion", name="uq_satisfaction_asked_episode_id_occasion"),
        sa.UniqueConstraint("link_id", name="uq_satisfaction_asked_link_id"),
    )
    op.create_index("ix_satisfaction_asked_clinic_at", "satisfaction_asked", ["clinic_id", "asked_at"])


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
