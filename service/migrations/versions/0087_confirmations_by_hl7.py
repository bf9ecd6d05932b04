"""Which message says a visit, so that its confirmation goes back by HL7, and what proves us to an interface engine."""

import sqlalchemy as sa
from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; of visits that were told before it is null, until their EHR says them again."""
    with op.batch_alter_table("feed_visit") as batch_op:
        batch_op.add_column(sa.Column("message_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key("fk_feed_visit_message_id_feed_message", "feed_message", ["message_id"], ["id"])
    with op.batch_alter_table("feed_connection") as batch_op:
        batch_op.add_column(sa.Column("certificate_ct", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("authorities_ct", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
