"""Why a colleague's phone takes our texts no more, as the carrier or the phone itself said."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the reason; nothing is known of the phones that are there."""
    op.add_column("staff", sa.Column("phone_fault", sa.String(length=20), nullable=True))


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
