"""Everything that belongs to a patient: their rows, what refers to these, and what is sealed under their key."""

import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, or_, select, true
from sqlalchemy.orm import Session

from config import db

Rows = dict[str, set[UUID]]
# How many ids one statement names: SQLite takes no more than some thousands.
AT_ONCE = 500


@cache
def facts() -> dict[str, Any]:
    """Return what tables.toml says."""
    return tomllib.loads(Path(__file__).with_name("tables.toml").read_text())


def tables() -> dict[str, Table]:
    """Return every table by its name, what others refer to first."""
    return {table.name: table for table in db.Base.metadata.sorted_tables}


def instead(table: Table, column: str) -> bytes:
    """Return what is sealed in place of the words of a column that may not be null."""
    words: str = facts()["sealed_as"].get(f"{table.name}.{column}", "")
    return words.encode()


def chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Yield the ids in order, as many at once as a statement may name."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def of_patients(session: Session, patient_ids: Collection[UUID], key_ids: Collection[UUID]) -> Rows:
    """Return by table the ids of all rows that belong to these patients, or are sealed under one of these keys.

    A row that names somebody else as its patient is theirs, though it may refer to what is shared.
    """
    found: Rows = defaultdict(set)
    found["patient"] |= set(patient_ids)
    for name, table in tables().items():
        if "key_id" in table.c:
            found[name] |= _ids(session, table, [table.c.key_id.in_(key_ids)])
    fresh = {name: set(ids) for name, ids in found.items() if ids}
    while fresh:
        further: Rows = {}
        for name, table in tables().items():
            new = _referring(session, table, fresh, found["patient"]) - found[name]
            if new:
                further[name] = new
                found[name] |= new
        fresh = further
    return {name: ids for name, ids in found.items() if ids}


def _referring(session: Session, table: Table, to: Rows, patients: Collection[UUID]) -> set[UUID]:
    theirs: ColumnElement[bool] = true()
    if "patient_id" in table.c:
        theirs = or_(table.c.patient_id.is_(None), table.c.patient_id.in_(list(patients)))
    ids: set[UUID] = set()
    for key in table.foreign_keys:
        for some in chunks(to.get(key.column.table.name, ())):
            ids |= _ids(session, table, [key.parent.in_(some), theirs])
    return ids


def _ids(session: Session, table: Table, where: Collection[ColumnElement[bool]]) -> set[UUID]:
    return set(session.scalars(select(table.c.id).where(*where))) if "id" in table.c else set()
