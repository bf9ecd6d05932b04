"""Two records that were made one are told apart again, for a day: what followed goes back, what came since stays.

What the stricter record had ended stays ended for both, and of how much a text may say the less holds: nobody is texted
more because of a mistake that was mended.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging import conversations
from messaging.models import Clinic, Patient
from messaging.people import directory, name_search
from reminders import merging, patient_locks, planner, withdrawing
from reminders.models import Appointment, PatientMerge

UNDOABLE = timedelta(days=1)
# Rows that one statement moves back.
BATCH = 500


class CannotUndo(ValueError):
    """Why a merge is not taken back: late | undone | merged (one of the two was merged again since)."""


def recent(session: Session, stays: Patient, now: datetime) -> Sequence[PatientMerge]:
    """Return the merges into this record that can still be taken back, the newest first."""
    rows = select(PatientMerge).where(
        PatientMerge.stays_id == stays.id, PatientMerge.at > now - UNDOABLE, PatientMerge.undone_at.is_(None)
    )
    return session.scalars(rows.order_by(PatientMerge.at.desc())).all()


def undo(session: Session, clinic: Clinic, merge: PatientMerge, actor: str) -> Patient:
    """Tell the two records apart again; return the one that had gone. Raises CannotUndo and has done nothing then."""
    patient_locks.take(session, [merge.stays_id, merge.goes_id])
    session.refresh(merge)
    stays, goes = session.get_one(Patient, merge.stays_id), session.get_one(Patient, merge.goes_id)
    _check(merge, stays, goes)
    db.load_keys(session, [clinic.key_id, stays.key_id, goes.key_id, merge.key_id])
    before = json.loads(merge.before or "{}")
    for name, ids in merge.moved.items():
        _back(session, merging.FOLLOWS[name], [UUID(each) for each in ids], stays, goes)
    goes.merged_into = None
    theirs = update(Patient).where(Patient.id.in_(_seconds(session, goes)), Patient.merged_into == stays.id)
    session.execute(theirs.values(merged_into=goes.id))
    directory.set_state(session, clinic, goes, before["goes"]["state"], actor=actor)
    _facts(session, clinic, stays, before, actor)
    _numbers(session, clinic, stays, goes, before)
    merge.undone_at = clock.now()
    session.flush()
    session.expire_all()
    name_search.index(session, clinic, goes)
    both = Appointment.patient_id.in_([stays.id, goes.id])
    planner.plan_many(
        session, session.scalars(select(Appointment).where(both, Appointment.starts_at > clock.now())).all()
    )
    for about, detail in ((stays, {"gone": str(goes.id)}), (goes, {"into": str(stays.id)})):
        audit.record(session, clinic.id, actor, "patient.unmerged", f"patient:{about.id}", **detail)
    return goes


def _check(merge: PatientMerge, stays: Patient, goes: Patient) -> None:
    if merge.undone_at is not None:
        raise CannotUndo("undone")
    if merge.at <= clock.now() - UNDOABLE:
        raise CannotUndo("late")
    if stays.merged_into or goes.merged_into != stays.id:
        raise CannotUndo("merged")


def _seconds(session: Session, patient: Patient) -> set[UUID]:
    """The records that were merged into this one, and into those in turn."""
    found, newest = set[UUID](), {patient.id}
    while newest:
        rows = select(PatientMerge.goes_id).where(PatientMerge.stays_id.in_(newest), PatientMerge.undone_at.is_(None))
        newest = set(session.scalars(rows)) - found
        found |= newest
    return found


def _back(session: Session, model: type[Any], ids: Sequence[UUID], stays: Patient, goes: Patient) -> None:
    """What has followed goes back, unless somebody has given it to yet another record since."""
    for start in range(0, len(ids), BATCH):
        own = model.id.in_(ids[start : start + BATCH])
        session.execute(update(model).where(own, model.patient_id == stays.id).values(patient_id=goes.id))


def _facts(session: Session, clinic: Clinic, stays: Patient, before: Mapping[str, Any], actor: str) -> None:
    """What the record that stays had only from the other is empty again, unless it was changed since."""
    for name in merging.FILLED_IN:
        if not before["stays"][name] and getattr(stays, name) == before["goes"][name]:
            setattr(stays, name, before["stays"][name])
    if before["goes"]["state"] == "deceased" != before["stays"]["state"] and stays.state == "deceased":
        withdrawing.set_state(session, clinic, stays, before["stays"]["state"], actor=actor)


def _numbers(session: Session, clinic: Clinic, stays: Patient, goes: Patient, before: Mapping[str, Any]) -> None:
    """Each number goes back to whose it was; one that both had is both's again."""
    own, theirs = before["stays"]["numbers"], before["goes"]["numbers"]
    for row in list(stays.numbers):
        if row.number in theirs and row.number not in own:
            session.delete(row)
    session.flush()
    for number in theirs:
        directory.add_number(session, clinic, goes, number)
    session.expire(stays, ["numbers"])
    session.expire(goes, ["numbers"])
    for number in {*own, *theirs}:
        conversations.attribute(session, clinic, number)
