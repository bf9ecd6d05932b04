"""Beside each episode its totals, sealed once, and totals that came without a form; and who is asked by their phase.

No total is filled in: who reads a caseload first after this makes what is missing, and every later reading compares.
Whoever is in care is looked at from now on; that alone texts nobody, as no clinic has a schedule by phase yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns of an episode, and a row for each that is open."""
    with op.batch_alter_table("care_episode") as batch_op:
        batch_op.add_column(sa.Column("scores_ct", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("scores_of", sa.String(120), nullable=True))
        batch_op.add_column(sa.Column("imported_ct", sa.LargeBinary(), nullable=True))
    _asking()
    if op.get_bind().dialect.name == "postgresql":
        _one_clinic_sees_its_own("care_asking")
    # Whose id is no other row's: the episode's own.
    op.execute(
        "INSERT INTO care_asking (id, clinic_id, episode_id, state, try_after, attempts, fence)"
        " SELECT id, clinic_id, id, 'waiting', phase_at, 0, 0 FROM care_episode WHERE phase <> 'discharged'"
    )


def _asking() -> None:
    op.create_table(
        "care_asking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("try_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["episode_id"], ["care_episode.id"], name="fk_care_asking_episode_id_care_episode"),
        sa.ForeignKeyConstraint(["link_id"], ["intake_link.id"], name="fk_care_asking_link_id_intake_link"),
        sa.PrimaryKeyConstraint("id", name="pk_care_asking"),
        sa.UniqueConstraint("episode_id", name="uq_care_asking_episode_id"),
    )
    op.create_index("ix_care_asking_clinic_id", "care_asking", ["clinic_id"])
    op.create_index("ix_care_asking_work", "care_asking", ["state", "try_after"])


def _one_clinic_sees_its_own(table: str) -> None:
    named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
    seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
