"""EHRs are asked by us: how each is reached and how far it has been read, the keys that sign for us, what was read of
each resource, and the events that come with an id alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0067"
down_revision = "0065"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the four tables, each row its clinic's alone."""
    _connections()
    _keys()
    _seen()
    _notices()
    for table in ("feed_connection", "feed_key", "feed_seen", "feed_notice"):
        op.create_index(f"ix_{table}_clinic_id", table, ["clinic_id"])
        if op.get_bind().dialect.name == "postgresql":
            named = "(SELECT nullif(current_setting('app.clinic', true), ''))"
            seen = f"CASE WHEN {named} = '*' THEN true ELSE clinic_id::text = {named} END"
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY one_clinic ON {table} USING ({seen}) WITH CHECK ({seen})")


def _table(name: str, *columns: SchemaItem, sealed: bool = False) -> None:
    own = [sa.Column("id", sa.Uuid(), nullable=False), sa.Column("clinic_id", sa.Uuid(), nullable=False)]
    own += [sa.Column("key_id", sa.Uuid(), nullable=False)] if sealed else []
    feed = sa.Column("feed_id", sa.Uuid(), nullable=False)
    refers = sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=f"fk_{name}_feed_id_feed")
    op.create_table(name, *own, feed, *columns, refers, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"))


def _connections() -> None:
    _table(
        "feed_connection",
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("base_url", sa.String(500), nullable=False),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("practice", sa.String(20), nullable=False),
        sa.Column("days_ahead", sa.Integer(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("granted", sa.String(500), nullable=True),
        sa.Column("token_ct", sa.LargeBinary(), nullable=True),
        sa.Column("token_until", MOMENT, nullable=True),
        sa.Column("hub_secret_ct", sa.LargeBinary(), nullable=True),
        sa.Column("heard_at", MOMENT, nullable=True),
        sa.Column("complete_at", MOMENT, nullable=True),
        sa.Column("refused", sa.String(30), nullable=True),
        sa.Column("refused_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("try_after", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.UniqueConstraint("feed_id", name="uq_feed_connection_feed_id"),
        sealed=True,
    )
    op.create_index("ix_feed_connection_work", "feed_connection", ["state", "try_after"])


def _keys() -> None:
    _table(
        "feed_key",
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("algorithm", sa.String(5), nullable=False),
        sa.Column("origin", sa.String(4), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("private_ct", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("signs_from", MOMENT, nullable=False),
        sa.Column("published_until", MOMENT, nullable=True),
        sa.UniqueConstraint("feed_id", "kid", name="uq_feed_key_feed_id_kid"),
        sealed=True,
    )


def _seen() -> None:
    _table(
        "feed_seen",
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.UniqueConstraint("feed_id", "resource", name="uq_feed_seen_feed_id_resource"),
    )
    op.create_index("ix_feed_seen_starts", "feed_seen", ["feed_id", "starts_at"])


def _notices() -> None:
    _table(
        "feed_notice",
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.UniqueConstraint("feed_id", "event", name="uq_feed_notice_feed_id_event"),
    )
    op.create_index("ix_feed_notice_open", "feed_notice", ["feed_id", "done_at"])


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
