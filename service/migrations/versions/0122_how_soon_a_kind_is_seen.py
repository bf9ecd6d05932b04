"""The newest items of one kind, for how soon each kind is seen: a rare kind is not looked for among all the others."""

from alembic import op

revision = "0122"
down_revision = "0121"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_inbox_item_kind", "inbox_item", ["clinic_id", "kind", "created_at"])


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
