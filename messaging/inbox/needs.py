"""What each item asks for, read for routing: language, panel, place, who dealt with the patient last, the screen."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign, topics
from messaging.models import Clinic, Patient, Staff

BATCH = 400
# For each patient moments with what was true from then on, oldest first.
Since = dict[UUID, list[tuple[datetime, Any]]]


def of_item(session: Session, clinic: Clinic, item: InboxItem, patient: Patient | None) -> assign.Need:
    """Return what one item asks for. What only a rule of the clinic could ask is read only where there is one."""
    if not clinic.rules.get("routes"):
        return _need(assign.routed_as(item.kind, item.reason), patient, item.reason)
    return of_items(session, [item], [patient])[0]


def of_patient(session: Session, clinic: Clinic, kind: str, patient: Patient, at: datetime) -> assign.Need:
    """Return what an item of this kind about this patient asks for."""
    if not clinic.rules.get("routes"):
        return _need(kind, patient)
    return _need(
        kind,
        patient,
        place=_nearest(_places(session, [patient.id])[patient.id], at),
        existing=_last(_dealt_with(session, [patient.id])[patient.id], at),
    )


def of_items(session: Session, items: Sequence[InboxItem], patients: Sequence[Patient | None]) -> list[assign.Need]:
    """Return what each of these items asks for, as it was when it came in; a few queries for all."""
    ids = list({patient.id for patient in patients if patient is not None})
    places, dealt = _places(session, ids), _dealt_with(session, ids)
    db.load_keys(session, {item.key_id for item in items if item.screened_ct is not None})
    all_needs = []
    for item, patient in zip(items, patients, strict=True):
        patient_id = patient.id if patient is not None else None
        screened = json.loads(item.screened or "{}")
        all_needs.append(
            _need(
                assign.routed_as(item.kind, item.reason),
                patient,
                item.reason,
                place=_nearest(places.get(patient_id, []), item.created_at) if patient_id else None,
                existing=_last(dealt.get(patient_id, []), item.created_at) if patient_id else None,
                instrument=screened.get("instrument"),
                bands=tuple(screened.get("bands", ())),
            )
        )
    return all_needs


def _need(kind: str, patient: Patient | None, reason: Sequence[str] = (), **facts: Any) -> assign.Need:
    """What is asked for; words in another language than the record's ask for who can read these."""
    said_in = topics.language(reason)
    if patient is None:
        return assign.Need(kind, said_in, **facts)
    return assign.Need(kind, said_in or patient.language, patient.panel, **facts)


def _places(session: Session, patient_ids: Sequence[UUID]) -> Since:
    """Where each patient's visits are. Visits belong to the room above, and are known here by their table's name."""
    visit = db.Base.metadata.tables["appointment"].c
    by_patient: Since = defaultdict(list)
    for some in _batches(patient_ids):
        rows = select(visit.patient_id, visit.starts_at, visit.place).where(
            visit.patient_id.in_(some), visit.place.is_not(None), visit.state != "cancelled"
        )
        for patient_id, at, place in session.execute(rows):
            by_patient[patient_id].append((at, place))
    return by_patient


def _dealt_with(session: Session, patient_ids: Sequence[UUID]) -> Since:
    """Which care manager, still here, acknowledged something about each patient, and when."""
    by_patient: Since = defaultdict(list)
    for some in _batches(patient_ids):
        rows = (
            select(InboxItem.patient_id, InboxItem.acknowledged_at, InboxItem.acknowledged_by)
            .join(Staff, Staff.id == InboxItem.acknowledged_by)
            .where(InboxItem.patient_id.in_(some), Staff.active, Staff.role.in_(assign.OWNERS))
            .order_by(InboxItem.acknowledged_at)
        )
        for patient_id, at, staff_id in session.execute(rows):
            if patient_id is not None and at is not None:
                by_patient[patient_id].append((at, staff_id))
    return by_patient


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _nearest(visits: Sequence[tuple[datetime, str]], at: datetime) -> str | None:
    return min(visits, key=lambda visit: abs(visit[0] - at))[1] if visits else None


def _last(acts: Sequence[tuple[datetime, UUID]], at: datetime) -> UUID | None:
    before = [staff_id for when, staff_id in acts if when <= at]
    return before[-1] if before else None
