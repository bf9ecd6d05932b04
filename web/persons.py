"""A patient as staff see them: name, age, language, how they can be reached, and their visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import consent, phone
from messaging.models import PROGRAMMES, Clinic, Patient
from reminders.models import Appointment, Reminder
from web import times, words

# How long after the start of a visit somebody who arrived is taken to be in the building.
STAYS = timedelta(hours=2)


@dataclass(frozen=True)
class Number:
    """A telephone number: as dialled, as read, what is known of its line, and what was agreed for it."""

    dial: str
    words: str
    line: str
    consent: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Visit:
    """A visit with its state in words; `planned` says what goes out when, and why where it does not."""

    when: str
    state: str
    place: str
    clinician: str
    past: bool
    planned: list[tuple[str, str, str, str]]


@dataclass(frozen=True)
class Person:
    """What stands about a patient beside a case."""

    id: UUID
    name: str
    first_name: str
    facts: list[str]
    panel: str
    record: str
    active: bool
    in_building: bool
    reach: str
    numbers: list[Number]
    next_visit: Visit | None


def full_name(patient: Patient) -> str:
    """Return first and last name."""
    return f"{patient.first_name or ''} {patient.last_name or ''}".strip()


def person(session: Session, clinic: Clinic, patient: Patient) -> Person:
    """Return what a case or the patient's page says about them."""
    now = clock.now()
    db.load_keys(session, [patient.key_id])
    years = times.age(patient.birth_date, now)
    coming = [
        one for one in visits(session, patient) if one.starts_at > now - STAYS and one.state != "cancelled"
    ]
    numbers = _numbers(session, clinic, patient)
    return Person(
        id=patient.id,
        name=full_name(patient),
        first_name=patient.first_name or "",
        facts=[
            *([f"{years} years"] if years is not None else []),
            *([patient.sex] if patient.sex else []),
            words.say("languages", patient.language),
        ],
        panel=patient.panel or "",
        record=patient.record or "",
        active=patient.state == "active",
        in_building=any(one.state == "arrived" and one.starts_at < now + STAYS for one in coming),
        reach=_reach(patient, numbers),
        numbers=numbers,
        next_visit=visit(session, coming[-1]) if coming else None,
    )


def _numbers(session: Session, clinic: Clinic, patient: Patient) -> list[Number]:
    found = []
    for one in patient.numbers:
        agreed = consent.state(session, clinic, one.number or "")
        said = [
            (words.say("programmes", programme), agreed[programme], words.say("consent", agreed[programme]))
            for programme in PROGRAMMES
        ]
        line = words.say("lines", one.line)
        found.append(Number(one.number or "", phone.display(one.number or ""), line, said))
    return found


def _reach(patient: Patient, numbers: Sequence[Number]) -> str:
    if patient.state != "active":
        return "record closed, nothing is texted"
    if not numbers:
        return "no number on file"
    states = {state for _, state, _ in numbers[0].consent}
    if "revoked" in states:
        return "opted out of texts"
    return words.say("privacy", patient.privacy) if "granted" in states else "has not agreed to texts"


def visits(session: Session, patient: Patient) -> list[Appointment]:
    """Return the patient's visits, the latest first."""
    found = select(Appointment).where(Appointment.patient_id == patient.id)
    return list(session.scalars(found.order_by(Appointment.starts_at.desc()).limit(40)))


def visit(session: Session, one: Appointment, *, reminders: bool = False) -> Visit:
    """Return a visit in words, with its reminders when they are asked for."""
    now = clock.now()
    return Visit(
        when=times.moment(one.starts_at, now, one.zone),
        state=words.say("visits", one.state),
        place=one.place or "",
        clinician=one.clinician or "",
        past=one.starts_at < now,
        planned=_planned(session, one) if reminders else [],
    )


def _planned(session: Session, one: Appointment) -> list[tuple[str, str, str, str]]:
    now = clock.now()
    steps = select(Reminder).where(Reminder.appointment_id == one.id, Reminder.revision == one.revision)
    return [
        (
            step.step.replace("_", " "),
            times.moment(step.due_at, now, one.zone) if step.due_at else "not sent",
            words.say("reminders", step.state),
            ", ".join(words.say("reasons", reason) for reason in step.why),
        )
        for step in session.scalars(steps.order_by(Reminder.due_at, Reminder.id))
    ]
