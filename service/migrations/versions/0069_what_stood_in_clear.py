"""What stood in clear beside a patient's id is sealed: the kind of a visit and why a step is not for it, the room of a
handoff, how a text was read, sex and wishes, and the words of saved replies and filters.

All of it is one transaction: ended in the middle, nothing has happened, and the next `db upgrade` begins again.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from config import keys

revision = "0069"
down_revision = "0067"
branch_labels = None
depends_on = None

BATCH = 2000
# By table: what stands in clear, and whether it is written down as JSON.
SEALED = {
    "appointment": {"kind": False},
    "handoff": {"place": False},
    "message": {"reading": True},
    "patient": {"sex": False, "wishes": True},
    "saved_reply": {"name": False, "texts": True},
    "saved_filter": {"name": False, "query": True},
}
# Tables that were sealed under no key until now: the clinic's.
NEW_KEYS = ("appointment", "saved_reply", "saved_filter")
OWED = ("saved_reply", "saved_filter")


def upgrade() -> None:
    """Add the sealed columns, seal what is stored, and let the clear ones go."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("PRAGMA secure_delete = ON"))  # no freed page keeps what stood there
    _add()
    opened = _Keys(connection)
    for table, columns in SEALED.items():
        _seal(connection, table, columns, opened)
    _forget_kinds(connection)
    _let_go()


def _add() -> None:
    for table, columns in SEALED.items():
        with op.batch_alter_table(table) as batch:
            if table in NEW_KEYS:
                batch.add_column(sa.Column("key_id", sa.Uuid(), nullable=True))
            for column in columns:
                batch.add_column(sa.Column(f"{column}_ct", sa.LargeBinary(), nullable=True))
    clinic = sa.table("clinic", sa.column("id", sa.Uuid()), sa.column("key_id", sa.Uuid()))
    for name in NEW_KEYS:
        keyless = sa.table(name, sa.column("clinic_id", sa.Uuid()), sa.column("key_id", sa.Uuid()))
        of_clinic = sa.select(clinic.c.key_id).where(clinic.c.id == keyless.c.clinic_id).scalar_subquery()
        op.execute(sa.update(keyless).values(key_id=of_clinic))
    patient = sa.table("patient", sa.column("id", sa.Uuid()), sa.column("key_id", sa.Uuid()))
    handoff = sa.table("handoff", sa.column("patient_id", sa.Uuid()), sa.column("key_id", sa.Uuid()))
    of_patient = sa.select(patient.c.key_id).where(patient.c.id == handoff.c.patient_id).scalar_subquery()
    op.execute(sa.update(handoff).where(handoff.c.key_id.is_(None)).values(key_id=of_patient))


def _let_go() -> None:
    with op.batch_alter_table("saved_filter") as batch:
        batch.drop_constraint("uq_saved_filter_staff_id_name", type_="unique")
        batch.create_index("ix_saved_filter_staff_id", ["staff_id"])
    for table, columns in SEALED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
                if table in OWED:
                    batch.alter_column(f"{column}_ct", existing_type=sa.LargeBinary(), nullable=False)
            if table in OWED:
                batch.alter_column("key_id", existing_type=sa.Uuid(), nullable=False)


