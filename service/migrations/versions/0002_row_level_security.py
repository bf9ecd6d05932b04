"""On PostgreSQL, a second wall between clinics: a session sees the clinic it has named, and nothing before that.

The application's role must be neither superuser nor BYPASSRLS; `warmthread doctor` says so if it is.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "appointment", "attempt", "audit_entry", "audit_head", "clinic_cadence", "consent_entry", "conversation",
    "data_key", "form_source", "handoff", "inbox_item", "intake_link", "item_event", "link_session", "message",
    "patient", "patient_number", "receipt", "reminder", "screen", "sign_in_link", "staff", "staff_session", "timer",
)  # fmt: skip


def upgrade() -> None:
    """Add the policies; SQLite has the first wall only."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in [*((name, "clinic_id") for name in TABLES), ("clinic", "id")]:
        named = "nullif(current_setting('app.clinic', true), '')"
        seen = f"{named} = '*' OR {column}::text = {named}"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
