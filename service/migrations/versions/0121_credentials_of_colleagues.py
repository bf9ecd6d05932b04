"""A colleague's credential, as whoever audits a claim wants to read it beside the name: "LCSW", "RN", "MD"."""

import sqlalchemy as sa
from alembic import op

revision = "0121"
down_revision = "0120"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty for everybody."""
    op.add_column("staff", sa.Column("credential", sa.String(40), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("staff", "credential", server_default=None)


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
