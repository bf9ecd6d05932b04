"""Beside each episode, its totals sealed once, and of which forms they were made; and totals that came without a form.

Nothing is filled in: who reads a caseload first after this makes what is missing, and every later reading compares.
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns of an episode."""
    with op.batch_alter_table("care_episode") as batch_op:
        batch_op.add_column(sa.Column("scores_ct", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("scores_of", sa.String(120), nullable=True))
        batch_op.add_column(sa.Column("imported_ct", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
