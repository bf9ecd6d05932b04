"""What somebody in care takes, in words, and that a patient reads their safety plan on their own page."""

import sqlalchemy as sa
from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody reads a plan on their page that nobody has let them read."""
    op.add_column("care_episode", sa.Column("medicines_ct", sa.LargeBinary(), nullable=True))
    op.add_column("safety_plan", sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
