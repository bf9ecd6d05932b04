"""Queued texts by clinic, so that each clinic has its turn."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an index of the texts that wait to leave."""
    queued = sa.text("state = 'queued'")
    op.create_index(
        "ix_message_turns",
        "message",
        ["clinic_id", "lane", "try_after"],
        sqlite_where=queued,
        postgresql_where=queued,
    )


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
