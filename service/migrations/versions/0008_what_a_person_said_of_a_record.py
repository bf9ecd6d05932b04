"""Who closed a patient's record, and who chose how open texts may be: that outlives the clinic's files."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add who said it last; null where only a file has."""
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state_by", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("privacy_by", sa.String(length=60), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
