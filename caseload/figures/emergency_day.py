"""Visits to emergency departments on a day, of those enrolled whose hospital is connected; nobody else had "none".

A hospital is connected through a feed, from the day after that feed brought its first such visit; whose hospital it is
says that the feed knows them, from the day after it first named them.
"""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from caseload.figures.days import LENGTH, Day
from caseload.models import Episode
from config import db
from config.db.sets import among
from messaging.models import Clinic
from reminders import care_model
from reminders.models import EmergencyCover, EmergencyVisit


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count patients in care on a day, those 90 days before and after their enrolment, and who of them was there."""
    if not care_model.of_clinic(clinic).registry:
        return Counter()
    inside, early, ahead = _groups(session, clinic, day)
    covered = _covered(session, clinic, day, inside | ahead)
    there = _there(session, day, covered)
    groups = {"emergency": inside, "emergency.early": early, "emergency.ahead": ahead}
    counts = Counter({"emergency.unconnected": len(inside - covered)})
    for name, patient_ids in groups.items():
        counts += Counter({f"{name}.days": len(patient_ids & covered), f"{name}.visits": len(patient_ids & there)})
    return counts


def _groups(session: Session, clinic: Clinic, day: Day) -> tuple[set[UUID], set[UUID], set[UUID]]:
    """Who was enrolled on the day, who of them in the first 90 days, and who was enrolled within the 90 days after."""
    rows = session.execute(
        select(Episode.patient_id, Episode.enrolled_on).where(
            Episode.clinic_id == clinic.id,
            Episode.enrolled_on <= day.on + timedelta(days=LENGTH),
            or_(Episode.ended_on.is_(None), Episode.ended_on >= day.on),
        )
    ).all()
    inside = {patient_id for patient_id, enrolled_on in rows if enrolled_on <= day.on}
    ahead = {patient_id for patient_id, enrolled_on in rows if enrolled_on > day.on} - inside
    since = day.on - timedelta(days=LENGTH)
    return inside, {patient_id for patient_id, enrolled_on in rows if since < enrolled_on <= day.on}, ahead


def _covered(session: Session, clinic: Clinic, day: Day, patient_ids: Collection[UUID]) -> set[UUID]:
    """Whose hospital was connected when the day began."""
    brought = select(EmergencyVisit.source).where(
        EmergencyVisit.clinic_id == clinic.id, EmergencyVisit.id < db.first_id(day.begins)
    )
    sources = session.scalars(brought.distinct()).all()
    if not sources or not patient_ids:
        return set()
    rows = select(EmergencyCover.patient_id).where(
        among(session, EmergencyCover.patient_id, patient_ids),
        EmergencyCover.source.in_(sources),
        EmergencyCover.since < day.begins,
    )
    return set(session.scalars(rows))


def _there(session: Session, day: Day, covered: Collection[UUID]) -> set[UUID]:
    """Who of these was in an emergency department that day: each once, however many feeds say so."""
    if not covered:
        return set()
    rows = select(EmergencyVisit.patient_id).where(
        among(session, EmergencyVisit.patient_id, covered),
        EmergencyVisit.state == "kept",
        EmergencyVisit.at >= day.begins,
        EmergencyVisit.at < day.ends,
    )
    return set(session.scalars(rows))
