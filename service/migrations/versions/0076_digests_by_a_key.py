"""Digests of what feeds say, and of what was read of an EHR, are made anew by the clinic's key: of a bare hash, whoever
has the database alone can try out whom it may be of.

What was said before is told apart as it was: the new digest is made of the one that stood there. Where a clinic's key
was destroyed nothing can be told apart any more, and what stood there goes.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from config import keys

revision = "0076"
down_revision = "0074"
branch_labels = None
depends_on = None

BATCH, KIND = 2000, "feed_digest"
# A bare hash has so many letters; what is shorter is no hash ("restricted", and "" for what is to be read anew).
BARE = 64
DIGESTS: dict[str, Sequence[str]] = {"feed_message": ("event", "control_id"), "feed_seen": ("resource", "digest")}


def upgrade() -> None:
    """Make them anew, clinic by clinic."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("PRAGMA secure_delete = ON"))  # no freed page keeps what stood there
    clinic = sa.table("clinic", sa.column("id", sa.Uuid()), sa.column("key_id", sa.Uuid()))
    for row in connection.execute(sa.select(clinic.c.id, clinic.c.key_id)).all():
        clinic_key = _opened(connection, row.key_id)
        for name, columns in DIGESTS.items():
            if clinic_key is not None:
                _make_anew(connection, name, columns, row.id, keys.index_key(clinic_key, KIND))


def _opened(connection: sa.Connection, key_id: UUID) -> bytes | None:
    """A clinic's key, None where it was destroyed."""
    names = [sa.column(name, sa.Uuid()) for name in ("id", "clinic_id")]
    table = sa.table("data_key", *names, sa.column("master_id", sa.String()), sa.column("wrapped", sa.LargeBinary()))
    row = connection.execute(sa.select(table).where(table.c.id == key_id)).first()
    if row is None or not row.wrapped:
        return None
    return keys.ring().unwrap(row.master_id or "", row.wrapped, "data_key", str(row.id), str(row.clinic_id))


def _make_anew(connection: sa.Connection, name: str, columns: Sequence[str], clinic_id: UUID, key: bytes) -> None:
    ids = [sa.column(of, sa.Uuid()) for of in ("id", "clinic_id")]
    table = sa.table(name, *ids, *(sa.column(column, sa.String()) for column in columns))
    values: dict[str, Any] = {column: sa.bindparam(f"new_{column}") for column in columns}
    change = sa.update(table).where(table.c.id == sa.bindparam("row_id")).values(values)
    for rows in _pages(connection, table, clinic_id):
        new = [{f"new_{column}": _keyed(key, getattr(row, column)) for column in columns} for row in rows]
        connection.execute(change, [{**named, "row_id": row.id} for named, row in zip(new, rows, strict=True)])


def _keyed(key: bytes, bare: str) -> str:
    return keys.blind_index(key, bare).hex() if len(bare) == BARE else bare


def _pages(connection: sa.Connection, table: sa.TableClause, clinic_id: UUID) -> Iterator[list[Any]]:
    after: UUID | None = None
    while True:
        some = sa.select(table).where(table.c.clinic_id == clinic_id).order_by(table.c.id).limit(BATCH)
        rows = connection.execute(some if after is None else some.where(table.c.id > after)).all()
        if not rows:
            return
        yield list(rows)
        after = rows[-1].id
