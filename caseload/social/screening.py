"""What was answered is kept and each new need becomes a task; where somebody was referred, and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import episodes
from caseload.episodes import Refused
from caseload.social import scoring
from caseload.social.models import SocialNeed, SocialScreen, SocialWording
from config import audit, clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.team import tasks
from reminders import merging, patient_locks, phrasing

merging.FOLLOWS["social_screens"] = SocialScreen
merging.FOLLOWS["social_needs"] = SocialNeed
# HEDIS SNS-E counts an intervention within 30 days of a positive answer; a day for safety is our own choice.
ACT_WITHIN = {"safety": timedelta(days=1)}
OTHERWISE = timedelta(days=30)
LONGEST, FURTHEST_BACK = 300, timedelta(days=366)


@dataclass(frozen=True)
class Given:
    """What was answered, on which day of the clinic; `once` makes two posts of a form one screen."""

    answers: scoring.Answers
    asked_on: date | None
    once: UUID
    private: bool


def keep(
    session: Session, clinic: Clinic, staff: Staff, patient: Patient, wording: SocialWording, given: Given
) -> SocialScreen:
    """Keep the answers and open a task for each need that no open task goes after yet.

    Raises Refused with nothing kept: nothing answered, answers that cannot be, a day that cannot be, or questions about
    safety without having said that nobody else could hear.
    """
    patient_locks.take(session, [patient.id])
    made = session.get(SocialScreen, given.once)
    if made is not None and made.patient_id == patient.id and made.clinic_id == clinic.id:
        return made
    found = _checked(clinic, given)
    db.load_keys(session, [patient.key_id])
    screen = SocialScreen(
        id=given.once if made is None else None,
        clinic_id=clinic.id,
        key_id=patient.key_id,
        patient_id=patient.id,
        wording_id=wording.id,
        asked_by=staff.id,
        asked_on=given.asked_on,
        made_at=clock.now(),
        answers=json.dumps({code: list(keys) for code, keys in given.answers.items()}),
    )
    session.add(screen)
    session.flush()
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "social_screen.kept", f"social_screen:{screen.id}")
    pursued = {need.domain for need, item in needs(session, patient) if item.state != "done"}
    for domain in found.positive:
        if domain not in pursued:
            _task(session, clinic, staff, patient, screen, domain)
    return screen


def _checked(clinic: Clinic, given: Given) -> scoring.Result:
    today = episodes.today_of(clinic)
    if given.asked_on is None or not today - FURTHEST_BACK <= given.asked_on <= today:
        raise Refused("social_day", "asked_on")
    if not given.answers:
        raise Refused("social_nothing")
    try:
        found = scoring.result(given.answers)
    except scoring.BadAnswer as bad:
        raise Refused("social_answer", str(bad)) from bad
    asked = {item.loinc for item in scoring.core().items if item.domain == "safety"}
    if asked & set(given.answers) and not given.private:
        raise Refused("social_private", "private")
    return found


def _task(session: Session, clinic: Clinic, staff: Staff, patient: Patient, screen: SocialScreen, domain: str) -> None:
    wanted = tasks.Wanted(
        title=str(phrasing.texts("en")["staff"][f"social_{domain}"]),
        due=clock.now() + ACT_WITHIN.get(domain, OTHERWISE),
        owner=staff,
        patient=patient,
        made="social_need",
        source=f"social_screen:{screen.id}",
    )
    item = tasks.make(session, clinic, staff, wanted)
    need = SocialNeed(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        patient_id=patient.id,
        screen_id=screen.id,
        item_id=item.id,
        domain=domain,
    )
    session.add(need)
    session.flush()


def refer(session: Session, staff: Staff, patient: Patient, need_id: UUID, to: str) -> None:
    """Write down to which service somebody was referred, over what stood there. Raises Refused; LookupError."""
    need = session.get(SocialNeed, need_id, with_for_update=True)
    if need is None or need.patient_id != patient.id:
        raise LookupError
    if not to.strip() or len(to.strip()) > LONGEST:
        raise Refused("social_referred", "referred")
    if session.get_one(InboxItem, need.item_id).state == "done":
        raise Refused("social_closed")
    db.load_keys(session, [need.key_id])
    need.referred, need.referred_at, need.referred_by = to.strip(), clock.now(), staff.id
    audit.record(session, need.clinic_id, audit.Actor.staff(staff.id), "social_need.referred", f"social_need:{need.id}")


def needs(session: Session, patient: Patient) -> list[tuple[SocialNeed, InboxItem]]:
    """Return the needs of a patient, the latest first, their keys loaded, each with the item of its task."""
    rows = (
        select(SocialNeed, InboxItem)
        .join(InboxItem, InboxItem.id == SocialNeed.item_id)
        .where(SocialNeed.patient_id == patient.id)
        .order_by(SocialNeed.id.desc())
    )
    listed = [(need, item) for need, item in session.execute(rows)]
    db.load_keys(session, (need.key_id for need, _ in listed))
    return listed


def screens(session: Session, patient: Patient) -> Sequence[SocialScreen]:
    """Return what a patient has answered, the latest first, their keys loaded."""
    rows = select(SocialScreen).where(SocialScreen.patient_id == patient.id)
    found = session.scalars(rows.order_by(SocialScreen.asked_on.desc(), SocialScreen.id.desc())).all()
    db.load_keys(session, (row.key_id for row in found))
    return found


def result_of(screen: SocialScreen) -> scoring.Result:
    """Return what a screen says; its key is loaded."""
    return scoring.result(json.loads(screen.answers or "{}"))
