"""Asks people in care how the clinic did: after a discharge and every 90 days, once on each occasion, by a link.

An episode is looked at in the patient's morning, daily while an occasion lasts and weekly else. Nothing is texted
twice: whoever does not answer has answered, and nobody calls about it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import episodes, questionnaires
from caseload.models import Episode, SatisfactionAsked, SatisfactionWatch
from caseload.satisfaction import occasions
from config import audit, clock, db
from intake_links import links
from intake_links.models import VIEWS
from messaging import outbox
from messaging.models import Clinic, Patient
from messaging.wording import clinic_words
from reminders import care_model, patient_locks, phrasing, planner, satisfaction
from reminders.rules import zones

DUE = SatisfactionWatch.state == "waiting"


def drain() -> int:
    """Work the lane off."""
    return db.work_off(SatisfactionWatch, DUE, look, give_up=_give_up, batch=50)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest due row waits."""
    return db.oldest(session, SatisfactionWatch, DUE, now)


def look(session: Session, rows: Sequence[SatisfactionWatch]) -> None:
    """Ask whoever is due, and look at all of them again when there may be something to do."""
    for row in rows:
        if row.state != "waiting" or row.try_after > clock.now():
            continue  # between the claim and now
        episode, clinic = session.get_one(Episode, row.episode_id), session.get_one(Clinic, row.clinic_id)
        patient_locks.take(session, [episode.patient_id])
        session.refresh(episode)
        patient = session.get_one(Patient, episode.patient_id, populate_existing=True)
        facts = _facts(session, clinic, episode)
        if occasions.over(facts) or patient.state == "deceased":
            row.state = "over"
            continue
        db.load_keys(session, {patient.key_id, clinic.key_id})
        occasion = occasions.due(facts) if _asks(clinic) else None
        days = occasions.days_until_look(facts)
        if occasion is not None and _may(session, clinic, patient):
            _ask(session, clinic, patient, episode, occasion)
        row.try_after = questionnaires.morning(session, clinic, patient, days)


def _asks(clinic: Clinic) -> bool:
    return satisfaction.of_clinic(clinic).asks and care_model.of_clinic(clinic).registry


def _facts(session: Session, clinic: Clinic, episode: Episode) -> occasions.Facts:
    asked = session.execute(
        select(SatisfactionAsked.episode_id, SatisfactionAsked.occasion, SatisfactionAsked.asked_at)
        .join(Episode, Episode.id == SatisfactionAsked.episode_id)
        .where(Episode.patient_id == episode.patient_id)
    ).all()
    first = episodes.open_of(session, episode.patient_id)
    return occasions.Facts(
        enrolled=episode.enrolled_on,
        today=episodes.today_of(clinic),
        after_days=satisfaction.of_clinic(clinic).after_days,
        ended=episode.ended_on if episode.phase == "discharged" else None,
        reason=episode.end_reason,
        asked=[occasion for episode_id, occasion, _ in asked if episode_id == episode.id],
        last_asked=max((episodes.day_of(clinic, at) for _, _, at in asked), default=None),
        elsewhere=first is not None and first.id != episode.id,
    )


def _may(session: Session, clinic: Clinic, patient: Patient) -> bool:
    """Whether today is a day to ask: the record is open, they can open a link, no other link or text is on its way."""
    if patient.state != "active" or patient.birth_date is None:
        return False
    waits = links.open_link_of(session, patient.id) is not None
    return not waits and not questionnaires.must_wait(session, clinic, patient)


def _ask(session: Session, clinic: Clinic, patient: Patient, episode: Episode, occasion: str) -> None:
    try:
        with session.begin_nested():
            _hand_out(session, clinic, patient, episode, occasion)
    except outbox.MayNotText:
        return  # looked at again tomorrow, while the occasion lasts


def _hand_out(session: Session, clinic: Clinic, patient: Patient, episode: Episode, occasion: str) -> None:
    now = clock.now()
    opens = planner.hours_for(session, patient).next_open(now, zones.zone(patient.zone or clinic.zone))
    valid = links.VALID + (opens - now)
    link, url = links.issue(session, clinic, patient, [], valid=valid, leads_to=VIEWS)
    # The words are those of every link that no visit goes with: they say that there are questions, and nothing of what.
    values = phrasing.about_clinic(clinic, patient) | {"link": url}
    message = outbox.text_patient(
        session,
        clinic,
        patient,
        kind="automatic",
        programme="screening",
        body=phrasing.say(clinic_words.of(session, clinic.id), "form_link", patient, values),
        dedupe=f"views:{episode.id}:{occasion}",
        lane="bulk",
        not_before=opens,
        expires_at=link.expires_at,
    )
    asked = SatisfactionAsked(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        episode_id=episode.id,
        occasion=occasion,
        link_id=link.id,
        message_id=message.id,
        asked_at=now,
        language=patient.language,
    )
    session.add(asked)
    session.flush()
    _note(session, clinic, asked.id, occasion)


def _note(session: Session, clinic: Clinic, asked_id: UUID, occasion: str) -> None:
    actor, about = audit.Actor.system("caseload"), f"satisfaction_asked:{asked_id}"
    audit.record(session, clinic.id, actor, "satisfaction.asked", about, occasion=occasion)


def _give_up(session: Session, row: SatisfactionWatch) -> None:
    """A row that cannot be worked on is looked at again tomorrow."""
    del session
    row.attempts, row.try_after = 0, clock.now() + questionnaires.A_DAY
