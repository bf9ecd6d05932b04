"""Enrolling somebody, changing the phase of their care, ending it: by a named person, with consent, written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from caseload import contacts, expecting
from caseload.models import OPEN, Episode
from caseload.registry import due, progress
from config import audit, clock, db
from messaging.models import Clinic, Patient, Staff
from reminders import care_model, merging, patient_locks, questionnaires

CONSENTS = ("verbal", "written")
PAYERS = ("medicare", "medicaid", "commercial", "other", "none")
END_REASONS = ("goals_met", "referred", "declined", "lost", "moved")
MANAGERS, PRACTITIONERS, CONSULTANTS = ("care_manager", "clinician"), ("clinician",), ("psychiatric_consultant",)
LONGEST_QUESTION, LONGEST_MEDICINES, LONGEST_CODE, LONGEST_DIAGNOSIS = 500, 1000, 10, 200
# Longer ago, a day of enrolment or consent is a mistake of the keyboard.
FURTHEST_BACK = timedelta(days=5 * 366)

merging.FOLLOWS["episodes"] = Episode
# How an entry of the schedule of questionnaires calls a phase.
ASKED_IN = {"active": "active_phase", "relapse_prevention": "relapse_prevention"}


class Refused(ValueError):
    """This cannot be done so: `why` is a key of the page's refusals, `field` where it was typed."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.why, self.field = why, field


@dataclass(frozen=True)
class Enrolment:
    """What is needed to begin an episode. `consent_at` is when they agreed; `cost_told` that cost sharing was told."""

    enrolled_on: date | None
    consent: str
    consent_at: datetime | None
    cost_told: bool
    practitioner: Staff | None
    manager: Staff | None
    consultant: Staff | None
    payer: str
    scale: str


@dataclass(frozen=True)
class Billing:
    """The initiating visit's day and code, and the diagnosis; empty where nobody knows yet."""

    initiating_on: date | None
    code: str
    diagnosis: str


def enrol(session: Session, clinic: Clinic, by: Staff, patient: Patient, wanted: Enrolment) -> Episode:
    """Begin an episode. Raises Refused, with nothing done."""
    patient_locks.take(session, [patient.id])
    if patient.clinic_id != clinic.id or patient.state != "active":
        raise Refused("care_closed_record")
    if open_of(session, patient.id) is not None:
        raise Refused("care_open")
    if not wanted.cost_told:
        raise Refused("care_cost", "cost_told")
    db.load_keys(session, [patient.key_id])
    now = clock.now()
    consultant = wanted.consultant and _person(clinic, wanted.consultant, CONSULTANTS, "consultant")
    episode = Episode(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        patient_id=patient.id,
        phase="active",
        phase_at=now,
        enrolled_on=_enrolled_on(clinic, wanted.enrolled_on),
        enrolled_by=by.id,
        consent=_word(wanted.consent, CONSENTS, "consent"),
        consent_at=_consent_at(wanted.consent_at),
        consent_by=by.id,
        consent_language=patient.language,
        practitioner_id=_person(clinic, wanted.practitioner, PRACTITIONERS, "practitioner").id,
        manager_id=_person(clinic, wanted.manager, MANAGERS, "manager").id,
        consultant_id=consultant.id if consultant else None,
        payer=_word(wanted.payer, PAYERS, "payer"),
        scale=_word(wanted.scale, progress.SCALES, "scale"),
        created_at=now,
    )
    session.add(episode)
    session.flush()
    expecting.expect(session, episode)
    _audit(session, episode, by, "enrolled", consent=wanted.consent, scale=wanted.scale, payer=wanted.payer)
    return episode


def _word(word: str, words: Sequence[str], field: str) -> str:
    if word not in words:
        raise Refused(f"care_{field}", field)
    return word


def _person(clinic: Clinic, person: Staff | None, roles: Sequence[str], field: str) -> Staff:
    if person is None or person.clinic_id != clinic.id or not person.active or person.role not in roles:
        raise Refused(f"care_{field}", field)
    return person


def _enrolled_on(clinic: Clinic, day: date | None) -> date:
    today = today_of(clinic)
    if day is None or not today - FURTHEST_BACK <= day <= today:
        raise Refused("care_enrolled_on", "enrolled_on")
    return day


