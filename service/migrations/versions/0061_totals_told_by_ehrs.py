"""The total of a form as an EHR tells it, sealed, beside the answers it came with."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no form has been told by an EHR yet."""
    op.add_column("screen", sa.Column("told_total_ct", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
