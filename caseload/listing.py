"""A whole caseload read at once: each open episode with its scores, contacts, reviews and what is due.

`standings` reads what episodes are counted, chosen and sorted by, of thousands at once and without a name; `rows`
adds what a page shows of some of them.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from caseload import contacts, episodes, kept_scores, questionnaires, reviews
from caseload.models import CareEntry, CaseReview, Episode
from caseload.registry import due, progress
from caseload.registry.totals import Scored, Totals
from config import clock, db
from config.db.sets import among
from messaging.models import Clinic, Patient
from reminders import care_model, emergency

OPEN = Episode.phase != "discharged"
MOST = 2000
COLUMNS = (
    *kept_scores.COLUMNS,
    Episode.phase,
    Episode.check_on,
    Episode.question_ct.is_not(None).label("flagged"),
)


@dataclass(frozen=True)
class Standing:
    """Where an episode stands today: its scores, the facts that rules look at, and what is due by them."""

    id: UUID
    patient_id: UUID
    totals: Totals
    facts: due.Facts
    due: Sequence[due.Due]
    weeks: int

    @property
    def scores(self) -> Sequence[Scored]:
        """Every total, oldest first; read anew each time."""
        return self.totals.scores

    @property
    def progress(self) -> progress.Progress:
        """How the scores have moved."""
        return self.facts.progress

    @property
    def contact(self) -> date | None:
        """The day of the last live contact in the episode."""
        return self.facts.contact

    @property
    def reviewed(self) -> int | None:
        """How many days ago the consultant said something of it, None for never."""
        return (self.facts.today - self.facts.review).days if self.facts.review else None

    @property
    def recommended(self) -> date | None:
        """The day of the oldest recommendation that nobody has acted on."""
        return self.facts.recommended

    @property
    def silent(self) -> int:
        """For how many days nobody has spoken with them."""
        return (self.facts.today - (self.contact or self.facts.enrolled)).days


@dataclass(frozen=True)
class Row(Standing):
    """An episode with everything the registry says of it: `minutes` of work and days with `contacts` in this calendar
    month, the last `review`."""

    episode: Episode
    patient: Patient
    contacts: int
    review: CaseReview | None
    minutes: int


def standings(session: Session, clinic: Clinic, *where: ColumnElement[bool]) -> list[Standing]:
    """Return the episodes of a clinic that meet `where`, in no order, with what is due by the clinic's own days.

    At most MOST of them, the latest enrolled.
    """
    found = select(*COLUMNS).where(Episode.clinic_id == clinic.id, *where)
    of = session.execute(found.order_by(Episode.enrolled_on.desc(), Episode.id).limit(MOST)).all()
    if not of:
        return []
    db.load_keys(session, (row.key_id for row in of))
    days, known = _days(clinic), _Known(session, clinic, of)
    return [_standing(days, known, row) for row in of]


def rows(session: Session, clinic: Clinic, of: Sequence[Standing]) -> list[Row]:
    """Return these with everything that is shown of them, in the same order."""
    if not of:
        return []
    ids, patient_ids = [each.id for each in of], {each.patient_id for each in of}
    found = (
        select(Episode, Patient)
        .join(Patient, Patient.id == Episode.patient_id)
        .where(Episode.clinic_id == clinic.id, among(session, Episode.id, ids))
    )
    pairs = {episode.id: (episode, patient) for episode, patient in session.execute(found)}
    db.load_keys(session, (record.key_id for pair in pairs.values() for record in pair))
    latest, minutes = reviews.latest(session, ids), minutes_of(session, clinic, ids)
    met = contacts.count_since(session, clinic, _month_began(clinic), patient_ids)
    return [
        Row(
            **vars(each),
            episode=pairs[each.id][0],
            patient=pairs[each.id][1],
            contacts=met[each.patient_id],
            review=latest.get(each.id),
            minutes=minutes[each.id],
        )
        for each in of
    ]


def read(session: Session, clinic: Clinic, *where: ColumnElement[bool]) -> list[Row]:
    """Return everything of the episodes that meet `where`, in no order."""
    return rows(session, clinic, standings(session, clinic, *where))


def minutes_of(session: Session, clinic: Clinic, episode_ids: Collection[UUID]) -> Counter[UUID]:
    """Whole minutes of work by episode in this month, as they were written down; `codes` says which of them count."""
    worked = session.execute(
        select(CareEntry.episode_id, CareEntry.starts_at, CareEntry.ends_at).where(
            among(session, CareEntry.episode_id, episode_ids),
            CareEntry.struck_at.is_(None),
            CareEntry.starts_at >= _month_began(clinic),
            CareEntry.starts_at <= clock.now(),
        )
    )
    seconds: Counter[UUID] = Counter()
    for episode_id, starts_at, ends_at in worked:
        seconds[episode_id] += int((ends_at - starts_at).total_seconds())
    return Counter({episode_id: total // 60 for episode_id, total in seconds.items()})


def _month_began(clinic: Clinic) -> datetime:
    return datetime.combine(episodes.today_of(clinic).replace(day=1), time(), ZoneInfo(clinic.zone))


def _days(clinic: Clinic) -> due.Days:
    terms = care_model.of_clinic(clinic)
    return due.Days(
        contact=terms.contact,
        contact_in_relapse_prevention=terms.contact_in_relapse_prevention,
        score=terms.score,
        review=terms.review,
        review_in_relapse_prevention=terms.review_in_relapse_prevention,
    )


class _Known:
    """What other tables know of the episodes, each read with one query."""

    def __init__(self, session: Session, clinic: Clinic, of: Sequence[Any]) -> None:
        ids, patient_ids = [row.id for row in of], {row.patient_id for row in of}
        self.today, self.zone = episodes.today_of(clinic), ZoneInfo(clinic.zone)
        self.totals = kept_scores.of_episodes(session, clinic, of, self.today)
        self.contact = contacts.last(session, clinic, patient_ids)
        self.review = reviews.last_at(session, ids)
        self.recommended = reviews.waiting_since(session, ids)
        lately = clock.now() - timedelta(days=due.EMERGENCY_DAYS + 1)
        self.emergency = emergency.last(session, patient_ids, lately)
        self.unanswered = questionnaires.unanswered(session, clinic, patient_ids)
        self.open = Counter(row.patient_id for row in of if row.phase != "discharged")

    def day(self, at: datetime | None) -> date | None:
        """The day of a moment in the clinic's zone."""
        return at.astimezone(self.zone).date() if at else None


def _standing(days: due.Days, known: _Known, row: Any) -> Standing:
    totals = known.totals[row.id]
    contact = known.contact.get(row.patient_id)
    facts = due.Facts(
        today=known.today,
        enrolled=row.enrolled_on,
        phase=cast(due.Phase, row.phase),
        progress=totals.progress,
        contact=contact if contact and contact >= row.enrolled_on else None,
        review=known.day(known.review.get(row.id)),
        recommended=known.day(known.recommended.get(row.id)),
        check_on=row.check_on,
        self_harm=totals.self_harm,
        flagged=row.flagged,
        two_open=known.open[row.patient_id] > 1,
        unanswered=known.unanswered.get(row.patient_id),
        emergency=known.day(known.emergency.get(row.patient_id)),
    )
    weeks = (totals.until - row.enrolled_on).days // 7
    return Standing(row.id, row.patient_id, totals, facts, due.of(facts, days), weeks)
