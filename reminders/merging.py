"""Two records of one person become one: everything follows to the record that stays, and the stricter consent wins.

What was sealed stays under the key it was sealed with, so the record that goes is kept, closed, and points to the
other. What followed is kept in mind, so that it can be taken back for a day (reminders.unmerging).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links.models import IntakeLink, Screen
from messaging import conversations
from messaging.consent import ledger
from messaging.inbox.models import Contact, InboxItem
from messaging.models import (
    PROGRAMMES,
    Clinic,
    ConsentEntry,
    Message,
    Patient,
    PatientName,
    PatientNumber,
    SafetyPlan,
)
from messaging.people import contact_details, directory, name_search
from reminders import patient_locks, planner, withdrawing
from reminders.models import Appointment, EmergencyCover, EmergencyVisit, Handoff, InpatientStay, PatientMerge

# Every table with a patient in it, under the word by which a page counts it; a test knows of tables left out.
FOLLOWS: dict[str, type[Any]] = {
    "texts": Message,
    "visits": Appointment,
    "forms": Screen,
    "items": InboxItem,
    "notes": Contact,
    "links": IntakeLink,
    "handoffs": Handoff,
    "plans": SafetyPlan,
    "consent": ConsentEntry,
    "emergency": EmergencyVisit,
    "hospitals": EmergencyCover,
    "stays": InpatientStay,
}
# Worse lines first: what one record has learnt of a number holds for the other.
LINES = ("wrong_person", "dead", "landline", "unknown", "mobile")
FILLED_IN = ("birth_date", "panel", "sex", "zone", *contact_details.FIELDS)


class CannotMerge(ValueError):
    """Why these two are not merged: same | elsewhere | merged."""


@dataclass(frozen=True)
class Outlook:
    """What a merge would do: how much follows, by the words of FOLLOWS, and which texts one of the two has ended."""

    counts: dict[str, int]
    ended: list[str]


def outlook(session: Session, clinic: Clinic, stays: Patient, goes: Patient) -> Outlook:
    """Return what merging would do; nothing is changed."""
    counts = {}
    for name, model in FOLLOWS.items():
        rows = select(func.count()).select_from(model).where(model.patient_id == goes.id)
        counts[name] = session.scalar(rows) or 0
    return Outlook(counts, _ended(session, clinic, [*stays.numbers, *goes.numbers]))


def merge(session: Session, clinic: Clinic, stays: Patient, goes: Patient, actor: str) -> None:
    """Let everything of `goes` follow to `stays`. Raises CannotMerge and has done nothing then."""
    session.flush()
    patient_locks.take(session, [stays.id, goes.id])
    for patient in (stays, goes):
        session.refresh(patient)
    _check(clinic, stays, goes)
    db.load_keys(session, [clinic.key_id, stays.key_id, goes.key_id])
    ended = _ended(session, clinic, [*stays.numbers, *goes.numbers])
    _keep_in_mind(session, clinic, stays, goes, actor)
    _facts(session, clinic, stays, goes, actor)
    for model in FOLLOWS.values():
        session.execute(update(model).where(model.patient_id == goes.id).values(patient_id=stays.id))
    _numbers(session, clinic, stays, goes)
    _stricter(session, clinic, stays, ended, actor)
    session.execute(delete(PatientName).where(PatientName.patient_id == goes.id))
    goes.merged_into, goes.names_indexed = stays.id, True
    # Whoever is led to a record that stays goes one step: each of a chain names its end.
    session.execute(update(Patient).where(Patient.merged_into == goes.id).values(merged_into=stays.id))
    directory.set_state(session, clinic, goes, "inactive", actor=actor)
    session.flush()
    session.expire_all()
    name_search.index(session, clinic, stays)
    coming = select(Appointment).where(Appointment.patient_id == stays.id, Appointment.starts_at > clock.now())
    planner.plan_many(session, session.scalars(coming).all())
    for about, detail in ((stays, {"gone": str(goes.id)}), (goes, {"into": str(stays.id)})):
        audit.record(session, clinic.id, actor, "patient.merged", f"patient:{about.id}", **detail)


def _keep_in_mind(session: Session, clinic: Clinic, stays: Patient, goes: Patient, actor: str) -> None:
    """Keep what both records knew, sealed, and the ids of what is about to follow."""
    moved = {
        name: [str(row) for row in session.scalars(select(model.id).where(model.patient_id == goes.id))]
        for name, model in FOLLOWS.items()
    }
    before = {
        name: {fact: getattr(patient, fact) for fact in (*FILLED_IN, "state")}
        | {"numbers": [number.number for number in sorted(patient.numbers, key=lambda number: number.id)]}
        for name, patient in (("stays", stays), ("goes", goes))
    }
    whose = {"clinic_id": clinic.id, "key_id": clinic.key_id, "stays_id": stays.id, "goes_id": goes.id}
    told = {"at": clock.now(), "actor": actor, "moved": moved, "before": json.dumps(before)}
    session.add(PatientMerge(**whose, **told))


def _check(clinic: Clinic, stays: Patient, goes: Patient) -> None:
    if stays.id == goes.id:
        raise CannotMerge("same")
    if {stays.clinic_id, goes.clinic_id} != {clinic.id}:
        raise CannotMerge("elsewhere")
    if stays.merged_into or goes.merged_into:
        raise CannotMerge("merged")


def _facts(session: Session, clinic: Clinic, stays: Patient, goes: Patient, actor: str) -> None:
    """What only one record knows holds; of how much a text may say, the less; who has died has died."""
    for name in FILLED_IN:
        if not getattr(stays, name) and getattr(goes, name):
            setattr(stays, name, getattr(goes, name))
    stays.details_by = stays.details_by or goes.details_by
    stays.wishes = goes.wishes | stays.wishes
    stays.here_until = max(filter(None, (stays.here_until, goes.here_until)), default=None)
    less = next(level for level in directory.LEVELS if level in (stays.privacy, goes.privacy))
    if less != stays.privacy:
        audit.record(session, clinic.id, actor, "patient.privacy", f"patient:{stays.id}", after=less, source="merge")
        stays.privacy, stays.privacy_by = less, goes.privacy_by or actor
    if goes.state == "deceased":
        withdrawing.set_state(session, clinic, stays, "deceased", actor=actor)


def _numbers(session: Session, clinic: Clinic, stays: Patient, goes: Patient) -> None:
    """The numbers follow; texts go on to the number that the record which stays gave last."""
    used = directory.textable_number(session, stays)
    own = {number.number_index: number for number in stays.numbers}
    moved = list(goes.numbers)
    for number in moved:
        same = own.get(number.number_index)
        if same is None:
            number.patient_id = stays.id
        else:
            same.line = min(same.line, number.line, key=LINES.index)
            session.delete(number)
    session.flush()
    session.expire(stays, ["numbers"])
    session.expire(goes, ["numbers"])
    if used is not None:
        directory.add_number(session, clinic, stays, used.number or "")
    for number in list(stays.numbers):
        conversations.attribute(session, clinic, number.number or "")


def _ended(session: Session, clinic: Clinic, numbers: Sequence[PatientNumber]) -> list[str]:
    """The programmes that a number of either record has ended; what a stranger said on theirs is not said by them."""
    numbers = [number for number in numbers if number.line != "wrong_person"]
    states = ledger.states(session, [(clinic.id, number.number_index) for number in numbers])
    return [
        programme
        for programme in PROGRAMMES
        if any(states.get((clinic.id, number.number_index, programme)) == "revoked" for number in numbers)
    ]


def _stricter(session: Session, clinic: Clinic, stays: Patient, ended: Sequence[str], actor: str) -> None:
    """What was ended on one phone is ended on every phone of the person: they said so, whichever record it stood in."""
    for number in stays.numbers:
        agreed = ledger.state(session, clinic, number.number or "")
        open_ones = [programme for programme in ended if agreed[programme] != "revoked"]
        if open_ones and number.line != "wrong_person":
            words: dict[str, Any] = {"source": "merge", "actor": actor, "patient_id": stays.id}
            ledger.record(session, clinic, number.number or "", "revoked", programmes=open_ones, **words)
