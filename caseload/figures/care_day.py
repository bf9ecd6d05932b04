"""What the care team did on a day, counted: handoffs asked for, contacts by kind, minutes, episodes of twelve weeks."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import contacts, kept_scores
from caseload.figures import month_end
from caseload.figures.days import Day
from caseload.models import CareEntry, Episode
from caseload.registry import progress
from caseload.registry.totals import every
from config import db
from config.db.sets import among
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Staff
from reminders import care_model
from reminders.models import Appointment, Handoff

# A referral led to something if a visit was kept within these days (Penn's benchmark).
ENGAGED_WITHIN = 30
# Twelve weeks: the total nearest to day 84, of days 70 to 98.
WINDOW, TARGET = (70, 98), 84
# Colleagues acknowledge on the day or soon after; who reached somebody later than this did so of another alert.
ITEMS_BACK = timedelta(days=35)
REACHED = {"reached_by_phone": "call", "in_person": "in_person"}
KINDS = ("call", "video", "in_person")
NOT_COUNTED = "psychiatric_consultant"


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count what was asked for and done on a day, and the episodes whose twelfth week is over with it."""
    counts = _handoffs(session, clinic, day) + _contacts(session, clinic, day)
    if care_model.of_clinic(clinic).registry:
        counts += _minutes(session, clinic, day) + _twelve_weeks(session, clinic, day)
        counts += month_end.count(session, clinic, day)
    return counts


