"""Questionnaires of a day counted: links that were answered, positive screens and who spoke with whom, item 9."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from caseload import contacts
from caseload.figures import people_of_day
from caseload.figures.days import Day
from caseload.models import Episode
from config import clock, db
from config.db.sets import among
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message
from reminders.models import FollowUp

# Medicine that was missed is no symptom that was screened for.
NO_SCREEN = "adherence"
# Days within which somebody speaks with who screened positive (Bao: four weeks), minutes for a positive ninth item.
FOLLOWED_WITHIN, MINUTES = (7, 14, 28), (15, 60)
Link = Row[UUID, UUID, str, str, str | None, datetime, str]


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count the links that were made, the questionnaires handed in and the alerts raised on a day."""
    return _links(session, clinic, day) + _positives(session, clinic, day) + _self_harm(session, clinic, day)


def _links(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    links: Sequence[Link] = session.execute(
        select(
            IntakeLink.id,
            IntakeLink.patient_id,
            IntakeLink.state,
            IntakeLink.language,
            IntakeLink.place,
            IntakeLink.expires_at,
            Message.state.label("text"),
        )
        .outerjoin(FollowUp, FollowUp.link_id == IntakeLink.id)
        .outerjoin(Message, Message.id == FollowUp.first_message_id)
        .where(
            IntakeLink.clinic_id == clinic.id,
            IntakeLink.id >= db.first_id(day.begins),
            IntakeLink.id < db.first_id(day.ends),
            or_(IntakeLink.place == "tablet", FollowUp.id.is_not(None)),
        )
    ).all()
    if not links:
        return Counter()
    born = people_of_day.born(session, {link.patient_id for link in links})
    now = clock.now()
    return Counter(
        name for link in links for name in _of_link(link, people_of_day.band(born.get(link.patient_id), day.on), now)
    )


def _of_link(link: Link, band: str, now: datetime) -> list[str]:
    kind = "tablet" if link.place == "tablet" else "form"
    if kind == "form" and link.text != "delivered":
        return ["form.undelivered"]
    if link.state == "withdrawn":
        return [f"{kind}.withdrawn"]
    if link.state in ("open", "verified") and link.expires_at > now:
        return [f"{kind}.open"]
    ended = "answered" if link.state == "answered" else "unanswered"
    if kind == "tablet":
        return [f"tablet.{ended}"]
    return [f"form.{ended}", f"form.language.{link.language}.{ended}", f"form.age.{band}.{ended}"]


def _positives(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Each patient once a day; who was in Collaborative Care already was measured, not screened."""
    screens = session.scalars(
        select(Screen)
        .where(
            Screen.clinic_id == clinic.id,
            Screen.submitted_at >= day.begins,
            Screen.submitted_at < day.ends,
            Screen.instrument != NO_SCREEN,
        )
        .order_by(Screen.submitted_at, Screen.id)
    ).all()
    if not screens:
        return Counter()
    said = people_of_day.results(session, screens)
    since: dict[UUID, datetime] = {}
    for screen in screens:
        if screen.id in said and said[screen.id].get("positive") and screen.submitted_at:
            since.setdefault(screen.patient_id, screen.submitted_at)
    in_care = _in_care(session, day, since)
    spoken = contacts.moments(session, since.keys() - in_care)
    counts = Counter({"positive.in_care": len(in_care)})
    for patient_id in since.keys() - in_care:
        after = [at for at in spoken.get(patient_id, ()) if at >= since[patient_id]]
        counts.update(_followed(day, min(after) if after else None))
    return counts


def _in_care(session: Session, day: Day, patient_ids: dict[UUID, datetime]) -> set[UUID]:
    # Whoever was enrolled on the very day was enrolled because of it.
    enrolled = select(Episode.patient_id).where(
        among(session, Episode.patient_id, list(patient_ids)),
        Episode.enrolled_on < day.on,
        or_(Episode.ended_on.is_(None), Episode.ended_on >= day.on),
    )
    return set(session.scalars(enrolled))


def _followed(day: Day, first: datetime | None) -> list[str]:
    """What one positive is counted as: within each number of days once these are over, or somebody was there sooner."""
    names = ["positive.all"]
    after = None if first is None else day.days_since(first)
    for days in FOLLOWED_WITHIN:
        if after is not None and after <= days:
            names += [f"positive.{days}.of", f"positive.{days}.in"]
        else:
            names.append(f"positive.{days}.of" if day.over(days) else f"positive.{days}.open")
    if after is None:
        names.append("positive.waiting")
    return names


def _self_harm(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """The alerts of answers: acknowledged in time, late, not at all though it is time, or still with time."""
    items = session.execute(
        select(InboxItem.created_at, InboxItem.answer_by, InboxItem.acknowledged_at).where(
            InboxItem.clinic_id == clinic.id,
            InboxItem.kind == "safety",
            InboxItem.about.like("screen:%"),
            InboxItem.id >= db.first_id(day.begins),
            InboxItem.id < db.first_id(day.ends),
        )
    )
    counts: Counter[str] = Counter()
    now = clock.now()
    for created, answer_by, seen in items:
        if seen is None:
            counts["item9.overdue" if answer_by <= now else "item9.open"] += 1
            continue
        counts["item9.in_time" if seen <= answer_by else "item9.late"] += 1
        for minutes in MINUTES:
            counts[f"item9.{minutes}"] += seen - created <= timedelta(minutes=minutes)
    return counts
