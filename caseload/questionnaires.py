"""Asks people in care between their visits, as the clinic's schedule says for their phase.

Each open episode is looked at once a day, in the patient's morning. What is asked leaves by the one way that links to
forms have: consent, quiet hours, once more at another time, then a task for a person. Nothing here texts by itself.
Whoever did not answer is called, and not texted again, until somebody has spoken with them.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import contacts, episodes, kept_scores
from caseload.models import Asking, Episode
from config import audit, clock, db
from config.db.sets import among
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.models import Clinic, Message, Patient
from reminders import appointments, patient_locks, planner, questionnaires, schedules, talking
from reminders.models import Appointment, FollowUp, Reminder
from reminders.rules import zones
from reminders.sending import form_links

DUE = Asking.state == "waiting"
MORNING = time(10)
# So near a visit it is answered there, or by the visit's own reminder.
VISIT_NEAR = timedelta(days=3)
# Nobody gets two automatic texts within so long.
APART, A_DAY = timedelta(hours=20), timedelta(days=1)


def drain() -> int:
    """Work the lane off."""
    return db.work_off(Asking, DUE, look, give_up=_give_up, batch=50)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest due row waits."""
    return db.oldest(session, Asking, DUE, now)


def look(session: Session, rows: Sequence[Asking]) -> None:
    """Ask whoever is due, and look at all of them again tomorrow."""
    for row in rows:
        if row.state != "waiting" or row.try_after > clock.now():
            continue  # between the claim and now
        episode, clinic = session.get_one(Episode, row.episode_id), session.get_one(Clinic, row.clinic_id)
        patient_locks.take(session, [episode.patient_id])
        session.refresh(episode)
        if episode.phase == "discharged":
            row.state = "over"
            continue
        patient = session.get_one(Patient, episode.patient_id, populate_existing=True)
        db.load_keys(session, {patient.key_id, clinic.key_id})
        _ask(session, row, clinic, patient, episode)
        row.try_after = morning(session, clinic, patient)


def morning(session: Session, clinic: Clinic, patient: Patient, days: int = 1) -> datetime:
    """Return when, so many days from now, a text may come to the patient in their morning."""
    place = zones.zone(patient.zone or clinic.zone)
    day = zones.to_local(clock.now(), place).date() + timedelta(days=days)
    at = zones.local_to_utc(datetime.combine(day, MORNING), place)
    return planner.hours_for(session, patient).next_open(at, place)


def _ask(session: Session, row: Asking, clinic: Clinic, patient: Patient, episode: Episode) -> None:
    due = _due(session, row, clinic, patient, episode)
    if not due or must_wait(session, clinic, patient):
        return
    try:
        with session.begin_nested():
            actor = audit.Actor.system("caseload")
            link, _ = form_links.hand_out(session, clinic, patient, due, actor=actor, waits=True)
    except (form_links.NotPossible, form_links.StillOpen, outbox.MayNotText):
        return  # that the score is due stands in the registry, where a person sees it
    row.link_id, row.asked_at = link.id, clock.now()


def _due(session: Session, row: Asking, clinic: Clinic, patient: Patient, episode: Episode) -> list[str]:
    """What of the schedule's entries for this phase is due, and was not asked so lately without an answer."""
    schedule = questionnaires.by_phase(session, clinic)
    first = episodes.open_of(session, patient.id)
    if schedule is None or first is None or first.id != episode.id:  # of two open ones the older asks
        return []
    facts = questionnaires.facts(session, clinic, patient, clock.now())
    facts = replace(facts, taken=(*facts.taken, *_imported(episode)))
    if facts.phase is None or _is_called(session, clinic, patient):
        return []
    asks = {ask.name: ask for ask in schedule.asks if ask.who in schedules.PHASES}
    place = zones.zone(patient.zone or clinic.zone)
    asked_on = zones.to_local(row.asked_at, place).date() if row.asked_at else None
    return [
        verdict.instrument
        for verdict in schedules.due(schedule, facts)
        if verdict.due
        and verdict.ask in asks
        and (asked_on is None or (facts.today - asked_on).days >= asks[verdict.ask].days(facts.in_phase))
    ]


def _imported(episode: Episode) -> list[schedules.Taken]:
    """What was answered before the registry was taken over from a file."""
    return [schedules.Taken(episode.scale, point.on) for point in kept_scores.imported_of(episode)]


def _is_called(session: Session, clinic: Clinic, patient: Patient) -> bool:
    """Whether somebody is to call them about questions they did not answer, and has not."""
    asked = unanswered(session, clinic, [patient.id]).get(patient.id)
    spoken = contacts.last(session, clinic, [patient.id]).get(patient.id)
    return asked is not None and (spoken is None or spoken <= asked)


def unanswered(session: Session, clinic: Clinic, patient_ids: Collection[UUID]) -> dict[UUID, date]:
    """Return by patient on which day, in the clinic's zone, a person was asked to call about the last questions that
    were texted twice and not answered; who has answered since is left out."""
    rows = session.execute(
        select(IntakeLink.patient_id, IntakeLink.state, FollowUp.state, FollowUp.try_after)
        .join(FollowUp, FollowUp.link_id == IntakeLink.id)
        .where(among(session, IntakeLink.patient_id, patient_ids))
        .order_by(IntakeLink.created_at, IntakeLink.id)
    )
    last = {patient_id: (link, follow_up, at) for patient_id, link, follow_up, at in rows}
    return {
        patient_id: episodes.day_of(clinic, at)
        for patient_id, (link, follow_up, at) in last.items()
        if follow_up == "asked" and link != "answered"
    }


def must_wait(session: Session, clinic: Clinic, patient: Patient) -> bool:
    """Return whether today is no day to ask: they are here or talk with somebody, come soon, or have another text."""
    now = clock.now()
    if patient.is_here(now):
        return True
    if talking.of_patient(session, clinic, patient, now).quiet_at(patient):
        return True
    visit = appointments.next_visit(session, patient.id, now)
    if visit is not None and visit.starts_at < now + VISIT_NEAR:
        return True
    return _texted(session, patient, now)


def _texted(session: Session, patient: Patient, now: datetime) -> bool:
    """Whether an automatic text went to them so lately, or is planned so soon, that two would come at once."""
    sent = select(Message.id).where(
        Message.patient_id == patient.id,
        Message.direction == "out",
        Message.kind.in_(outbox.AUTOMATIC),
        Message.created_at > now - APART,
    )
    planned = (
        select(Reminder.id)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(Appointment.patient_id == patient.id, Reminder.state == "planned", Reminder.due_at < now + APART)
    )
    return session.scalar(sent.limit(1)) is not None or session.scalar(planned.limit(1)) is not None


def _give_up(session: Session, row: Asking) -> None:
    """A row that cannot be worked on is looked at again tomorrow: that a score is due stands in the registry."""
    del session
    row.attempts, row.try_after = 0, clock.now() + A_DAY
