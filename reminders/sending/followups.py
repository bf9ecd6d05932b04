"""Follows a link that goes unanswered: one more text at another time of day,
then a task for a human, and never more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from intake_links import links, scoring
from intake_links.models import IntakeLink, LinkSession, Screen
from messaging import contactability, outbox
from messaging import models as messaging
from messaging.delivery.restored import holding
from messaging.inbox import items
from messaging.reasons import Reason
from messaging.wording import clinic_words
from reminders import appointments, phrasing, planner, talking
from reminders.models import Appointment, FollowUp, Reminder
from reminders.rules import following, zones

DUE = FollowUp.state.in_(("waiting", "texted"))
CLEAR = DUE & holding.clear(FollowUp.clinic_id)
# A link that ends sooner than this is not worth a text.
WORTH = timedelta(hours=3)
ANSWERING_NOW = timedelta(hours=1)
NEVER_ARRIVED = ("held", "cancelled", "failed", "undelivered")
STILL_GOING = ("queued", "sending")
# The patient has said no, or is not the one who would read it: nothing follows, not even a task.
NOT_ASKED = contactability.WISHES | {contactability.Refusal.WRONG_PERSON}


def expect(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    link: IntakeLink,
    message: messaging.Message,
) -> None:
    """Have this link followed up, in the transaction that texts it; where no hour is left for it, nothing follows.

    A link to the patient's own page asks nothing, and is not followed up.
    """
    if link.place == links.OWN:
        return
    place = zones.zone(patient.zone or clinic.zone)
    hours = planner.hours_for(session, patient)
    sent, latest = max(clock.now(), message.try_after), _latest(session, _visit(session, link))
    at = following.text_again_at(sent, place, hours, latest)
    if at is None:
        return
    session.flush()
    session.add(
        FollowUp(clinic_id=clinic.id, link_id=link.id, first_message_id=message.id, state="waiting", try_after=at)
    )


def drain() -> int:
    """Work the lane off."""
    return db.work_off(FollowUp, CLEAR, follow, give_up=give_up, batch=100)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest due follow-up waits."""
    return db.oldest(session, FollowUp, CLEAR, now)


def follow(session: Session, rows: Sequence[FollowUp]) -> None:
    """Text once more, ask a human, or say on the row why neither: everything is read again first."""
    for row in rows:
        if row.state not in ("waiting", "texted") or row.try_after > clock.now():
            continue  # between the claim and now
        _follow(session, row)


def _follow(session: Session, row: FollowUp) -> None:
    link = session.get_one(IntakeLink, row.link_id, with_for_update=True, populate_existing=True)
    patient = session.get_one(messaging.Patient, link.patient_id, populate_existing=True)
    clinic = session.get_one(messaging.Clinic, row.clinic_id)
    db.load_keys(session, {patient.key_id, clinic.key_id})
    visit = _visit(session, link)
    over = _ended(session, link) or _not_their_hour(patient, visit)
    if over:
        _end(session, row, over)
    elif _seen_lately(session, link):
        row.try_after = clock.now() + ANSWERING_NOW
    elif row.state == "texted":
        _ask(session, row, clinic, patient, visit)
    else:
        _text(session, row, clinic, patient, link, visit)


def _ended(session: Session, link: IntakeLink) -> Reason | None:
    """Why the link itself is owed no answer any more, None if it is."""
    if link.state not in (*links.LIVE, "expired"):
        return Reason("link_state", {"state": link.state})
    if _told(session, link):
        return Reason("person_told")
    return Reason("answered_elsewhere") if _answered_elsewhere(session, link) else None


def _told(session: Session, link: IntakeLink) -> bool:
    owed = select(Screen.id).where(Screen.link_id == link.id, Screen.owed.is_not(None)).limit(1)
    return session.scalar(owed) is not None


def _answered_elsewhere(session: Session, link: IntakeLink) -> bool:
    """Whether every form of the link was handed in since it was issued: in the clinic, by a vendor, or on it."""
    taken = select(Screen.instrument, Screen.detail).where(
        Screen.patient_id == link.patient_id,
        Screen.state != "started",
        Screen.submitted_at >= link.created_at,
    )
    done = {name for instrument, detail in session.execute(taken) for name in (instrument, detail.get("began"))}
    return all(name in done or scoring.instrument(name).grows_into in done for name in link.instruments)


def _not_their_hour(patient: messaging.Patient, visit: Appointment | None) -> Reason | None:
    """Why this patient is not to be asked about this visit now, None if they may be."""
    now = clock.now()
    if patient.state != "active":
        return Reason("patient_state", {"state": patient.state})
    if patient.is_here(now):
        return Reason("patient_here")
    return _not_of(visit, now) if visit else None


def _not_of(visit: Appointment, now: datetime) -> Reason | None:
    """Why nothing is to be texted about this visit any more, None if it may be."""
    if visit.state not in planner.SPOKEN_OF:
        return Reason("visit_state", {"state": visit.state})
    if visit.starts_at <= now:
        return Reason("visit_past")
    return planner.QUIET if visit.quiet_at is not None else None


