"""Asks a human to call about a visit that no text can reach anybody about."""

from sqlalchemy.orm import Session

from config import clock, keys
from messaging import models as messaging
from messaging.inbox import items
from reminders import phrasing
from reminders.models import Appointment


def to_call(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    visit: Appointment,
    reason: str,
) -> None:
    """Ask a human to call about this visit, once, since no text can reach the patient."""
    staff_texts = phrasing.texts("en")["staff"]
    try:
        summary = staff_texts["not_texted"].format(
            why=items.why_not(reason), **phrasing.staff_words(clinic, patient, visit, clock.now())
        )
    except keys.WrongKey:  # the item still leads to the visit
        summary = staff_texts["not_texted_unreadable"]
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=f"appointment:{visit.id}",
        dedupe=f"not_texted:{visit.id}",
        summary=summary,
        patient_id=patient.id,
        answer_by=max(visit.starts_at, clock.now()),
    )
