"""Visits as staff read them, with what the patient is told around each, as a timeline in plain words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import outbox
from messaging.models import Message, Patient
from messaging.reasons import read
from reminders import reasons, visits_by_staff
from reminders.models import Appointment, Reminder
from reminders.rules import zones
from web import times, words

TOLD = ("planned", "queued", "done")
SHAPES = {"sent": "●", "coming": "○"}


@dataclass(frozen=True)
class Text:
    """A text around a visit: turn sent | coming, which one it is ("3 days before the visit"), when, what came of it."""

    turn: Literal["sent", "coming"]
    shape: str
    which: str
    at: str
    state: str


@dataclass(frozen=True)
class Visit:
    """A visit with its state in words. `texts` were sent or go out, `unsent` says which do not, and why.

    `quiet` says since when the patient wants no texts about it, "" where they never said so. `from_books` where the
    clinic's own system has it, so that its next file holds again.
    """

    id: UUID
    when: str
    state: str
    key: str
    place: str
    clinician: str
    past: bool
    moves: bool
    from_books: bool
    quiet: str
    texts: list[Text]
    unsent: list[tuple[str, str]]


def visits(session: Session, patient: Patient) -> list[Appointment]:
    """Return the patient's visits, the latest first."""
    query = select(Appointment).where(Appointment.patient_id == patient.id)
    return list(session.scalars(query.order_by(Appointment.starts_at.desc()).limit(40)))


def visit(
    appointment: Appointment, steps: Sequence[Reminder] = (), sent: Mapping[UUID, str] | None = None, closed: str = ""
) -> Visit:
    """Return a visit in words, with the reminders around it; `sent` has the states of their texts by id.

    `closed` says why the patient can be sent none, so that what is planned is not promised; "" where they can.
    """
    now = clock.now()
    shown = [step for step in steps if step.state in TOLD and not (closed and step.state == "planned")]
    quiet = appointment.quiet_at
    return Visit(
        id=appointment.id,
        when=times.moment(appointment.starts_at, now, appointment.zone),
        state=words.say("visits", appointment.state),
        key=appointment.state,
        place=appointment.place or "",
        clinician=appointment.clinician or "",
        past=appointment.starts_at < now,
        moves=visits_by_staff.may_change(appointment),
        from_books=appointment.source != "staff",
        quiet=words.say("wishes", "quiet", at=times.moment(quiet, now, appointment.zone, running=True))
        if quiet
        else "",
        texts=[_text(step, appointment, now, sent or {}) for step in shown],
        unsent=[
            (_which(step, appointment), closed if step.state == "planned" else _why(step))
            for step in steps
            if step.state == "dropped" or (closed and step.state == "planned")
        ],
    )


def planned_visits(session: Session, patient: Patient) -> list[Visit]:
    """Return the patient's visits with the texts around each, in as many queries however many they are."""
    appointments = visits(session, patient)
    steps: defaultdict[tuple[UUID, int], list[Reminder]] = defaultdict(list)
    rows = select(Reminder).where(Reminder.appointment_id.in_([appointment.id for appointment in appointments]))
    reminders = session.scalars(rows.order_by(Reminder.due_at, Reminder.id)).all()
    for step in reminders:
        steps[step.appointment_id, step.revision].append(step)
    ids = [step.message_id for step in reminders if step.message_id]
    sent = dict(session.execute(select(Message.id, Message.state).where(Message.id.in_(ids))).all()) if ids else {}
    refused = outbox.refusal(session, patient, "reminders") if any(s.state == "planned" for s in reminders) else None
    closed = words.say("reach", refused.key) if refused else ""
    return [visit(each, steps[each.id, each.revision], sent, closed) for each in appointments]


def _text(step: Reminder, appointment: Appointment, now: datetime, sent: Mapping[UUID, str]) -> Text:
    coming = step.state == "planned"
    delivered = sent.get(step.message_id) if step.message_id else None
    return Text(
        turn="coming" if coming else "sent",
        shape=SHAPES["coming" if coming else "sent"],
        which=_which(step, appointment),
        at=times.moment(step.due_at, now, appointment.zone) if step.due_at else "",
        state=words.say("delivery", delivered) if delivered else words.say("reminders", step.state),
    )


def _which(step: Reminder, appointment: Appointment) -> str:
    """Which text it is, by the days between it and the visit; by its name where it never had a moment."""
    if step.due_at is None:
        return step.step.replace("_", " ")
    return between(step.due_at, appointment)


def between(at: datetime, appointment: Appointment) -> str:
    """Return how far a moment is from a visit, as people say it: "3 days before the visit", "2 hours before"."""
    zone = zones.zone(appointment.zone)
    days = (zones.to_local(appointment.starts_at, zone).date() - zones.to_local(at, zone).date()).days
    if days == 0:
        hours = round(abs((appointment.starts_at - at).total_seconds()) / 3600)
        span = words.say("spans", "hour" if hours == 1 else "hours", count=hours)
    else:
        span = words.say("spans", "day" if abs(days) == 1 else "days", count=abs(days))
    return words.say("around_a_visit", "before" if at <= appointment.starts_at else "after", span=span)


def _why(step: Reminder) -> str:
    """Why a text is not sent: the last reason decides, and those before it tell what was planned."""
    return reasons.plain(read(step.why[-1]), times.typed_clock) if step.why else ""