def _seen_lately(session: Session, link: IntakeLink) -> bool:
    seen = select(func.max(LinkSession.seen_at)).where(LinkSession.link_id == link.id)
    last = session.scalar(seen)
    return last is not None and last > clock.now() - ANSWERING_NOW


def _visit(session: Session, link: IntakeLink) -> Appointment | None:
    """The visit the link was sent for, else the patient's next one."""
    if link.appointment_id is not None:
        return session.get_one(Appointment, link.appointment_id)
    return appointments.next_visit(session, link.patient_id, clock.now())


def _latest(session: Session, visit: Appointment | None) -> datetime | None:
    """Three hours before the visit, and not so near its next reminder that the two would read as nagging."""
    if visit is None:
        return None
    planned = select(func.min(Reminder.due_at)).where(
        Reminder.appointment_id == visit.id, Reminder.state == "planned", Reminder.due_at > clock.now()
    )
    ahead = session.scalar(planned)
    last = following.latest(visit.starts_at)
    if ahead is None or last is None:
        return last
    return min(last, ahead - planner.cadence_of(session, visit.clinic_id).min_gap)


def _text(
    session: Session,
    row: FollowUp,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    link: IntakeLink,
    visit: Appointment | None,
) -> None:
    now = clock.now()
    first = session.get_one(messaging.Message, row.first_message_id, populate_existing=True)
    if first.state in NEVER_ARRIVED:
        _end(session, row, Reason("first_text", {"state": first.state}))
        return
    if first.state in STILL_GOING:
        row.try_after = now + ANSWERING_NOW
        return
    latest = _latest(session, visit)
    if (latest is not None and now > latest) or now + WORTH > link.expires_at:
        _end(session, row, Reason("too_late"))
        return
    hours = planner.hours_for(session, patient)
    opens = hours.next_open(now, zones.zone(patient.zone or clinic.zone))
    quiet_at = talking.of_patient(session, clinic, patient, now).quiet_at(patient)
    if opens > now or quiet_at:
        row.try_after = max(filter(None, (opens, quiet_at)))
        return
    try:
        with session.begin_nested():  # the second token of a text that may not go is taken back with it
            row.message_id = _send(session, clinic, patient, link, latest)
    except outbox.MayNotText:
        _ask(session, row, clinic, patient, visit)
        return
    row.state, row.try_after = "texted", following.ask_at(now, visit.starts_at if visit else None)
    _note(session, row, "texted")


def _send(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    link: IntakeLink,
    latest: datetime | None,
) -> UUID:
    variables = phrasing.about_clinic(clinic, patient) | {"link": links.second_url(session, link)}
    message = outbox.text_patient(
        session,
        clinic,
        patient,
        kind="automatic",
        programme="screening",
        body=phrasing.say(clinic_words.of(session, clinic.id), "form_again", patient, variables),
        dedupe=f"followup:{link.id}",
        lane="bulk",
        expires_at=min(filter(None, (latest, link.expires_at, clock.now() + WORTH))),
    )
    return message.id


def _ask(
    session: Session,
    row: FollowUp,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    visit: Appointment | None,
) -> None:
    """Give the task to a human, unless the patient has said no meanwhile."""
    refused = outbox.refusal(session, patient, "screening")
    if refused in NOT_ASKED:
        _end(session, row, Reason("refused", {"refusal": refused}))
        return
    _hand_over(session, row, clinic, patient, visit)


def _hand_over(
    session: Session,
    row: FollowUp,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    visit: Appointment | None,
) -> None:
    words = phrasing.texts("en")["staff"]
    spoken = phrasing.staff_words(clinic, patient, visit, clock.now()) if visit else {}
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=f"intake_link:{row.link_id}",
        dedupe=f"intake_link:{row.link_id}:unanswered",
        summary=words["unanswered_visit" if visit else "unanswered"].format(**spoken),
        patient_id=patient.id,
        answer_by=visit.starts_at if visit else None,
    )
    row.state = "asked"
    _note(session, row, "asked")


def give_up(session: Session, row: FollowUp) -> None:
    """A follow-up that cannot be worked on ends, and a human is asked."""
    link = session.get_one(IntakeLink, row.link_id)
    patient = session.get_one(messaging.Patient, link.patient_id)
    clinic = session.get_one(messaging.Clinic, row.clinic_id)
    db.load_keys(session, {patient.key_id, clinic.key_id})
    try:
        _ask(session, row, clinic, patient, None)
    except keys.WrongKey:  # whether the patient has said no cannot be read: a human looks
        _hand_over(session, row, clinic, patient, None)


def _end(session: Session, row: FollowUp, why: Reason) -> None:
    row.state, row.why = "over", why.stored()
    _note(session, row, "over")


def _note(session: Session, row: FollowUp, act: str) -> None:
    audit.record(
        session,
        row.clinic_id,
        audit.Actor.system("reminders"),
        f"follow_up.{act}",
        f"intake_link:{row.link_id}",
        why=row.why["key"] if row.why else None,
    )
