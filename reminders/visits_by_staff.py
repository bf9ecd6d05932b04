"""What a colleague does to a visit from the patient's page: book, confirm, move, cancel, and take that back.

A visit that came from the clinic's books stays theirs: what the next file says of it holds again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import models as messaging
from messaging import outbox
from messaging.contactability import Refusal
from messaging.wording import clinic_words
from reminders import appointments, phrasing, planner, same_moment
from reminders.models import Appointment, Reminder
from reminders.rules import conditions

# Visits booked here bear this source; no file has their ids.
SOURCE = "staff"
LINK = "…"


@dataclass(frozen=True)
class Before:
    """How a visit stood before an act, to put it back; `revision` is the one that the act has made."""

    visit_id: UUID
    revision: int
    state: str
    starts_at: datetime
    place: str | None


@dataclass(frozen=True)
class Told:
    """A text that the patient would get: when it leaves (UTC) and its words; the link of a text is left out."""

    at: datetime
    body: str


def told(
    session: Session, clinic: messaging.Clinic, patient: messaging.Patient, visit: Appointment
) -> tuple[list[Told], Refusal | None]:
    """Return the texts around a visit as it would be, which need not be saved, and why none can be sent.

    `visit` is never added to the session: what it would be is planned, and nothing is written.
    """
    refused = outbox.refusal(session, patient, "reminders")
    if refused is not None:
        return [], refused
    now, own = clock.now(), clinic_words.of(session, clinic.id)
    cadence = planner.cadence_of(session, clinic.id)
    plan = planner.plans_of(session, [visit], now, known=[visit.id])[visit.id]
    texts = []
    for planned in sorted((step for step in plan.values() if step.at is not None), key=lambda step: step.at or now):
        step = cadence.step(planned.step, visit.kind)
        if step is not None and planned.at is not None and not set(step.when) & set(conditions.OUTCOMES):
            values = phrasing.words(clinic, patient, visit, planned.at) | {"link": LINK, "codes": ""}
            texts.append(Told(planned.at, phrasing.say(own, step.text, patient, values)))
    return texts, None


def as_it_would_be(
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    starts_at: datetime,
    zone: str,
    place: str | None,
    *,
    visit: Appointment | None = None,
) -> Appointment:
    """Return a visit that is not saved: a new one, or `visit` at another moment."""
    return Appointment(
        id=visit.id if visit else db.new_id(),
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        patient_id=patient.id,
        starts_at=starts_at,
        zone=zone,
        booked_at=visit.booked_at if visit else clock.now(),
        place=place,
        clinician=visit.clinician if visit else None,
        kind=visit.kind if visit else None,
        state="booked",
        revision=(visit.revision + 1) if visit else 1,
    )


def book(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    *,
    starts_at: datetime,
    zone: str,
    place: str | None,
    clinician: str | None,
    once: UUID,
    actor: str,
    kind: str | None = None,
) -> Appointment:
    """Book a visit; `once` makes two posts of one form one visit, `kind` is the clinic's own name for its kind."""
    record = appointments.VisitRecord(
        external_id=str(once),
        record=patient.record or "",
        starts_at=starts_at,
        zone=zone,
        booked_at=clock.now(),
        place=place,
        clinician=clinician,
        kind=kind,
    )
    return appointments.save(session, clinic, patient, record, source=SOURCE, actor=actor)[0]


def may_change(visit: Appointment) -> bool:
    """Whether a visit can still be moved or cancelled."""
    return visit.state in appointments.OPEN and visit.starts_at > clock.now()


def confirm(session: Session, visit: Appointment, actor: str) -> Before:
    """Note that the patient comes at this time, also where they had asked for another one."""
    before = _standing(visit)
    asked = [each for each in _at_its_moment(session, visit) if each.state == "change_asked"]
    for each in asked:
        each.state = "booked"
    if asked:
        planner.plan_many(session, asked)
    appointments.confirm(session, visit, actor)
    return _after(before, visit)


def move(
    session: Session, clinic: messaging.Clinic, visit: Appointment, starts_at: datetime, place: str | None, actor: str
) -> Before:
    """Give the visit another time; it is planned anew and asks for an answer anew."""
    before = _standing(visit)
    for each in _at_its_moment(session, visit):
        _save(session, clinic, each, starts_at, place, actor)
    return _after(before, visit)


def cancel(session: Session, visit: Appointment, actor: str) -> Before:
    """Cancel the visit: what was planned for it is taken back, and nothing is texted about that."""
    before = _standing(visit)
    for each in _at_its_moment(session, visit):
        appointments.cancel(session, each, actor)
    return _after(before, visit)


def may_put_back(session: Session, visit: Appointment, before: Before) -> bool:
    """Whether an act can be taken back: nothing has happened to the visit since, and nothing has gone out about it."""
    out = select(Reminder.id).where(
        Reminder.appointment_id == visit.id,
        Reminder.revision == visit.revision,
        Reminder.state.in_(("queued", "done")),
    )
    unmoved = visit.revision == before.revision and before.starts_at > clock.now()
    same_revision = before.state != visit.state and visit.starts_at == before.starts_at and visit.state == "confirmed"
    return unmoved and (same_revision or session.scalar(out.limit(1)) is None)


def put_back(session: Session, clinic: messaging.Clinic, visit: Appointment, before: Before, actor: str) -> None:
    """Put the visit back to how it stood before; its texts are planned again."""
    for each in _at_its_moment(session, visit):
        if each.state == "confirmed" and each.starts_at == before.starts_at:
            each.state, each.confirmed_at = "booked", None
            planner.replan(session, each)
        _save(session, clinic, each, before.starts_at, before.place, actor)
    if before.state == "confirmed":
        appointments.confirm(session, visit, actor)
    elif before.state == "change_asked":
        appointments.ask_change(session, visit, actor)


def _save(
    session: Session, clinic: messaging.Clinic, visit: Appointment, starts_at: datetime, place: str | None, actor: str
) -> None:
    patient = session.get_one(messaging.Patient, visit.patient_id)
    record = appointments.VisitRecord(
        external_id=visit.external_id,
        record="",
        starts_at=starts_at,
        zone=visit.zone,
        booked_at=visit.booked_at,
        place=place,
        clinician=visit.clinician,
        kind=visit.kind,
    )
    appointments.save(session, clinic, patient, record, source=visit.source, actor=actor)


def _at_its_moment(session: Session, visit: Appointment) -> Sequence[Appointment]:
    """The visit, and what else the books have of this patient at its moment: to them it is one visit."""
    return [visit, *same_moment.others_of(session, visit)]


def _standing(visit: Appointment) -> Before:
    return Before(visit.id, visit.revision, visit.state, visit.starts_at, visit.place)


def _after(before: Before, visit: Appointment) -> Before:
    return Before(before.visit_id, visit.revision, before.state, before.starts_at, before.place)
