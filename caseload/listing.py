"""A whole caseload read at once: each open episode with its scores, contacts, reviews and what is due.

`standings` reads what episodes are counted, chosen and sorted by, of thousands at once and without a name; `rows`
adds what a page shows of some of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from caseload import contacts, episodes, kept_scores, month_work, months, questionnaires, reviews
from caseload.models import Episode
from caseload.months import Month, span
from caseload.registry import due
from caseload.standing import InMonth, Named, Row, Standing
from config import clock, db, runtime
from config.db.sets import Many, among
from config.remembered import Remembered
from messaging.models import Clinic, Patient
from reminders import care_model, emergency

V = TypeVar("V")
MOST = 2000
COLUMNS = (
    *kept_scores.COLUMNS,
    Episode.manager_id,
    Episode.phase,
    Episode.check_on,
    Episode.practitioner_id,
    Episode.plan_on,
    Episode.payer,
    Episode.question_ct.is_not(None).label("flagged"),
    Patient.key_id.label("patients_key_id"),
)
NAMED = (
    Patient.first_name_ct,
    Patient.last_name_ct,
    Patient.birth_date_ct,
    Patient.shredded_at,
)
# Standings are made anew after so long as keys are: totals stand in them.
REMEMBERED, SECONDS = 10_000, 300
# What was read of an episode, in a form that compares fast.
Reading = tuple[Any, ...]


def standings(session: Session, clinic: Clinic, *where: ColumnElement[bool], month: bool = True) -> list[Standing]:
    """Return the episodes of a clinic that meet `where`, in no order, with what is due by the clinic's own days.

    At most MOST of them, the latest enrolled. `month`: whether the minutes of this month are wanted too.
    """
    read = selected(clinic).where(Episode.clinic_id == clinic.id, *where)
    of = db.tuples(session, read.order_by(Episode.enrolled_on.desc(), Episode.id).limit(MOST))
    if not of:
        return []
    known, made = _Known(session, clinic, of, month=month), _made()
    standings, changed = [], []
    for row in of:
        reading = known.reading(row)
        kept = made.get(row.id.int)
        if kept is not None and kept[0] == reading:
            standings.append(kept[1])
        else:
            changed.append((row, reading))
    anew = [row for row, _ in changed]
    fresh, counted = known.refreshed(anew), known.counted(anew)
    db.load_keys(session, (row.key_id for row in anew))
    for row, reading in changed:
        standing = known.standing(row, fresh.get(row.id), counted.get(row.id, month_work.Counted()))
        made.put(row.id.int, (reading, standing))
        standings.append(standing)
    return standings


def selected(clinic: Clinic) -> Select[Any]:
    """Return the query for what is read of each episode and its patient."""
    columns = *COLUMNS, *month_work.columns(_this_month(clinic)[1]), *NAMED
    return select(*columns).join(Patient, Patient.id == Episode.patient_id)


def _made() -> Remembered[tuple[Reading, Standing]]:
    return runtime.once("caseload.standings", lambda: Remembered(REMEMBERED, SECONDS))


def rows(session: Session, clinic: Clinic, of: Sequence[Standing]) -> list[Row]:
    """Return these with everything that is shown of them, in the same order."""
    if not of:
        return []
    ids = [each.id for each in of]
    found = (
        select(Episode, Patient)
        .join(Patient, Patient.id == Episode.patient_id)
        .where(Episode.clinic_id == clinic.id, among(session, Episode.id, ids))
    )
    pairs = {episode.id: (episode, patient) for episode, patient in session.execute(found)}
    db.load_keys(session, (record.key_id for pair in pairs.values() for record in pair))
    latest = reviews.latest(session, ids)
    return [
        Row(
            **vars(each),
            episode=pairs[each.id][0],
            patient=pairs[each.id][1],
            review=latest.get(each.id),
        )
        for each in of
    ]


def read(session: Session, clinic: Clinic, *where: ColumnElement[bool], month: bool = True) -> list[Row]:
    """Return everything of the episodes that meet `where`, in no order; `month` as `standings` has it."""
    return rows(session, clinic, standings(session, clinic, *where, month=month))


def _this_month(clinic: Clinic) -> tuple[Month, datetime]:
    """The month that runs by the clinic's clock, and when it began."""
    month = months.of(episodes.today_of(clinic))
    return month, span(month, ZoneInfo(clinic.zone))[0]


def _days(clinic: Clinic) -> due.Days:
    terms = care_model.of_clinic(clinic)
    return due.Days(
        contact=terms.contact,
        contact_in_relapse_prevention=terms.contact_in_relapse_prevention,
        score=terms.score,
        review=terms.review,
        review_in_relapse_prevention=terms.review_in_relapse_prevention,
    )