class _Keys:
    """Keys of rows by their ids, opened once each; None where a key was destroyed."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._opened: dict[UUID, bytes | None] = {}
        names = [sa.column("id", sa.Uuid()), sa.column("clinic_id", sa.Uuid()), sa.column("wrapped_by", sa.Uuid())]
        self._table = sa.table(
            "data_key", *names, sa.column("master_id", sa.String()), sa.column("wrapped", sa.LargeBinary())
        )

    def of(self, key_id: UUID | None) -> bytes | None:
        if key_id not in self._opened and key_id is not None:
            self._opened[key_id] = self._open(key_id)
        return self._opened.get(key_id) if key_id is not None else None

    def _open(self, key_id: UUID) -> bytes | None:
        row = self._connection.execute(sa.select(self._table).where(self._table.c.id == key_id)).first()
        if row is None:
            return None
        bound = ("data_key", str(row.id), str(row.clinic_id))
        if row.wrapped_by is None:
            return keys.ring().unwrap(row.master_id or "", row.wrapped, *bound)
        above = self.of(row.wrapped_by)
        return None if above is None else keys.unseal(above, row.wrapped, *bound)


def _bare(table: str, columns: dict[str, bool]) -> sa.TableClause:
    ids = [sa.column(name, sa.Uuid()) for name in ("id", "clinic_id", "key_id")]
    clear = [sa.column(name, sa.JSON() if as_json else sa.String()) for name, as_json in columns.items()]
    return sa.table(table, *ids, *clear, *(sa.column(f"{name}_ct", sa.LargeBinary()) for name in columns))


def _pages(connection: sa.Connection, table: sa.TableClause, wanted: sa.Select[Any]) -> Iterator[list[Any]]:
    after: UUID | None = None
    while True:
        some = wanted.order_by(table.c.id).limit(BATCH)
        rows = connection.execute(some if after is None else some.where(table.c.id > after)).all()
        if not rows:
            return
        yield list(rows)
        after = rows[-1].id


def _seal(connection: sa.Connection, name: str, columns: dict[str, bool], opened: _Keys) -> None:
    table = _bare(name, columns)
    filled = sa.or_(*(table.c[column].is_not(None) for column in columns))
    wanted = sa.select(table.c.id, table.c.clinic_id, table.c.key_id, *(table.c[column] for column in columns))
    values: dict[str, Any] = {f"{column}_ct": sa.bindparam(f"new_{column}") for column in columns}
    change = sa.update(table).where(table.c.id == sa.bindparam("row_id")).values(values)
    for rows in _pages(connection, table, wanted.where(filled)):
        sealed = [_sealed(name, columns, row, opened.of(row.key_id)) for row in rows]
        kept = [row for row in sealed if any(value for at, value in row.items() if at != "row_id")]
        if kept:
            connection.execute(change, kept)


def _sealed(name: str, columns: dict[str, bool], row: Any, key: bytes | None) -> dict[str, Any]:
    values: dict[str, Any] = {"row_id": row.id}
    for column, as_json in columns.items():
        plain = _plain(getattr(row, column), as_json, needed=name in OWED)
        bound = (name, f"{column}_ct", str(row.id), str(row.clinic_id))
        values[f"new_{column}"] = None if plain is None or key is None else keys.seal(key, plain, *bound)
    return values


def _plain(value: Any, as_json: bool, *, needed: bool) -> bytes | None:
    if not as_json:
        return None if value is None else value.encode("utf-8", "surrogatepass")
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode() if value or needed else None


def _forget_kinds(connection: sa.Connection) -> None:
    """Why a step is not for a visit named its kind, in clear."""
    table = sa.table("reminder", sa.column("id", sa.Uuid()), sa.column("why", sa.JSON()))
    wanted = sa.select(table.c.id, table.c.why).where(sa.cast(table.c.why, sa.String()).like('%"other_kind"%'))
    change = sa.update(table).where(table.c.id == sa.bindparam("row_id")).values(why=sa.bindparam("new_why"))
    for rows in _pages(connection, table, wanted):
        connection.execute(change, [{"row_id": row.id, "new_why": _nameless(row.why)} for row in rows])


def _nameless(reason: Any) -> Any:
    """Return what is stored of reasons ({"key", "facts"}) without the facts of that one, however deep it lies."""
    if isinstance(reason, list):
        return [_nameless(each) for each in reason]
    if not isinstance(reason, dict):
        return reason
    if reason.get("key") == "other_kind":
        return {"key": "other_kind", "facts": {}}
    return {name: _nameless(each) for name, each in reason.items()}


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
