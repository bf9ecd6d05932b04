"""What routing may ask of a screen: its instrument and the bands it has reached, sealed with its item."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sealed column; items from before carry nothing, and rules about screens pass them over."""
    with op.batch_alter_table("inbox_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("screened_ct", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
