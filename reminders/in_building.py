"""Until when a patient is taken to be in the building: what their visits say, reckoned anew whenever one changes."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Patient
from reminders.models import Appointment

# How long after the start of a visit somebody who arrived is taken to be in the building.
STAYS = timedelta(hours=2)


def follow(session: Session, patient_ids: Collection[UUID]) -> None:
    """Reckon it for these patients: from the latest visit at which they have arrived, nothing where there is none.

    A visit that is moved, cancelled or given to somebody else after "arrived" was said holds nobody in the building.
    """
    if not patient_ids:
        return
    latest = (
        select(Appointment.patient_id, func.max(Appointment.starts_at))
        .where(db.among(session, Appointment.patient_id, set(patient_ids)), Appointment.state == "arrived")
        .group_by(Appointment.patient_id)
    )
    arrived_at = dict(session.execute(latest).all())
    for patient in session.scalars(select(Patient).where(db.among(session, Patient.id, set(patient_ids)))):
        starts_at = arrived_at.get(patient.id)
        patient.here_until = starts_at + STAYS if starts_at else None
