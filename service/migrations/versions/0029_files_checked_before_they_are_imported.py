"""What is found in a file before a row of it is imported, what its words mean, and whether it is complete."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is sealed of a file, how far it is checked, and what a complete one leaves out."""
    for name in ("counts_ct", "meanings_ct", "findings_ct"):
        op.add_column("import_run", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.add_column("import_run", sa.Column("parts_checked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("import_run", sa.Column("complete", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("import_run", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for name in ("parts_checked", "complete"):
            op.alter_column("import_run", name, server_default=None)


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