def _consent_at(at: datetime | None) -> datetime:
    if at is None or not clock.now() - FURTHEST_BACK <= at <= clock.now():
        raise Refused("care_consent_at", "consent_at")
    return at


def plan_relapse_prevention(session: Session, clinic: Clinic, by: Staff, episode: Episode, check_on: date) -> None:
    """Go into relapse prevention, with the day of the next check; or set another day for it. Raises Refused."""
    today = today_of(clinic)
    _must_be_open(episode)
    if not today < check_on <= today + timedelta(days=366):
        raise Refused("care_check_on", "check_on")
    if episode.phase != "relapse_prevention":
        episode.phase, episode.phase_at = "relapse_prevention", clock.now()
    episode.check_on = check_on
    _audit(session, episode, by, "relapse_prevention", check_on=check_on.isoformat())


def note_plan(session: Session, clinic: Clinic, patient_id: UUID, *, written: bool) -> None:
    """Keep in the open episode, where there is one, that a plan against a relapse was written today, or emptied."""
    episode = open_of(session, patient_id)
    if episode is not None:
        episode.plan_on = today_of(clinic) if written else None


def back_to_active(session: Session, by: Staff, episode: Episode) -> None:
    """Go back into the acute phase: somebody has relapsed. Raises Refused."""
    _must_be_open(episode)
    episode.phase, episode.phase_at, episode.check_on = "active", clock.now(), None
    _audit(session, episode, by, "active")


def discharge(session: Session, clinic: Clinic, by: Staff, episode: Episode, reason: str) -> None:
    """End an episode today. Raises Refused: nobody is lost before ninety days without live contact."""
    _must_be_open(episode)
    if reason not in END_REASONS:
        raise Refused("care_end_reason", "reason")
    today = today_of(clinic)
    if reason == "lost":
        seen = contacts.last(session, clinic, [episode.patient_id]).get(episode.patient_id) or episode.enrolled_on
        if (today - seen).days < due.INACTIVE_DAYS:
            raise Refused("care_not_lost", "reason")
    episode.phase, episode.phase_at = "discharged", clock.now()
    episode.ended_on, episode.ended_by, episode.end_reason = today, by.id, reason
    expecting.look_at_discharge(session, episode)
    _audit(session, episode, by, "discharged", reason=reason)


def take_back_discharge(session: Session, clinic: Clinic, by: Staff, episode: Episode) -> None:
    """Undo a discharge of today. Raises Refused once the day is over, or another episode has begun."""
    if episode.phase != "discharged" or episode.ended_on != today_of(clinic):
        raise Refused("care_not_today")
    if open_of(session, episode.patient_id) is not None:
        raise Refused("care_open")
    episode.phase = "relapse_prevention" if episode.check_on else "active"
    episode.phase_at, episode.ended_on, episode.ended_by, episode.end_reason = clock.now(), None, None, None
    expecting.expect(session, episode)
    _audit(session, episode, by, "discharge_taken_back")


def ask_consultant(session: Session, by: Staff, episode: Episode, question: str) -> None:
    """Put somebody on the consultant's list with a question, or take that back with an empty one. Raises Refused."""
    _must_be_open(episode)
    if len(question.strip()) > LONGEST_QUESTION:
        raise Refused("care_question", "question")
    db.load_keys(session, [episode.key_id])
    episode.question = question.strip() or None
    _audit(session, episode, by, "question" if episode.question else "question_taken_back")


def write_medicines(session: Session, by: Staff, episode: Episode, words: str) -> None:
    """Keep in words what somebody takes and what was tried, for the consultant; empty: nothing. Raises Refused."""
    _must_be_open(episode)
    if len(words.strip()) > LONGEST_MEDICINES:
        raise Refused("care_medicines", "medicines")
    db.load_keys(session, [episode.key_id])
    episode.medicines = words.strip() or None
    _audit(session, episode, by, "medicines")


def give_to(session: Session, clinic: Clinic, by: Staff, episode: Episode, manager: Staff | None) -> None:
    """Let another colleague manage the care. Raises Refused."""
    _must_be_open(episode)
    episode.manager_id = _person(clinic, manager, MANAGERS, "manager").id
    _audit(session, episode, by, "given", manager=str(episode.manager_id))


