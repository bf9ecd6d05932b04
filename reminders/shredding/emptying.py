"""Overwrites what belongs to a destroyed record: nothing is sealed in place of every word, and its key is gone."""

import json
import os
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.orm import Session

from config import clock, db
from messaging.models import Patient
from reminders.shredding import belonging


def empty(session: Session, rows: belonging.Rows, key_id: UUID) -> dict[str, int]:
    """Overwrite or delete these rows, sealed under `key_id` from now on; return how many of each table."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))  # a freed page keeps nothing of what stood there
    tables, gone = belonging.tables(), belonging.facts()["deleted"]
    session.flush()
    _threads(session, rows)
    for name in reversed([name for name in tables if name in rows and name in gone]):
        for some in belonging.chunks(rows[name]):
            session.execute(delete(tables[name]).where(tables[name].c.id.in_(some)))
    for name in (name for name in tables if name in rows and name not in gone):
        for some in belonging.chunks(rows[name]):
            _overwrite(session, tables[name], some, key_id)
    session.expire_all()
    return {name: len(ids) for name, ids in rows.items()}


def _overwrite(session: Session, table: Table, ids: Collection[UUID], key_id: UUID) -> None:
    cleared = belonging.facts()["cleared"].get(table.name, {})
    values: dict[str, Any] = {column: json.loads(value) for column, value in cleared.items()}
    sealed = db.sealed_columns(table)
    values |= {name: None for name in sealed if table.c[name].nullable}
    if table.name == "message":
        values["emptied_at"] = clock.now()
    if values:
        session.execute(update(table).where(table.c.id.in_(ids)).values(values))
    filled = [name for name in sealed if not table.c[name].nullable]
    bare = select(table.c.id, table.c.clinic_id).where(table.c.id.in_(ids))
    for row in session.execute(bare).all() if sealed else ():
        whose = (row.id, row.clinic_id, key_id)
        own = {name: db.closed_for(session, table, name, whose, belonging.instead(table, name)) for name in filled}
        session.execute(update(table).where(table.c.id == row.id).values(key_id=key_id, **own, **_nameless(table)))


def _nameless(table: Table) -> dict[str, Any]:
    """What finds a row again by words or numbers of the patient leads nowhere any more."""
    if table.name == "conversation":
        return {"number_index": os.urandom(16)}
    if table.name == "patient":
        return {"record_index": os.urandom(16), "names_indexed": True}
    return {}


def _threads(session: Session, rows: belonging.Rows) -> None:
    named = [f"{name}:{row_id}" for name in ("patient", "conversation", "inbox_item") for row_id in rows.get(name, ())]
    for table in (belonging.tables()[name] for name in belonging.facts()["of_threads"]):
        for start in range(0, len(named), belonging.AT_ONCE):
            session.execute(delete(table).where(table.c.thread.in_(named[start : start + belonging.AT_ONCE])))


def visits_nameless(session: Session, visit_ids: Collection[UUID]) -> None:
    """Give visits an id of ours in place of the books', so that no file or feed finds them again."""
    table = belonging.tables()["appointment"]
    for visit_id in visit_ids:
        session.execute(update(table).where(table.c.id == visit_id).values(external_id=f"shredded:{visit_id}"))


def destroy_keys(session: Session, patients: Collection[Patient], clinic_key: UUID) -> None:
    """Throw the keys of these patients away, here and in this process's memory."""
    db.destroy_keys(session, {patient.key_id for patient in patients} - {clinic_key})
