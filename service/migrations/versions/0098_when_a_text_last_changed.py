"""When a text last changed, for whoever asks what is new: a summary of each stretch of the table, on PostgreSQL.

A few hundred kilobytes where a tree would take as much as the texts' own, and no text is written slower for it.
"""

from alembic import op

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None

CHANGED = "GREATEST(created_at, sent_at, delivered_at, emptied_at)"


def upgrade() -> None:
    """Add it, with when each left."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE INDEX ix_message_changed ON message USING brin (({CHANGED}), sent_at)"
                   " WITH (pages_per_range = 32, autosummarize = on)")  # fmt: skip


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
