"""One at a time for a patient: whoever sends, plans or takes back reminders waits until nobody else does so for them.

Two processes that decide at once about one patient would each count only the texts that were there before, and both
send; a visit that is moved while its reminder goes out would not know of the text. The patient's row is the lock:
always taken in the same order, and before any reminder is locked, so that neither waits for the other. What only refers
to a patient, as a text that comes in does, waits for nobody. SQLite has one writer at a time anyway.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Patient
from reminders.models import Appointment, Reminder


def take(session: Session, patients: Iterable[UUID]) -> None:
    """Wait for the turn of these patients, and keep it until this transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        locked = select(Patient.id).where(db.among(session, Patient.id, set(patients))).order_by(Patient.id)
        turns = locked.with_for_update(key_share=True).subquery()
        session.scalar(select(func.count()).select_from(turns))


def take_for(session: Session, claims: Sequence[db.Claim]) -> None:
    """Wait for the turn of the patients whom these claimed reminders are for."""
    whose = select(Appointment.patient_id).join(Reminder, Reminder.appointment_id == Appointment.id)
    take(session, session.scalars(whose.where(db.among(session, Reminder.id, [one.id for one in claims]))))
