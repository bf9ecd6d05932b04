"""What a text is about, whose inbox an item stands in, and texts that wait while two people are talking."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_OF_THE_DESK = sa.text("state IN ('open', 'claimed') AND role = 'front_desk'")


def upgrade() -> None:
    """Add the columns; until now no item has a topic or a role, and no text waits for a conversation."""
    with op.batch_alter_table("inbox_item") as batch_op:
        batch_op.add_column(sa.Column("topic", sa.String(24), nullable=True))
        batch_op.add_column(sa.Column("role", sa.String(20), nullable=True))
    with op.batch_alter_table("message") as batch_op:
        batch_op.add_column(sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_inbox_item_desk",
        "inbox_item",
        ["clinic_id", "rank", "urgency", "answer_by", "id"],
        postgresql_where=_OF_THE_DESK,
        sqlite_where=_OF_THE_DESK,
    )


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