def managed(session: Session, clinic_id: UUID) -> dict[UUID, int]:
    """Return of how many people each colleague manages the care."""
    rows = select(Episode.manager_id, func.count()).where(Episode.clinic_id == clinic_id, OPEN)
    return dict(session.execute(rows.group_by(Episode.manager_id)).all())


def hand_over(session: Session, clinic: Clinic, leaver: Staff, to: Staff | None, actor: str) -> tuple[int, int]:
    """Let `to` manage the care of whomever somebody who leaves has managed; return of how many, and of how many nobody.

    Nothing moves to a colleague who may manage no care.
    """
    theirs = select(Episode).where(Episode.clinic_id == clinic.id, Episode.manager_id == leaver.id)
    open_ones = session.scalars(theirs.where(OPEN).with_for_update()).all()
    if to is None or not to.active or to.role not in MANAGERS:
        return 0, len(open_ones)
    for episode in open_ones:
        episode.manager_id = to.id
        about = f"care_episode:{episode.id}"
        audit.record(session, clinic.id, actor, "care.given", about, manager=str(to.id))
    return len(open_ones), 0


def for_billing(session: Session, clinic: Clinic, by: Staff, episode: Episode, facts: Billing) -> None:
    """Keep what only whoever bills asks for: the initiating visit and the diagnosis. Raises Refused."""
    code, diagnosis, today = facts.code.strip().upper(), facts.diagnosis.strip(), today_of(clinic)
    whole = facts.initiating_on is not None and today - FURTHEST_BACK <= facts.initiating_on <= today and code
    if not whole and (facts.initiating_on is not None or code):
        raise Refused("care_initiating", "initiating_on")
    if len(code) > LONGEST_CODE or len(diagnosis) > LONGEST_DIAGNOSIS:
        raise Refused("care_diagnosis" if len(diagnosis) > LONGEST_DIAGNOSIS else "care_initiating", "initiating_on")
    db.load_keys(session, [episode.key_id])
    episode.initiating_on, episode.initiating_code = facts.initiating_on, code or None
    episode.diagnosis = diagnosis or None
    _audit(session, episode, by, "billing_facts")


def open_of(session: Session, patient_id: UUID) -> Episode | None:
    """Return the episode that is open for a patient; the older one where a merge has left two."""
    return session.scalar(
        select(Episode).where(Episode.patient_id == patient_id, OPEN).order_by(Episode.enrolled_on, Episode.id).limit(1)
    )


def phase_of(session: Session, clinic: Clinic, patient: Patient) -> questionnaires.Phase | None:
    """Return in which phase of care a patient is, as the schedule of questionnaires asks, and since which day."""
    episode = open_of(session, patient.id) if care_model.of_clinic(clinic).registry else None
    if episode is None:
        return None
    # Where the phase never changed it began with the care; else with the change, a relapse too.
    unchanged = episode.phase == "active" and episode.phase_at <= episode.created_at
    began = episode.enrolled_on if unchanged else day_of(clinic, episode.phase_at)
    return ASKED_IN[episode.phase], began


questionnaires.PHASE_OF.append(phase_of)


def of_patient(session: Session, patient_id: UUID) -> Sequence[Episode]:
    """Return every episode of a patient, the latest first, their keys loaded."""
    found = select(Episode).where(Episode.patient_id == patient_id)
    rows = session.scalars(found.order_by(Episode.enrolled_on.desc(), Episode.id.desc())).all()
    db.load_keys(session, (row.key_id for row in rows))
    return rows


def open_count(session: Session, clinic: Clinic) -> int:
    """Return how many episodes of a clinic are open."""
    still = select(func.count()).where(Episode.clinic_id == clinic.id, OPEN)
    return session.scalar(still) or 0


def today_of(clinic: Clinic) -> date:
    """Return today's date at the clinic."""
    return day_of(clinic, clock.now())


def day_of(clinic: Clinic, at: datetime) -> date:
    """Return the day of a moment at the clinic."""
    return at.astimezone(ZoneInfo(clinic.zone)).date()


def _must_be_open(episode: Episode) -> None:
    if episode.phase == "discharged":
        raise Refused("care_discharged")


def _audit(session: Session, episode: Episode, by: Staff, act: str, **detail: str) -> None:
    actor, about = audit.Actor.staff(by.id), f"care_episode:{episode.id}"
    audit.record(session, episode.clinic_id, actor, f"care.{act}", about, **detail)
