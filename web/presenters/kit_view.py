"""Who somebody is beyond doubt, and what helps when they are in danger: beside each case and on the patient's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import phone
from messaging.inbox import protocol
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, PlanVersion, Staff
from messaging.people import safety_plans
from web import team, times, words
from web.presenters import case_side

BEFORE = 5
Team = Mapping[UUID | None, Staff]


@dataclass(frozen=True)
class Emergency:
    """Whom to call in an emergency. `dial` is "" where the phone cannot be dialled as it is written."""

    name: str
    relation: str
    phone: str
    dial: str


@dataclass(frozen=True)
class Plan:
    """The safety plan that holds: its sections as heading and text, who wrote it when, and if the patient reads it."""

    sections: list[tuple[str, str]]
    written: str
    shared: bool


@dataclass(frozen=True)
class Step:
    """A line of the clinic's protocol, and who has done it when; "" where nobody has."""

    line: str
    done: str


@dataclass(frozen=True)
class Kit:
    """Two identifiers and the crisis kit. What is clinical is empty, and `clinical` false, for who may not read it.

    `protocol` belongs to the safety item `item_id`, and is empty for everything else.
    """

    patient_id: UUID
    born: str
    record: str
    address: str
    emergency: Emergency | None
    clinical: bool
    plan: Plan | None
    before: list[case_side.Earlier]
    item_id: UUID | None
    protocol: list[Step]


def read(session: Session, clinic: Clinic, patient: Patient, *, clinical: bool, item: InboxItem | None = None) -> Kit:
    """Return the kit of a patient, beside `item` where it stands at a case."""
    db.load_keys(session, [clinic.key_id, patient.key_id])
    colleagues = team.everyone(session, clinic.id) if clinical else {}
    safety = item is not None and item.kind == "safety" and clinical
    return Kit(
        patient_id=patient.id,
        born=times.birth_date(patient.birth_date, clock.now()),
        record=patient.record or "",
        address=patient.address or "",
        emergency=_emergency(patient),
        clinical=clinical,
        plan=_plan(session, clinic, patient, colleagues) if clinical else None,
        before=_before(session, clinic, patient, item, colleagues) if clinical else [],
        item_id=item.id if item is not None and safety else None,
        protocol=_protocol(session, clinic, item, colleagues) if item is not None and safety else [],
    )


def _emergency(patient: Patient) -> Emergency | None:
    name, relation, number = patient.emergency_name, patient.emergency_relation, patient.emergency_phone
    if not (name or number):
        return None
    dial = number if number and number.startswith("+") else ""
    return Emergency(name or "", relation or "", phone.display(dial) if dial else number or "", dial)


def _plan(session: Session, clinic: Clinic, patient: Patient, colleagues: Team) -> Plan | None:
    plan = safety_plans.KIND.current(session, patient.id)
    texts = safety_plans.KIND.sections(plan) if plan else {}
    if plan is None or not texts:
        return None
    sections = [(words.say("safety_plan", name), text) for name, text in texts.items()]
    return Plan(sections, written(plan, colleagues, clinic), plan.shared)


def written(plan: PlanVersion, colleagues: Team, clinic: Clinic) -> str:
    """Return in words who wrote a version of a plan, and when."""
    return f"{_who(colleagues, plan.staff_id)}, {times.day(plan.at, clock.now(), clinic.zone)}"


def _who(colleagues: Team, staff_id: UUID) -> str:
    return team.name_of(colleagues, staff_id, otherwise=words.say("history", "somebody"))


def _before(
    session: Session, clinic: Clinic, patient: Patient, item: InboxItem | None, colleagues: Team
) -> list[case_side.Earlier]:
    """The patient's safety items, the latest first, without the one that is looked at."""
    rows = select(InboxItem).where(
        InboxItem.clinic_id == clinic.id, InboxItem.patient_id == patient.id, InboxItem.kind == "safety"
    )
    if item is not None:
        rows = rows.where(InboxItem.id != item.id)
    latest = session.scalars(rows.order_by(InboxItem.created_at.desc(), InboxItem.id.desc()).limit(BEFORE)).all()
    db.load_keys(session, (row.key_id for row in latest))
    return [case_side.as_earlier(row, colleagues, clinic.zone, readable=True) for row in latest]


def _protocol(session: Session, clinic: Clinic, item: InboxItem, colleagues: Team) -> list[Step]:
    """The lines that are live, and below them what was done by lines that the clinic has changed since."""
    ticks, now = protocol.ticks(session, item), clock.now()
    done = {
        line: f"{_who(colleagues, tick.staff_id)}, {times.moment(tick.at, now, clinic.zone, running=True)}"
        for line, tick in ticks.items()
    }
    return [Step(line, done.get(line, "")) for line in dict.fromkeys([*protocol.of_clinic(session, clinic), *done])]