def _by_number(by_id: Mapping[UUID, V]) -> dict[int, V]:
    """The same by the ids' numbers: an id is hashed in Python each time, and each is looked up in eight tables."""
    return {which.int: value for which, value in by_id.items()}


class _Known:
    """What other tables know of the episodes, each read with one query."""

    def __init__(self, session: Session, clinic: Clinic, of: Sequence[Any], *, month: bool) -> None:
        ids, patient_ids = Many(row.id for row in of), Many(row.patient_id for row in of)
        self.session, self.clinic = session, clinic
        self.today, self.days, self.zone = episodes.today_of(clinic), _days(clinic), ZoneInfo(clinic.zone)
        self.forms = kept_scores.forms_of(session, patient_ids)
        self.contact = _by_number(contacts.spoken(session, clinic, self.today.replace(day=1), patient_ids))
        self.month, _ = _this_month(clinic)
        self.work = month_work.Work(session, clinic, self.month, patient_ids) if month else None
        self.review = _by_number(reviews.last_at(session, ids))
        self.recommended = _by_number(reviews.waiting_since(session, ids))
        lately = clock.now() - timedelta(days=due.EMERGENCY_DAYS + 1)
        self.emergency = _by_number(emergency.last(session, patient_ids, lately))
        self.unanswered = _by_number(questionnaires.unanswered(session, clinic, patient_ids))
        self.open = Counter([row.patient_id.int for row in of if row.phase != "discharged"])
        self.whole = (self.today, clinic.zone, self.days)

    def reading(self, row: Any) -> Reading:
        """Everything that an episode's standing is made of, as it was read."""
        episode_id, patient_id = row.id.int, row.patient_id.int
        return (
            self.whole,
            patient_id,
            row[4:],  # what follows the ids: a key that is replaced or destroyed changes what it has sealed
            self.forms.get((row.patient_id, row.scale)),
            self.contact.get(patient_id),
            self.work.of(row.patient_id) if self.work else None,
            self.review.get(episode_id),
            self.recommended.get(episode_id),
            self.unanswered.get(patient_id),
            self.emergency.get(patient_id),
            self.open[patient_id],
        )

    def counted(self, of: Sequence[Any]) -> dict[UUID, month_work.Counted]:
        """How the month stands of those that were in care in it, where that is wanted."""
        here = [row for row in of if row.ended_on is None or row.ended_on >= self.month.first]
        bounded = [month_work.bounded(row, worked_before=row.worked_before) for row in here]
        return self.work.counted(bounded) if self.work else {}

    def refreshed(self, of: Sequence[Any]) -> dict[UUID, bytes]:
        """Make anew the totals whose forms have changed."""
        return kept_scores.refreshed(self.session, self.clinic, of, self.forms)

    def standing(self, row: Any, fresh: bytes | None, counted: month_work.Counted) -> Standing:
        """Where an episode stands, its key loaded; `fresh` are totals that were made anew just now, `counted` is how
        its month stands."""
        totals, spoken = kept_scores.opened(row, fresh, self.today), self.contact.get(row.patient_id.int)
        last = self._day(spoken.at) if spoken else None
        facts = due.Facts(
            today=self.today,
            enrolled=row.enrolled_on,
            phase=cast(due.Phase, row.phase),
            progress=totals.progress,
            contact=last if last and last >= row.enrolled_on else None,
            review=self._day(self.review.get(row.id.int)),
            recommended=self._day(self.recommended.get(row.id.int)),
            check_on=row.check_on,
            self_harm=totals.self_harm,
            flagged=row.flagged,
            two_open=self.open[row.patient_id.int] > 1,
            unanswered=self.unanswered.get(row.patient_id.int),
            emergency=self._day(self.emergency.get(row.patient_id.int)),
        )
        month = InMonth(spoken.days if spoken else 0, *counted)
        named = Named(row.patient_id, row.clinic_id, row.patients_key_id, *row[-4:])
        return Standing(
            id=row.id,
            patient_id=row.patient_id,
            manager_id=row.manager_id,
            practitioner_id=row.practitioner_id,
            payer=row.payer,
            plan_on=row.plan_on,
            scale=row.scale,
            totals=totals,
            facts=facts,
            due=due.of(facts, self.days),
            next_contact=due.next_contact(facts, self.days),
            weeks=(totals.until - row.enrolled_on).days // 7,
            month=month,
            named=named,
        )

    def _day(self, at: datetime | None) -> date | None:
        """The day of a moment in the clinic's zone."""
        return at.astimezone(self.zone).date() if at else None
