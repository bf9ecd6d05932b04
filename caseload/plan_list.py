"""Everybody's plans against a relapse at once: who has one and since when, when its next check is, who is without."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from caseload import episodes, relapse_plans
from caseload.models import OPEN, Episode, RelapsePlan
from caseload.registry import due
from config import db
from config.db.sets import among
from messaging.models import Clinic, Patient

MOST = 2000


@dataclass(frozen=True)
class Held:
    """Somebody in care, their key loaded, and the version of their plan that holds; None where there is no word of one.

    `late` is for how many days the check of the plan has been due, None where it is not.
    """

    episode: Episode
    patient: Patient
    plan: RelapsePlan | None
    late: int | None


def of_clinic(session: Session, clinic: Clinic, *where: ColumnElement[bool]) -> list[Held]:
    """Return who is in relapse prevention, and of the others in care who has a plan: who is without one first, then by
    the next check. At most MOST of them, the latest enrolled."""
    planned = or_(
        Episode.phase == "relapse_prevention",
        Episode.plan_on.is_not(None),
        exists().where(RelapsePlan.patient_id == Episode.patient_id),
    )
    of = session.execute(
        select(Episode, Patient)
        .join(Patient, Patient.id == Episode.patient_id)
        .where(Episode.clinic_id == clinic.id, OPEN, planned, *where)
        .order_by(Episode.enrolled_on.desc(), Episode.id)
        .limit(MOST)
    ).all()
    plans, today = _holding(session, [patient.id for _, patient in of]), episodes.today_of(clinic)
    db.load_keys(session, [*(patient.key_id for _, patient in of), *(plan.key_id for plan in plans.values())])
    held = [
        Held(episode, patient, _worded(plans.get(patient.id)), due.check_late(episode.phase, episode.check_on, today))
        for episode, patient in of
    ]
    return sorted((each for each in held if _belongs(each)), key=_soonest)


def _holding(session: Session, patient_ids: Sequence[UUID]) -> dict[UUID, RelapsePlan]:
    """The newest version of each patient's plan."""
    versions = select(RelapsePlan).where(among(session, RelapsePlan.patient_id, patient_ids))
    return {plan.patient_id: plan for plan in session.scalars(versions.order_by(RelapsePlan.id))}


def _worded(plan: RelapsePlan | None) -> RelapsePlan | None:
    """A plan that was emptied again is none."""
    return plan if plan is not None and relapse_plans.KIND.sections(plan) else None


def _belongs(held: Held) -> bool:
    return held.plan is not None or held.episode.plan_on is not None or held.episode.phase == "relapse_prevention"


def _soonest(held: Held) -> tuple[bool, date, UUID]:
    return held.plan is not None, held.episode.check_on or date.max, held.episode.id
