"""Why the web server did not take a self-check's answer."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the web door said of the last answer."""
    with op.batch_alter_table("self_check") as batch_op:
        batch_op.add_column(sa.Column("door_error", sa.String(40), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
