"""Patients as rows: those who were found, those a reader saw last, and those a reader has to do with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import session as cookie
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import reachable
from messaging.inbox.models import InboxItem, unfinished
from messaging.models import Clinic, Patient, Staff
from reminders import unreached
from reminders.models import Appointment
from web import ids, permissions, times, words
from web.presenters import patient_view

RECENT, MINE = 8, 12
AHEAD = timedelta(days=2)


@dataclass(frozen=True)
class Hit:
    """A patient who was found: what tells them from others of that name, and what waits for them."""

    id: UUID
    name: str
    facts: str
    record: str
    next_visit: str
    reach: str
    reach_words: str
    items: list[tuple[UUID, str, bool]]


@dataclass(frozen=True)
class Listed:
    """A list of patients under the search box: its name, its rows, and what is said where it has none."""

    name: str
    hits: list[Hit]
    empty: str


def remember(staff: Staff, patient_id: UUID) -> None:
    """Keep in the sealed cookie that this reader has opened a patient's page."""
    seen = [str(patient_id), *(each for each in _seen(staff) if each != str(patient_id))]
    cookie["recent"] = {"staff": str(staff.id), "patients": seen[:RECENT]}


def _seen(staff: Staff) -> list[str]:
    kept = cookie.get("recent") or {}
    return list(kept.get("patients", [])) if kept.get("staff") == str(staff.id) else []


def read(session: Session, clinic: Clinic, staff: Staff) -> list[Listed]:
    """Return whom this reader saw last, and whom they have to do with."""
    reads_inbox = permissions.may(staff.role, "inbox.read")
    seen = [patient_id for each in _seen(staff) if (patient_id := ids.uuid_of(each))]
    wanted: dict[str, list[UUID]] = {"recent": seen, "mine": _mine(session, clinic, staff)}
    listed = []
    for name, patient_ids in wanted.items():
        shown = hits(session, clinic, _people(session, clinic, patient_ids), reads_inbox=reads_inbox)
        listed.append(Listed(words.say("patient_lists", name), shown, words.say("patient_lists", f"no_{name}")))
    return listed


def recent(session: Session, clinic: Clinic, staff: Staff) -> list[Hit]:
    """Return whom this reader saw last."""
    ordered = _people(session, clinic, [patient_id for each in _seen(staff) if (patient_id := ids.uuid_of(each))])
    return hits(session, clinic, ordered, reads_inbox=False)


def _people(session: Session, clinic: Clinic, patient_ids: Sequence[UUID]) -> list[Patient]:
    """The patients of these ids that the clinic still has, in this order."""
    rows = select(Patient).where(
        Patient.clinic_id == clinic.id, Patient.id.in_(patient_ids), Patient.merged_into.is_(None)
    )
    people = {patient.id: patient for patient in session.scalars(rows)} if patient_ids else {}
    return [people[patient_id] for patient_id in patient_ids if patient_id in people]


def _mine(session: Session, clinic: Clinic, staff: Staff) -> list[UUID]:
    """Who waits for the reader, and then who of their panels comes today or tomorrow; at the desk everybody who comes.

    Few of each: both are read by an index that stops when it has enough.
    """
    waiting = select(InboxItem.patient_id).where(
        InboxItem.clinic_id == clinic.id,
        InboxItem.owner_id == staff.id,
        unfinished(InboxItem),
        InboxItem.patient_id.is_not(None),
    )
    now = clock.now()
    coming = select(Appointment.patient_id).where(
        Appointment.clinic_id == clinic.id,
        Appointment.starts_at > now - patient_view.STAYS,
        Appointment.starts_at < now + AHEAD,
        Appointment.state != "cancelled",
    )
    if staff.role != "front_desk":
        panels = {*staff.panels, *((staff.name, staff.email) if staff.role == "clinician" else ())}
        coming = coming.join(Patient, Patient.id == Appointment.patient_id).where(Patient.panel.in_(panels))
    order = waiting.order_by(InboxItem.urgency, InboxItem.answer_by, InboxItem.id).limit(MINE)
    found = [*session.scalars(order), *session.scalars(coming.order_by(Appointment.starts_at).limit(MINE))]
    return list(dict.fromkeys(each for each in found if each is not None))[:MINE]


def hits(session: Session, clinic: Clinic, patients: Sequence[Patient], *, reads_inbox: bool) -> list[Hit]:
    """Return patients as rows with few queries, however many they are."""
    if not patients:
        return []
    ids, now = [patient.id for patient in patients], clock.now()
    db.load_keys(session, (patient.key_id for patient in patients))
    coming = select(Appointment).where(
        Appointment.patient_id.in_(ids),
        Appointment.starts_at > now - patient_view.STAYS,
        Appointment.state != "cancelled",
    )
    visits = {visit.patient_id: visit for visit in session.scalars(coming.order_by(Appointment.starts_at.desc()))}
    contacts = reachable.of_patients(session, ids)
    waiting = _waiting(session, clinic, ids) if reads_inbox else {}
    listed = []
    for patient in patients:
        born, visit = times.birth_date(patient.birth_date, now), visits.get(patient.id)
        contact = contacts[patient.id]
        can = patient_view.reach_words(contact, words.say("reach", "all"))
        spoken = [f"born {born}"] if born else []
        listed.append(
            Hit(
                id=patient.id,
                name=patient_view.full_name(patient),
                facts=" · ".join([*spoken, words.say("languages", patient.language)]),
                record=patient.record or "",
                next_visit=times.moment(visit.starts_at, now, visit.zone) if visit else "",
                reach=unreached.cannot(contact) or "",
                reach_words=can[:1].upper() + can[1:],
                items=waiting.get(patient.id, []),
            )
        )
    return listed


def _waiting(session: Session, clinic: Clinic, ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str, bool]]]:
    open_ones = (
        select(InboxItem.id, InboxItem.patient_id, InboxItem.kind)
        .where(InboxItem.clinic_id == clinic.id, InboxItem.patient_id.in_(ids), InboxItem.state != "done")
        .order_by(InboxItem.urgency, InboxItem.answer_by)
    )
    waiting: dict[UUID, list[tuple[UUID, str, bool]]] = {}
    for item_id, patient_id, kind in session.execute(open_ones):
        if patient_id is not None:
            open_item = (item_id, words.say("kinds", kind), kind == "safety")
            waiting.setdefault(patient_id, []).append(open_item)
    return waiting
