"""Until when an EHR has heard of the days' texts."""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add from when on the texts of a day are still to be owed; null where they are not."""
    with op.batch_alter_table("ehr_writer") as batch_op:
        batch_op.add_column(sa.Column("days_from", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