def _handoffs(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    handoffs = session.scalars(
        select(Handoff).where(
            Handoff.clinic_id == clinic.id, Handoff.requested_at >= day.begins, Handoff.requested_at < day.ends
        )
    ).all()
    if not handoffs:
        return Counter()
    kept = _kept(session, day, handoffs)
    return Counter(name for handoff in handoffs for name in _of_handoff(handoff, handoff.id in kept, day))


def _of_handoff(handoff: Handoff, kept: bool, day: Day) -> list[str]:
    if handoff.outcome == "cancelled":
        return ["handoff.cancelled"]
    engaged = "engaged.kept" if kept else "engaged.none" if day.over(ENGAGED_WITHIN) else "engaged.open"
    if handoff.modality == "later":
        return [engaged]
    accepted = ["handoff.accepted"] if handoff.accepted_at else []
    if handoff.met_at:
        return [engaged, "handoff.met", *accepted]
    lost = "handoff.lost" if handoff.outcome in ("left", "lost") else "handoff.not_met"
    return [engaged, lost if handoff.ended_at else "handoff.open", *(accepted if handoff.ended_at else [])]


def _kept(session: Session, day: Day, handoffs: Sequence[Handoff]) -> set[UUID]:
    """The handoffs after which the patient has kept a visit in time."""
    visits = session.execute(
        select(Appointment.patient_id, Appointment.starts_at).where(
            among(session, Appointment.patient_id, {handoff.patient_id for handoff in handoffs}),
            Appointment.state == "arrived",
            Appointment.starts_at > day.begins,
            Appointment.starts_at < day.moment(ENGAGED_WITHIN + 1),
        )
    ).all()
    return {
        handoff.id
        for handoff in handoffs
        if any(patient_id == handoff.patient_id and at > handoff.requested_at for patient_id, at in visits)
    }


def _contacts(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Live contacts, each patient once a day and kind; and calls that reached nobody."""
    work = (
        select(Episode.patient_id, CareEntry.kind)
        .join(Episode, Episode.id == CareEntry.episode_id)
        .where(
            CareEntry.clinic_id == clinic.id,
            CareEntry.starts_at >= day.begins,
            CareEntry.starts_at < day.ends,
            CareEntry.live,
            CareEntry.struck_at.is_(None),
            contacts.OWN_WORK,
        )
    )
    met = select(Handoff.patient_id).where(
        Handoff.clinic_id == clinic.id,
        Handoff.requested_at >= day.moment(-1),
        Handoff.requested_at < day.ends,
        Handoff.met_at >= day.begins,
        Handoff.met_at < day.ends,
    )
    live = {(patient_id, kind if kind in KINDS else "other") for patient_id, kind in session.execute(work)}
    live |= {(patient_id, "handoff") for patient_id in session.scalars(met)} | _said(session, clinic, day)
    reached, missed = _calls(session, clinic, day)
    live |= {(patient_id, "call") for patient_id in reached}
    return Counter(f"contact.{kind}" for _, kind in live) + Counter({"contact.missed": missed})


def _said(session: Session, clinic: Clinic, day: Day) -> set[tuple[UUID, str]]:
    """Whom somebody said to have reached as they acknowledged an item, and how."""
    rows = session.execute(
        select(InboxItem.patient_id, InboxItem.disposition).where(
            InboxItem.clinic_id == clinic.id,
            InboxItem.id >= db.first_id(day.begins - ITEMS_BACK),
            InboxItem.id < db.first_id(day.ends),
            InboxItem.acknowledged_at >= day.begins,
            InboxItem.acknowledged_at < day.ends,
            InboxItem.disposition.in_(REACHED),
            InboxItem.patient_id.is_not(None),
        )
    )
    return {(patient_id, REACHED[how or ""]) for patient_id, how in rows if patient_id is not None}


def _calls(session: Session, clinic: Clinic, day: Day) -> tuple[set[UUID], int]:
    rows = session.execute(
        select(Contact.patient_id, Contact.outcome).where(
            Contact.clinic_id == clinic.id,
            Contact.at >= day.begins,
            Contact.at < day.ends,
            Contact.kind == "call",
            Contact.struck_at.is_(None),
            Contact.patient_id.is_not(None),
        )
    ).all()
    reached = {patient_id for patient_id, outcome in rows if outcome == "reached" and patient_id is not None}
    return reached, sum(outcome != "reached" for _, outcome in rows)


def _minutes(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Seconds of work that was written down; the consultant's are not counted by the minute."""
    rows = session.execute(
        select(CareEntry.starts_at, CareEntry.ends_at)
        .join(Staff, Staff.id == CareEntry.staff_id)
        .where(
            CareEntry.clinic_id == clinic.id,
            CareEntry.starts_at >= day.begins,
            CareEntry.starts_at < day.ends,
            CareEntry.struck_at.is_(None),
            Staff.role != NOT_COUNTED,
        )
    )
    return Counter({"work.seconds": sum(int((ends - starts).total_seconds()) for starts, ends in rows)})


def _twelve_weeks(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """The episodes that began so long ago that the window of week twelve closes with this day."""
    episodes = session.scalars(
        select(Episode).where(Episode.clinic_id == clinic.id, Episode.enrolled_on == day.on - timedelta(days=WINDOW[1]))
    ).all()
    if not episodes:
        return Counter()
    db.load_keys(session, (episode.key_id for episode in episodes))
    totals = kept_scores.of_episodes(session, clinic, episodes, day.today)
    points = {row.id: [each.point for each in every(totals[row.id].lines)] for row in episodes}
    return Counter(name for episode in episodes for name in twelve_weeks(episode, points[episode.id]))


def twelve_weeks(episode: Episode, points: Sequence[progress.Point]) -> list[str]:
    """What one episode is counted as: response is half of the baseline or less, remission below five. Pure."""
    baseline = progress.of(episode.enrolled_on, points).baseline
    if baseline is None:
        return ["weeks12.no_baseline"]
    if baseline.total < progress.ELEVATED:
        return ["weeks12.not_elevated"]
    ages = {point: (point.on - episode.enrolled_on).days for point in points}
    inside = [point for point in points if WINDOW[0] <= ages[point] <= WINDOW[1]]
    if not inside:
        return ["weeks12.of", "weeks12.no_score"]
    # Of two as near, the later.
    nearest = min(inside, key=lambda point: (abs(ages[point] - TARGET), -ages[point]))
    names = ["weeks12.of"]
    if 2 * nearest.total <= baseline.total:
        names.append("weeks12.response")
    if nearest.total < progress.REMISSION:
        names.append("weeks12.remission")
    return names
