"""The screens of one patient in the order they were answered, opened and scored: what trends are drawn from."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from intake_links import doubts, scoring
from intake_links.models import Screen
from messaging.models import Patient

# Years of fortnightly screens; more would be a smear on a picture of this size.
MOST = 80


@dataclass(frozen=True)
class Taken:
    """One screen with its answers opened and its score. `again` where it was sent after the form was handed in."""

    screen: Screen
    answers: list[int | None]
    score: scoring.Score
    at: datetime

    @property
    def again(self) -> bool:
        """Whether these are other answers to a form already handed in: shown, and never a point of their own."""
        return bool(self.screen.detail.get("again"))


def take(screen: Screen, patient: Patient) -> Taken:
    """Open and score one screen."""
    answers: list[int | None] = json.loads(screen.answers or "[]")
    size = len(scoring.instrument(screen.instrument).items)
    answers = (answers + [None] * size)[:size]
    score = scoring.score(screen.instrument, answers, scoring.sex_of(patient.sex), doubts.told_total(screen))
    return Taken(screen, answers, score, screen.submitted_at or screen.started_at)


def before(session: Session, screen: Screen, patient: Patient) -> list[Taken]:
    """Return the earlier screens of the same instrument, oldest first, each form once."""
    query = select(Screen).where(
        Screen.patient_id == patient.id,
        Screen.instrument == screen.instrument,
        Screen.submitted_at.is_not(None),
        Screen.submitted_at < (screen.submitted_at or clock.now()),
        Screen.id != screen.id,
    )
    rows = list(session.scalars(query.order_by(Screen.submitted_at.desc()).limit(MOST)))
    db.load_keys(session, (row.key_id for row in rows))
    return [taken for taken in (take(row, patient) for row in reversed(rows)) if not taken.again]


def by_instrument(session: Session, patient: Patient) -> dict[str, list[Taken]]:
    """Return every form handed in, oldest first, by instrument, the instrument answered last first."""
    query = select(Screen).where(Screen.patient_id == patient.id, Screen.submitted_at.is_not(None))
    rows = list(session.scalars(query.order_by(Screen.submitted_at.desc(), Screen.id.desc()).limit(2 * MOST)))
    db.load_keys(session, (row.key_id for row in rows))
    series: defaultdict[str, list[Taken]] = defaultdict(list)
    for row in rows:
        if row.instrument in scoring.instruments() and not row.detail.get("again"):
            series[row.instrument].append(take(row, patient))
    return {instrument: taken[::-1] for instrument, taken in series.items()}


def latest(session: Session, patient: Patient) -> Screen | None:
    """Return the form the patient handed in last, if there is one."""
    query = select(Screen).where(Screen.patient_id == patient.id, Screen.submitted_at.is_not(None))
    return session.scalar(query.order_by(Screen.submitted_at.desc(), Screen.id.desc()).limit(1))
