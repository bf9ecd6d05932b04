"""The registry of the made-up clinic: its care model, who is enrolled, when they were spoken with and reviewed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import care_log, episodes, relapse_plans, reviews
from caseload.models import Episode
from config import audit, db
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from messaging.versions import publishing
from reminders import care_model
from service.cli.walk import day

DAY, CALL_MINUTES = timedelta(days=1), 22
# A week has no half: whoever was enrolled so many weeks ago was asked the first questions on that day or soon after.
EARLIER = timedelta(minutes=30)


def seed(clinic_id: UUID, now: datetime, people: Sequence[Mapping[str, Any]]) -> int:
    """Let the clinic work with a registry, and enrol `people` of morning.toml; return how many there are."""
    with db.unit_of_work(clinic_id) as session:
        clinic = session.get_one(Clinic, clinic_id)
        _decide(session, clinic)
        for place, person in enumerate(people):
            _enrol(session, clinic, now + timedelta(minutes=25 * place), person)
    return len(people)


def _decide(session: Session, clinic: Clinic) -> None:
    decided = care_model.Terms(model="collaborative").model_dump(mode="json")
    actor = audit.Actor.staff(of_role(session, clinic, "clinic_admin").id)
    draft = publishing.save(session, clinic, care_model.CARE, decided, edit=0, actor=actor)
    publishing.publish(session, clinic, care_model.CARE, edit=draft.edit, actor=actor)


def of_role(session: Session, clinic: Clinic, role: str) -> Staff:
    """Return the first colleague of a role, by name."""
    working = select(Staff).where(Staff.clinic_id == clinic.id, Staff.role == role, Staff.active)
    return session.scalars(working.order_by(Staff.name)).first() or _nobody(role)


def _nobody(role: str) -> Staff:
    raise LookupError(f"no {role} in the demonstration")


def _enrol(session: Session, clinic: Clinic, now: datetime, person: Mapping[str, Any]) -> None:
    episode = begin(session, clinic, now, person)
    manager, consultant = session.get_one(Staff, episode.manager_id), of_role(session, clinic, "psychiatric_consultant")
    treating = session.get_one(Staff, episode.practitioner_id)
    _since(session, clinic, now, person, episode, manager, consultant, treating)


def begin(session: Session, clinic: Clinic, now: datetime, person: Mapping[str, Any]) -> Episode:
    """Enrol somebody so many weeks ago, by the care manager of their panel."""
    patient = directory.find_by_record(session, clinic, person["record"])
    if patient is None:
        raise LookupError(f"no patient {person['record']} in the demonstration")
    managers = session.scalars(
        select(Staff).where(Staff.clinic_id == clinic.id, Staff.role == "care_manager").order_by(Staff.name)
    ).all()
    manager = next((colleague for colleague in managers if patient.panel in colleague.panels), managers[0])
    began = now - DAY * 7 * person["weeks"]
    wanted = episodes.Enrolment(
        enrolled_on=began.astimezone(ZoneInfo(clinic.zone)).date(),
        consent="verbal",
        consent_at=began - EARLIER,
        cost_told=True,
        practitioner=of_role(session, clinic, "clinician"),
        manager=manager,
        consultant=of_role(session, clinic, "psychiatric_consultant"),
        payer="medicare",
        scale="phq9",
    )
    with day.at(began):
        return episodes.enrol(session, clinic, manager, patient, wanted)


def _since(
    session: Session,
    clinic: Clinic,
    now: datetime,
    person: Mapping[str, Any],
    episode: Episode,
    manager: Staff,
    consultant: Staff,
    treating: Staff,
) -> None:
    """What has been done since then."""
    called = now - DAY * person["contact"]
    with day.at(called + timedelta(minutes=CALL_MINUTES + 5)):
        care_log.log(session, manager, episode, care_log.Work("call", called, CALL_MINUTES, reached=True))
    if person["review"] >= 0:
        words = person.get("recommend", "")
        said = reviews.Said(consultant, "recommend" if words else "continue", words, treating)
        with day.at(now - DAY * person["review"]):
            reviews.write(session, clinic, consultant, episode, said)
    if "question" in person:
        episodes.ask_consultant(session, manager, episode, person["question"])
    if "relapse_check" in person:
        check_on = episodes.today_of(clinic) + DAY * person["relapse_check"]
        episodes.plan_relapse_prevention(session, clinic, manager, episode, check_on)
    if "plan" in person:
        patient = session.get_one(Patient, episode.patient_id)
        relapse_plans.KIND.write(session, manager, patient, person["plan"], seen=None, shared=True)
        episodes.note_plan(session, clinic, patient.id, written=True)
