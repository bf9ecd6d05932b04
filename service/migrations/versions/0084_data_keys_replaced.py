"""A data key's row holds the key before it while something may be sealed under that, and the keys of blind indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sealed columns, empty until a key is replaced."""
    with op.batch_alter_table("data_key") as batch_op:
        batch_op.add_column(sa.Column("old_wrapped", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("index_wrapped", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
