"""A whole caseload read at once: each open episode with its scores, contacts, reviews and what is due."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from caseload import contacts, episodes, reviews
from caseload.models import CareEntry, CaseReview, Episode
from caseload.registry import due, progress
from config import clock, db
from config.db.sets import among
from intake_links.models import Screen
from messaging.models import Clinic, Patient
from reminders import care_model

OPEN = Episode.phase != "discharged"
MOST = 2000


@dataclass(frozen=True)
class Scored:
    """A total of the primary scale on a day in the clinic's zone; `self_harm` where its item was positive."""

    point: progress.Point
    self_harm: bool


@dataclass(frozen=True)
class Row:
    """An episode with everything the registry says of it: `minutes` of work in this calendar month, `reviewed` how many
    days ago."""

    episode: Episode
    patient: Patient
    scores: Sequence[Scored]
    progress: progress.Progress
    due: Sequence[due.Due]
    weeks: int
    contact: date | None
    contacts: int
    review: CaseReview | None
    reviewed: int | None
    recommended: date | None
    minutes: int


def read(session: Session, clinic: Clinic, *where: ColumnElement[bool]) -> list[Row]:
    """Return the episodes of a clinic that meet `where`, in no order, with what is due by the clinic's own days."""
    found = (
        select(Episode, Patient)
        .join(Patient, Patient.id == Episode.patient_id)
        .where(Episode.clinic_id == clinic.id, *where)
        .limit(MOST)
    )
    pairs = [(episode, patient) for episode, patient in session.execute(found)]
    if not pairs:
        return []
    beside = _Beside(session, clinic, [episode for episode, _ in pairs])
    db.load_keys(session, (key for episode, patient in pairs for key in (episode.key_id, patient.key_id)))
    days = _days(clinic)
    return [_row(clinic, days, beside, episode, patient) for episode, patient in pairs]


def _days(clinic: Clinic) -> due.Days:
    terms = care_model.of_clinic(clinic)
    return due.Days(
        contact=terms.contact,
        contact_in_relapse_prevention=terms.contact_in_relapse_prevention,
        score=terms.score,
        review=terms.review,
        review_in_relapse_prevention=terms.review_in_relapse_prevention,
    )


class _Beside:
    """What stands beside the episodes in other tables, each read with one query."""

    def __init__(self, session: Session, clinic: Clinic, of: Sequence[Episode]) -> None:
        ids, patient_ids = [episode.id for episode in of], {episode.patient_id for episode in of}
        self.today = episodes.today_of(clinic)
        first = datetime.combine(self.today.replace(day=1), time(), ZoneInfo(clinic.zone))
        self.scores = scores(session, clinic, patient_ids)
        self.contact = contacts.last(session, clinic, patient_ids)
        self.contacts = contacts.count_since(session, clinic, first, patient_ids)
        self.reviews = reviews.latest(session, ids)
        self.recommended = reviews.waiting_since(session, ids)
        self.minutes = _minutes(session, ids, first)
        self.open = Counter(episode.patient_id for episode in of if episode.phase != "discharged")


def _row(clinic: Clinic, days: due.Days, beside: _Beside, episode: Episode, patient: Patient) -> Row:
    zone = ZoneInfo(clinic.zone)
    until = episode.ended_on or beside.today
    scored = [each for each in beside.scores.get((patient.id, episode.scale), []) if each.point.on <= until]
    moved = progress.of(episode.enrolled_on, [each.point for each in scored])
    review, recommended = beside.reviews.get(episode.id), beside.recommended.get(episode.id)
    contact = beside.contact.get(patient.id)
    facts = due.Facts(
        today=beside.today,
        enrolled=episode.enrolled_on,
        phase=episode.phase,  # type: ignore[arg-type]
        progress=moved,
        contact=contact if contact and contact >= episode.enrolled_on else None,
        review=review.at.astimezone(zone).date() if review else None,
        recommended=recommended.astimezone(zone).date() if recommended else None,
        check_on=episode.check_on,
        self_harm=bool(scored) and scored[-1].self_harm,
        flagged=episode.question_ct is not None,
        two_open=beside.open[patient.id] > 1,
    )
    return Row(
        episode=episode,
        patient=patient,
        scores=scored,
        progress=moved,
        due=due.of(facts, days),
        weeks=(until - episode.enrolled_on).days // 7,
        contact=facts.contact,
        contacts=beside.contacts[patient.id],
        review=review,
        reviewed=(beside.today - facts.review).days if facts.review else None,
        recommended=facts.recommended,
        minutes=beside.minutes[episode.id],
    )


def scores(
    session: Session, clinic: Clinic, patient_ids: Collection[UUID], scales: Sequence[str] = progress.SCALES
) -> dict[tuple[UUID, str], list[Scored]]:
    """Return by patient and scale every total, oldest first; a form with an answer missing has none."""
    rows = session.scalars(
        select(Screen)
        .where(
            among(session, Screen.patient_id, patient_ids),
            Screen.instrument.in_(scales),
            Screen.submitted_at.is_not(None),
        )
        .order_by(Screen.submitted_at, Screen.id)
    ).all()
    db.load_keys(session, (row.key_id for row in rows))
    zone, taken = ZoneInfo(clinic.zone), defaultdict(list)
    for row in rows:
        result = json.loads(row.result or "{}")
        if result.get("total") is not None and not row.detail.get("again") and row.submitted_at is not None:
            point = progress.Point(row.submitted_at.astimezone(zone).date(), result["total"])
            taken[row.patient_id, row.instrument].append(Scored(point, bool(result["alerts"])))
    return taken


def _minutes(session: Session, episode_ids: Collection[UUID], since: datetime) -> Counter[UUID]:
    """Whole minutes of work by episode since a moment, as they were written down; `codes` says which of them count."""
    rows = session.execute(
        select(CareEntry.episode_id, CareEntry.starts_at, CareEntry.ends_at).where(
            among(session, CareEntry.episode_id, episode_ids),
            CareEntry.struck_at.is_(None),
            CareEntry.starts_at >= since,
            CareEntry.starts_at <= clock.now(),
        )
    )
    seconds: Counter[UUID] = Counter()
    for episode_id, starts_at, ends_at in rows:
        seconds[episode_id] += int((ends_at - starts_at).total_seconds())
    return Counter({episode_id: total // 60 for episode_id, total in seconds.items()})
