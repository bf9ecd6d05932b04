"""On PostgreSQL the database itself refuses that a line of the audit log is changed once sealed, or taken away.

A line may be sealed (seq, prev, hash) once; a head only goes on. Whoever owns the tables could take these triggers away
again, which is why the service works as a role that owns nothing (`warmthread db roles`).
"""

from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

LINE = """
CREATE OR REPLACE FUNCTION audit_line_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.seq IS NULL AND NEW.detail::text = OLD.detail::text
       AND (NEW.id, NEW.clinic_id, NEW.at, NEW.actor, NEW.act, NEW.about)
           IS NOT DISTINCT FROM (OLD.id, OLD.clinic_id, OLD.at, OLD.actor, OLD.act, OLD.about) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'a line of the audit log stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$
"""
HEAD = """
CREATE OR REPLACE FUNCTION audit_head_goes_on() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.clinic_id = OLD.clinic_id AND NEW.seq >= OLD.seq AND NEW.signed_seq >= OLD.signed_seq
       AND (NEW.seq > OLD.seq OR NEW.hash = OLD.hash) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the head of the audit log only goes on' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    """Make the triggers; SQLite has no roles, and whoever has its file could take them away."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for function, table, body in (
        ("audit_line_stays", "audit_entry", LINE),
        ("audit_head_goes_on", "audit_head", HEAD),
    ):
        op.execute(body)
        rows = f"CREATE TRIGGER {function} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW"
        whole = f"CREATE TRIGGER {function}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
        for trigger in (rows, whole):
            op.execute(f"{trigger} EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
