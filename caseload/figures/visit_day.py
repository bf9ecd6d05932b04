"""The visits of a day counted: who came, who was reminded, who confirmed, and who was screened for depression."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, exists, or_, select
from sqlalchemy.orm import Session

from caseload.figures import people_of_day
from caseload.figures.days import Day, years_between
from caseload.models import Episode
from config.db.sets import among
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, SafetyPlan
from reminders.models import Appointment, Handoff, Reminder

# CMS2 (2025): from twelve years on; screened on the day or in the fourteen days before; a plan within two days after.
YOUNGEST, SCREENED_WITHIN, PLANNED_WITHIN = 12, 14, 2
DEPRESSION = ("phq9", "phq2", "phq9m")
PLANS = ("assessed_plan", "assessed_transfer", "assessed_follow_up")
Visit = Row[UUID, datetime, str, datetime | None]


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count the visits that begin on a day."""
    visits = session.execute(
        select(Appointment.patient_id, Appointment.starts_at, Appointment.state, Appointment.confirmed_at).where(
            Appointment.clinic_id == clinic.id, Appointment.starts_at >= day.begins, Appointment.starts_at < day.ends
        )
    ).all()
    if not visits:
        return Counter()
    reminded = _reminded(session, clinic, day)
    counts = Counter(
        name for visit in visits for name in _names(visit, (visit.patient_id, visit.starts_at) in reminded)
    )
    came = {visit.patient_id for visit in visits if visit.state == "arrived"}
    return counts + _screened(session, clinic, day, came)


def _reminded(session: Session, clinic: Clinic, day: Day) -> set[tuple[UUID, datetime]]:
    """Whom a reminder was delivered to of which moment, before it came: one text speaks of all visits at one time."""
    delivered = (
        select(Appointment.patient_id, Appointment.starts_at)
        .select_from(Reminder)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .join(Message, Message.id == Reminder.message_id)
        .where(
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at >= day.begins,
            Appointment.starts_at < day.ends,
            Message.state == "delivered",
            or_(Message.delivered_at.is_(None), Message.delivered_at < Appointment.starts_at),
        )
    )
    return {(patient_id, starts_at) for patient_id, starts_at in session.execute(delivered)}


def _names(visit: Visit, reminded: bool) -> list[str]:
    """What one visit is counted as."""
    by_text = "reminded" if reminded else "not"
    came = {"arrived": f"came.{by_text}", "no_show": f"missed.{by_text}", "cancelled": "cancelled"}
    names = [f"visit.{came.get(visit.state, 'unmarked')}"]
    if visit.state != "cancelled":
        names.append(f"reach.{by_text}")
    if reminded:
        names.append(f"answer.{_answer(visit)}")
    return names


def _answer(visit: Visit) -> str:
    if visit.state in ("cancelled", "change_asked"):
        return str(visit.state)
    return "none" if visit.confirmed_at is None else "confirmed"


def _screened(session: Session, clinic: Clinic, day: Day, came: Collection[UUID]) -> Counter[str]:
    """CMS2, each patient once a day."""
    if not came:
        return Counter()
    born = people_of_day.born(session, came)
    counts: Counter[str] = Counter()
    eligible = set()
    for patient_id in came:
        if patient_id not in born:
            counts["cms2.no_age"] += 1
        elif years_between(born[patient_id], day.on) < YOUNGEST:
            counts["cms2.young"] += 1
        else:
            eligible.add(patient_id)
    counts["cms2.eligible"] = len(eligible)
    latest = latest_screens(session, clinic, eligible, day.moment(-SCREENED_WITHIN), day.ends)
    counts["cms2.screened"] = len(latest)
    positive = {patient_id: screen for patient_id, (screen, is_positive) in latest.items() if is_positive}
    counts["cms2.positive"] = len(positive)
    counts["cms2.plan"] = sum(has_plan(session, screen, day) for screen in positive.values())
    return counts


def latest_screens(
    session: Session, clinic: Clinic, patient_ids: Collection[UUID], begins: datetime, ends: datetime
) -> dict[UUID, tuple[Screen, bool]]:
    """Return by patient the last depression questionnaire of a time that says yes or no, and which."""
    screens: Sequence[Screen] = session.scalars(
        select(Screen)
        .where(
            Screen.clinic_id == clinic.id,
            among(session, Screen.patient_id, patient_ids),
            Screen.instrument.in_(DEPRESSION),
            Screen.submitted_at >= begins,
            Screen.submitted_at < ends,
        )
        .order_by(Screen.submitted_at, Screen.id)
    ).all()
    said = people_of_day.results(session, screens)
    return {
        screen.patient_id: (screen, bool(said[screen.id]["positive"]))
        for screen in screens
        if screen.id in said and said[screen.id].get("positive") is not None
    }


def has_plan(session: Session, screen: Screen, day: Day) -> bool:
    """Whether a follow-up was planned from the questionnaire on until two days after the day of the visit.

    A referral to a colleague, enrolment in Collaborative Care, a safety plan, or what a clinician said of the alert
    (`PLANS`). Another questionnaire is none, and neither is a call by itself.
    """
    assert screen.submitted_at is not None
    patient, begins, ends = screen.patient_id, screen.submitted_at, day.moment(PLANNED_WITHIN + 1)
    first: date = begins.astimezone(day.zone).date()
    last = day.on + timedelta(days=PLANNED_WITHIN)
    ways = (
        exists().where(
            Handoff.patient_id == patient,
            Handoff.requested_at >= begins,
            Handoff.requested_at < ends,
            or_(Handoff.outcome.is_(None), Handoff.outcome != "cancelled"),
        ),
        exists().where(Episode.patient_id == patient, Episode.enrolled_on >= first, Episode.enrolled_on <= last),
        exists().where(SafetyPlan.patient_id == patient, SafetyPlan.at >= begins, SafetyPlan.at < ends),
        exists().where(
            InboxItem.clinic_id == screen.clinic_id,
            InboxItem.about == f"screen:{screen.id}",
            InboxItem.disposition.in_(PLANS),
            InboxItem.acknowledged_at < ends,
        ),
    )
    return bool(session.scalar(select(or_(*ways))))
