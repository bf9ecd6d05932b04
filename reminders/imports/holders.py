"""Why a row of visits cannot be taken: nobody has its record number, or its visit is somebody else's."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Clinic, Patient
from reminders.appointments import VisitRecord
from reminders.models import Appointment

UNKNOWN = "patient: no patient has this record number; import the patients first"
TAKEN = "visit: another patient's visit has this number; give it a new one, or cancel the other first"


def why_not(
    session: Session, clinic: Clinic, patients: Sequence[Patient | None], rows: Sequence[VisitRecord]
) -> list[str | None]:
    """Return for each row why it cannot be taken, None where it can. What is cancelled is nobody's visit any more."""
    theirs = _holders(session, clinic, {row.external_id for row in rows})
    return [
        UNKNOWN if patient is None else TAKEN if theirs.get(row.external_id, patient.id) != patient.id else None
        for patient, row in zip(patients, rows, strict=True)
    ]


def _holders(session: Session, clinic: Clinic, numbers: set[str]) -> dict[str, UUID]:
    standing = select(Appointment.external_id, Appointment.patient_id).where(
        Appointment.clinic_id == clinic.id,
        Appointment.source == "import",
        Appointment.state != "cancelled",
        db.among(session, Appointment.external_id, numbers),
    )
    return dict(session.execute(standing).all())
