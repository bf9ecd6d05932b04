"""What the page of opt-out mismatches looks for is a small part of all texts and of the ledger, and is indexed."""

import sqlalchemy as sa
from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an index of the texts that have an error code, and one of the lines that revoke."""
    coded, revoked = sa.text("error_code IS NOT NULL"), sa.text("event = 'revoked'")
    op.create_index(
        "ix_message_error_code", "message", ["clinic_id", "error_code"], sqlite_where=coded, postgresql_where=coded
    )
    op.create_index(
        "ix_consent_entry_revoked",
        "consent_entry",
        ["clinic_id", "number_index"],
        sqlite_where=revoked,
        postgresql_where=revoked,
    )


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
