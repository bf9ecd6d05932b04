"""What a clinic changes to become better, one change at a time, and the measure before and after it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.figures import adding_up, definitions, keeping
from caseload.figures.days import LENGTH, ONE, Span
from caseload.figures.models import Improvement
from config import audit, clock, db
from messaging.models import Clinic, Staff

OUTCOMES = ("adopted", "adapted", "abandoned")
LONGEST, MOST = 1000, 100


class Refused(Exception):
    """The key of the sentence that says why, and the field that is wrong."""

    def __init__(self, why: str, field: str) -> None:
        super().__init__(why)
        self.why, self.field = why, field


@dataclass(frozen=True)
class Moved:
    """A measure in as many days before a change as after it, `days` of each; `now` of the result is after it."""

    days: int
    result: adding_up.Result


def changeable() -> list[definitions.Measure]:
    """Return the measures that a change may be meant for: those with a row that stands for them."""
    return [measure for measure in definitions.measures().values() if measure.main]


def note(session: Session, clinic: Clinic, staff: Staff, words: str, measure: str, started_on: date | None) -> None:
    """Write down what is done differently from a day on. Raises Refused, with nothing written."""
    if not words.strip():
        raise Refused("no_words", "words")
    if len(words.strip()) > LONGEST:
        raise Refused("long_words", "words")
    if measure not in {each.key for each in changeable()}:
        raise Refused("no_measure", "measure")
    today = keeping.today_of(clinic)
    if started_on is None or not today - keeping.BACK * ONE <= started_on <= today + LENGTH * ONE:
        raise Refused("no_day", "started_on")
    row = Improvement(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        measure=measure,
        started_on=started_on,
        made_by=staff.id,
        made_at=clock.now(),
    )
    db.load_keys(session, [clinic.key_id])
    row.words = words.strip()
    session.add(row)
    session.flush()
    actor = audit.Actor.staff(staff.id)
    audit.record(session, clinic.id, actor, "improvement.noted", f"improvement:{row.id}", measure=measure)


def end(session: Session, clinic: Clinic, staff: Staff, improvement_id: UUID, outcome: str, learned: str) -> None:
    """Write down what came of a change: adopted, adapted or abandoned, and what was learned. Raises Refused."""
    row = session.get(Improvement, improvement_id, with_for_update=True)
    if row is None or row.clinic_id != clinic.id:
        raise LookupError("no change of this clinic")
    if outcome not in OUTCOMES:
        raise Refused("no_outcome", "outcome")
    if len(learned.strip()) > LONGEST:
        raise Refused("long_words", "learned")
    if row.outcome is not None:
        raise Refused("ended", "outcome")
    db.load_keys(session, [row.key_id])
    row.outcome, row.ended_on, row.learned = outcome, keeping.today_of(clinic), learned.strip() or None
    actor = audit.Actor.staff(staff.id)
    audit.record(session, clinic.id, actor, "improvement.ended", f"improvement:{row.id}", outcome=outcome)


def of_clinic(session: Session, clinic: Clinic) -> list[Improvement]:
    """Return what the clinic has changed, the newest first."""
    rows = select(Improvement).where(Improvement.clinic_id == clinic.id)
    found = session.scalars(rows.order_by(Improvement.started_on.desc(), Improvement.id.desc()).limit(MOST)).all()
    db.load_keys(session, {row.key_id for row in found})
    return list(found)


def moved(days: adding_up.Days, row: Improvement, yesterday: date) -> Moved | None:
    """Return the measure before and after a change, over the same number of days (90 at most); None before it begins.

    The days end with the change, where it has ended.
    """
    last = min(yesterday, row.started_on + (LENGTH - 1) * ONE, *([row.ended_on] if row.ended_on else []))
    after = Span(row.started_on, last)
    if after.length < 1:
        return None
    measure = definitions.measures()[row.measure]
    return Moved(
        after.length,
        adding_up.result(measure, adding_up.added(days, after), adding_up.added(days, after.before)),
    )
