"""Forms on the clinic's tablet: a link may be opened by a short code instead of a text."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where a form is answered, and the code that opens it there."""
    with op.batch_alter_table("intake_link", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("code_hash", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("code_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_intake_link_code_hash"), ["code_hash"], unique=False)


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
