"""Of records that were merged in a chain each names the one that stays, not the next one that is gone as well."""

from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None

STEP = (
    "UPDATE patient SET merged_into"
    " = (SELECT next.merged_into FROM patient AS next WHERE next.id = patient.merged_into)"
    " WHERE merged_into IN (SELECT gone.id FROM patient AS gone WHERE gone.merged_into IS NOT NULL)"
)


def upgrade() -> None:
    """Lead every record to the end of its chain, half of the way at each turn."""
    while op.get_bind().exec_driver_sql(STEP).rowcount > 0:
        pass


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
