"""Writes planned reminders, many at once: on PostgreSQL as columns in one statement, elsewhere row by row in one go."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, text
from sqlalchemy.orm import Session

from reminders.models import Reminder

# COPY is refused to a role that sees only its own clinic's rows; columns in one statement are nearly as fast.
IN_COLUMNS = text(
    """
    INSERT INTO reminder (id, clinic_id, appointment_id, step, revision, state, due_at, try_after, why, attempts, fence)
    SELECT id, clinic_id, appointment_id, step, revision, state, due_at, try_after, CAST(why AS json), 0, 0
    FROM unnest(CAST(:id AS uuid[]), CAST(:clinic_id AS uuid[]), CAST(:appointment_id AS uuid[]), CAST(:step AS text[]),
                CAST(:revision AS int[]), CAST(:state AS text[]), CAST(:due_at AS timestamptz[]),
                CAST(:try_after AS timestamptz[]), CAST(:why AS text[]))
         AS row (id, clinic_id, appointment_id, step, revision, state, due_at, try_after, why)
    """
)
COLUMNS = ("id", "clinic_id", "appointment_id", "step", "revision", "state", "due_at", "try_after", "why")


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert reminders given by their columns, each with every one of COLUMNS."""
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _in_columns(connection, rows)
    else:
        session.execute(insert(Reminder), list(rows))


def _in_columns(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    columns["why"] = [json.dumps(why) for why in columns["why"]]
    connection.execute(IN_COLUMNS, columns)
