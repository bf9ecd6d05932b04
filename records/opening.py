"""Rows as the resources read them: sealed words opened, or None where their key is gone with the patient's words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db, keys
from messaging.models import Clinic, Staff


class Opened:
    """A row, and facts beside it; what cannot be opened any more is None."""

    def __init__(self, row: Any, **beside: Any) -> None:
        self.__dict__["row"] = row
        self.__dict__.update(beside)

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self.__dict__["row"], name)
        except keys.WrongKey:
            return None


def load(session: Session, rows: Iterable[Any]) -> None:
    """Open the keys of these rows with one SELECT."""
    db.load_keys(session, {row.key_id for row in rows if getattr(row, "key_id", None)})


def names(session: Session, clinic: Clinic, staff_ids: Sequence[UUID | None]) -> Mapping[UUID, str]:
    """Return what these colleagues of the clinic are called."""
    wanted = {staff_id for staff_id in staff_ids if staff_id is not None}
    if not wanted:
        return {}
    rows = select(Staff.id, Staff.name).where(Staff.clinic_id == clinic.id, db.among(session, Staff.id, wanted))
    return {row.id: row.name for row in session.execute(rows)}
