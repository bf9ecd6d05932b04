"""One moment is one visit to the patient, under however many ids the clinic's books have it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from config import db
from reminders.models import Appointment, Reminder

# What a patient has said of a visit, which holds for whatever else the books have at that moment.
SAID = ("confirmed", "change_asked")
GONE = ("cancelled", "no_show")


def one_each(visits: Iterable[Appointment]) -> list[Appointment]:
    """Return the first of these visits of each moment, in their order."""
    first: dict[object, Appointment] = {}
    for visit in visits:
        first.setdefault((visit.patient_id, visit.starts_at), visit)
    return list(first.values())


def same(visit: Appointment, other: Appointment) -> bool:
    """Whether two visits are one to their patient."""
    return (visit.patient_id, visit.starts_at) == (other.patient_id, other.starts_at)


def others_of(session: Session, visit: Appointment) -> Sequence[Appointment]:
    """Return the other visits that the books have of this patient at this moment."""
    statement = select(Appointment).where(
        Appointment.patient_id == visit.patient_id,
        Appointment.starts_at == visit.starts_at,
        Appointment.id != visit.id,
        Appointment.state.not_in(GONE),
    )
    return session.scalars(statement.order_by(Appointment.id)).all()


def already_said(session: Session, visits: Sequence[Appointment]) -> dict[UUID, Appointment]:
    """By id of these visits, another of its moment of which the patient has said something."""
    if not visits:
        return {}
    there = select(Appointment).where(
        db.among(session, Appointment.patient_id, {visit.patient_id for visit in visits}),
        Appointment.starts_at >= min(visit.starts_at for visit in visits),
        Appointment.starts_at <= max(visit.starts_at for visit in visits),
        Appointment.state.in_(SAID),
    )
    answered = {(twin.patient_id, twin.starts_at): twin for twin in session.scalars(there)}
    return {
        visit.id: answered[(visit.patient_id, visit.starts_at)]
        for visit in visits
        if (visit.patient_id, visit.starts_at) in answered
    }


def as_good_as(reminder: Reminder, gap: timedelta) -> ColumnElement[bool]:
    """Whether a reminder of another visit of this moment says the same as this one to the patient."""
    at = reminder.due_at or reminder.try_after
    near = and_(Reminder.due_at > at - gap, Reminder.due_at < at + gap)
    return or_(Reminder.step == reminder.step, near)


def told(session: Session, visit: Appointment, reminder: Reminder, gap: timedelta) -> UUID | None:
    """Return the text by which the patient was told the same of another visit of this moment: its step of this name, or
    one so near in time that a single visit would not have both (kinds of visits call their steps by different names).
    """
    others = [twin.id for twin in others_of(session, visit)]
    if not others:
        return None
    rows = (
        select(Reminder.message_id)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(
            Reminder.appointment_id.in_(others),
            as_good_as(reminder, gap),
            Reminder.revision == Appointment.revision,
            Reminder.state.in_(("queued", "done")),
        )
    )
    return session.scalar(rows.limit(1))
