"""The day of a plan against a relapse was set when that phase began, written or not: days of no plan go."""

from alembic import op

revision = "0120"
down_revision = "0099"
branch_labels = None
depends_on = None

# What came with a file was in its phase before it was written down here, and keeps the day that the file told.
STEP = (
    "UPDATE care_episode SET plan_on = NULL"
    " WHERE plan_on IS NOT NULL AND phase = 'relapse_prevention' AND phase_at >= created_at"
    " AND NOT EXISTS (SELECT 1 FROM relapse_plan WHERE relapse_plan.patient_id = care_episode.patient_id)"
)


def upgrade() -> None:
    """Take out the days of plans that nobody wrote."""
    op.execute(STEP)


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
