"""Lists in pages that stay right while rows are added, and rows by their id."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Select, select
from sqlalchemy.sql.base import ExecutableOption

from api import cursors
from api.operations import Call
from api.problems import Problem, at
from api.shapes import Listing, Shape
from config import db
from messaging.models import Patient

Shown = TypeVar("Shown", bound=BaseModel)


class Page(Shape, Generic[Shown]):
    """Part of a list, the oldest first. Only where more is there now, `next` goes on; `last` goes on at any time."""

    items: list[Shown]
    next: str | None = Field(None, min_length=1)
    last: str | None = Field(None, min_length=1)


class OfPatient(Listing):
    """A list that can be narrowed to one patient."""

    patient_id: UUID | None = None


def page(
    call: Call,
    listing: str,
    model: Any,
    query: Listing,
    show: Callable[[Any], Shown],
    *conditions: Any,
    beside: Sequence[ExecutableOption] = (),
) -> Page[Shown]:
    """Return the rows of the clinic that come after the cursor, the oldest first: ids grow with time.

    `beside` says what is read with them at once.
    """
    wanted = select(model).where(model.clinic_id == call.clinic.id, *conditions).options(*beside)
    if isinstance(query, OfPatient) and query.patient_id is not None:
        wanted = wanted.where(model.patient_id == query.patient_id)
    if query.after is not None:
        wanted = wanted.where(model.id > UUID(int=cursors.read(call.clinic.id, listing, query.after)))
    rows = _rows(call, wanted.order_by(model.id).limit(query.limit + 1))
    shown = rows[: query.limit]
    return cut(call, listing, [row.id.int for row in shown], [show(row) for row in shown], len(rows) > query.limit)


def cut(call: Call, listing: str, positions: Sequence[int], items: list[Shown], more: bool) -> Page[Shown]:
    """Return a page whose rows stand at these positions."""
    last = cursors.write(call.clinic.id, listing, positions[-1]) if positions else None
    return Page(items=items, next=last if more else None, last=last)


def _rows(call: Call, wanted: Select[Any]) -> list[Any]:
    rows = list(call.session.scalars(wanted))
    db.load_keys(call.session, {row.key_id for row in rows if getattr(row, "key_id", None)})
    return rows


def row(call: Call, model: Any, row_id: UUID, *conditions: Any, lock: bool = False) -> Any:
    """Return the clinic's row of this id. Raises Problem where there is none."""
    wanted = select(model).where(model.clinic_id == call.clinic.id, model.id == row_id, *conditions)
    there = call.session.scalar(wanted.with_for_update() if lock else wanted)
    if there is None:
        raise Problem("not_found")
    return there


def patient(call: Call, patient_id: UUID) -> Patient:
    """Return the patient whom a body names by `patient_id`, locked. Raises Problem where there is none."""
    wanted = select(Patient).where(
        Patient.clinic_id == call.clinic.id, Patient.id == patient_id, Patient.merged_into.is_(None)
    )
    there = call.session.scalar(wanted.with_for_update(key_share=True))
    if there is None:
        raise at("/patient_id", "nobody")
    return there
