"""Visits as the clinic's own system has them: what an import does, for one visit at a time."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from api import books, pages
from api.operations import Answer, Call, Operation
from api.pages import OfPatient, Page
from api.problems import at
from api.shapes import Line, Moment, Nothing, Shape
from reminders import appointments
from reminders.imports import csv_import, records
from reminders.models import Appointment

# The same source as that of files: by file or by program, it is one visit of the clinic's books.
SOURCE = "import"
COLUMNS = {"external_id": "visit", "record": "patient"}


class VisitIn(Shape):
    """A visit under the clinic's own id. Times have an offset, or are by the clock of `zone`, else of its site."""

    external_id: Line = Field(min_length=1, max_length=80)
    record: Line = Field(min_length=1, max_length=80)
    starts_at: Line = Field(min_length=1, max_length=40, examples=["2026-03-10T09:00", "2026-03-10T15:00:00Z"])
    zone: Line | None = Field(None, max_length=60, examples=["America/Denver"])
    booked_at: Line | None = Field(None, max_length=40)
    place: Line | None = Field(None, max_length=120)
    clinician: Line | None = Field(None, max_length=120)
    kind: Line | None = Field(None, max_length=40)
    state: Literal["booked", "cancelled", "arrived", "no_show"] = "booked"


class Visit(Shape):
    """A visit as it stands: also confirmed, or a change asked for, by the patient. `zone` is whose clock it follows."""

    id: UUID
    external_id: str
    patient_id: UUID
    starts_at: Moment
    zone: str
    booked_at: Moment
    place: str | None
    clinician: str | None
    kind: str | None
    state: Literal["booked", "confirmed", "change_asked", "cancelled", "arrived", "no_show"]
    revision: int
    confirmed_at: Moment | None
    arrived_at: Moment | None
    created_at: Moment
    updated_at: Moment


def _shown(visit: Appointment) -> Visit:
    return Visit(**{name: getattr(visit, name) for name in Visit.model_fields})


def _list(call: Call, query: OfPatient) -> Page[Visit]:
    """List the visits."""
    return pages.page(call, "appointments", Appointment, query, _shown)


def _get(call: Call, id: UUID) -> Visit:
    """Read one visit."""
    return _shown(pages.row(call, Appointment, id))


def _save(call: Call, body: VisitIn) -> Answer:
    """Create a visit, or bring it up to date, by the clinic's own id of it; its reminders are planned anew."""
    record = books.read(records.visit, call.clinic, body, COLUMNS)
    became = csv_import.store_visits(call.session, call.clinic, [record], call.actor)[0]
    if isinstance(became, csv_import.Refused):
        raise at("/record", "nobody")
    call.session.flush()
    saved = select(Appointment).where(
        Appointment.clinic_id == call.clinic.id,
        Appointment.source == SOURCE,
        Appointment.external_id == record.external_id,
    )
    return Answer(201 if became.change == "created" else 200, _shown(call.session.scalars(saved).one()))


def _cancel(call: Call, id: UUID, body: Nothing) -> Visit:  # noqa: ARG001 - a body without a field
    """Cancel a visit; what was planned for it is taken back."""
    visit = pages.row(call, Appointment, id, lock=True)
    appointments.cancel(call.session, visit, call.actor)
    return _shown(visit)


OPERATIONS = (
    Operation(
        "appointments.list", "GET", "/appointments", _list, "appointments.read", "appointment",
        {200: Page[Visit]}, query=OfPatient,
    ),
    Operation(
        "appointments.save", "POST", "/appointments", _save, "appointments.write", "appointment",
        {201: Visit, 200: Visit}, body=VisitIn,
    ),
    Operation(
        "appointments.get", "GET", "/appointments/{id}", _get, "appointments.read", "appointment", {200: Visit}
    ),
    Operation(
        "appointments.cancel", "POST", "/appointments/{id}/cancel", _cancel, "appointments.write", "appointment",
        {200: Visit}, body=Nothing,
    ),
)  # fmt: skip
