"""A patient's safety plan, written with them; every version is kept.

The sections follow the Safety Planning Intervention of Stanley and Brown (Cognitive and Behavioral Practice 19,
2012), with short headings of our own in the texts.
"""

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Patient, SafetyPlan, Staff

SECTIONS = ("warning_signs", "coping", "places", "people", "professionals", "means")
LONGEST = 1500


class Overtaken(Exception):
    """Somebody else has written a version since the page was opened."""


def current(session: Session, patient_id: UUID) -> SafetyPlan | None:
    """Return the plan that holds, None if there is none."""
    return next(iter(history(session, patient_id, 1)), None)


def history(session: Session, patient_id: UUID, limit: int = 50) -> list[SafetyPlan]:
    """Return the versions of the plan, the newest first."""
    versions = select(SafetyPlan).where(SafetyPlan.patient_id == patient_id)
    return list(session.scalars(versions.order_by(SafetyPlan.id.desc()).limit(limit)))


def sections(plan: SafetyPlan) -> dict[str, str]:
    """Return the text of each section that has one, in their order."""
    kept = json.loads(plan.sections or "{}")
    return {name: kept[name] for name in SECTIONS if kept.get(name)}


def write(
    session: Session, staff: Staff, patient: Patient, texts: Mapping[str, str], *, seen: UUID | None
) -> SafetyPlan | None:
    """Keep a new version, made from the version `seen` (None: there was none); None where nothing was changed.

    Raises Overtaken where another version holds by now.
    """
    session.refresh(patient, with_for_update=True)
    holding = current(session, patient.id)
    trimmed = {name: texts.get(name, "").strip()[:LONGEST] for name in SECTIONS}
    wanted = {name: text for name, text in trimmed.items() if text}
    if wanted == (sections(holding) if holding else {}):
        return None
    if (holding.id if holding else None) != seen:
        raise Overtaken
    plan = SafetyPlan(
        clinic_id=patient.clinic_id,
        key_id=patient.key_id,
        patient_id=patient.id,
        staff_id=staff.id,
        sections=json.dumps(wanted),
        at=clock.now(),
    )
    db.load_keys(session, [patient.key_id])
    session.add(plan)
    session.flush()
    actor, about = audit.Actor.staff(staff.id), f"safety_plan:{plan.id}"
    audit.record(session, patient.clinic_id, actor, "safety_plan.written", about, patient=str(patient.id))
    return plan
