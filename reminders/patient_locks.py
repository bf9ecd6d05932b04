"""One at a time for a patient: whoever sends, plans or takes back reminders waits until nobody else does so for them.

Two processes that decide at once about one patient would each count only the texts that were there before, and both
send; a visit that is moved while its reminder goes out would not know of the text. The patient's row is the lock:
always taken in the same order, and before any reminder is locked, so that neither waits for the other. What only refers
to a patient, as a text that comes in does, waits for nobody. SQLite has one writer at a time anyway.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import db
from messaging.models import Patient
from reminders.models import Appointment, Reminder

PATIENCE_MS = 5000
LOCK_NOT_AVAILABLE = "55P03"


def take(session: Session, patients: Iterable[UUID]) -> None:
    """Wait for the turn of these patients, and keep it until this transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        locked = select(Patient.id).where(db.among(session, Patient.id, set(patients))).order_by(Patient.id)
        turns = locked.with_for_update(key_share=True).subquery()
        session.scalar(select(func.count()).select_from(turns))


def take_for(session: Session, claims: Sequence[db.Claim]) -> list[db.Claim]:
    """Wait for the turn of the patients whom these claimed reminders are for; return the claims of those who came.

    Not for long: patients whom somebody keeps locked hold up nobody else, and their own are claimed again later.
    """
    whose = select(Reminder.id, Appointment.patient_id).join(Appointment, Reminder.appointment_id == Appointment.id)
    patient_of = {
        row.id: row.patient_id
        for row in session.execute(whose.where(db.among(session, Reminder.id, [claim.id for claim in claims])))
    }
    try:
        with session.begin_nested():
            _be_patient(session, PATIENCE_MS)
            take(session, patient_of.values())
            _be_patient(session, 0)
        return list(claims)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
    free = _take_the_free(session, patient_of.values())
    return [claim for claim in claims if patient_of.get(claim.id) in free]


def _be_patient(session: Session, milliseconds: int) -> None:
    """Wait for locks so long at most in this transaction; 0 is for ever."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))


def _take_the_free(session: Session, patients: Iterable[UUID]) -> set[UUID]:
    locked = select(Patient.id).where(db.among(session, Patient.id, set(patients))).order_by(Patient.id)
    return set(session.scalars(locked.with_for_update(key_share=True, skip_locked=True)))
