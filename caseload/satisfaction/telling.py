"""What the clinic reads of the answers: free texts without names, some at a time, and named ones where it said so."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import episodes
from caseload.models import Episode, SatisfactionAsked
from config import clock, db, keys
from messaging.models import Clinic
from reminders import satisfaction

# Free texts come to be read so many at a time, so that none that is new can be told from the others.
HANDFUL = 5
SHOWN_FOR = timedelta(days=365)


@dataclass(frozen=True)
class Words:
    """A free text without a name or a day, and the language of its form."""

    words: str
    language: str


@dataclass(frozen=True)
class Answer:
    """What somebody was asked on an occasion; `said` are the questions with 1 to 5, None where nobody reads them by
    name, which is what the patient was told."""

    on: date
    occasion: str
    said: Sequence[tuple[str, int]] | None
    words: str | None


def words_of(session: Session, clinic: Clinic) -> list[Words]:
    """Return the free texts of the last year that may be read, in an order that says nothing of when or who.

    They are counted from the clinic's first one on, and read five by five. Words that were put before a person by name
    are not among them.
    """
    row = SatisfactionAsked
    spoken = select(row).where(row.clinic_id == clinic.id, row.spoke, row.raised.is_(False))
    rows = session.scalars(spoken.order_by(row.answered_at, row.id)).all()
    complete = rows[: len(rows) - len(rows) % HANDFUL]
    since = clock.now() - SHOWN_FOR
    shown = [each for each in complete if each.answered_at is not None and each.answered_at >= since]
    db.load_keys(session, {each.key_id for each in shown})
    told = [each for each in sorted(shown, key=_shuffled) if each.words]
    return [Words(each.words or "", each.answered_in or "en") for each in told] if len(told) >= HANDFUL else []


def _shuffled(row: SatisfactionAsked) -> bytes:
    return keys.token_hash(str(row.id))


def waiting(session: Session, clinic: Clinic) -> int:
    """Return how many free texts wait for others, so that they can be read together."""
    row = SatisfactionAsked
    spoken = select(row.id).where(row.clinic_id == clinic.id, row.spoke, row.raised.is_(False))
    return len(session.scalars(spoken).all()) % HANDFUL


def of_patient(session: Session, clinic: Clinic, patient_id: UUID) -> list[Answer]:
    """Return when a patient was asked, the latest first, with the answers that may be read by name.

    These are the ones of which the form said so, as long as the clinic still says so.
    """
    row = SatisfactionAsked
    asked = select(row).join(Episode, Episode.id == row.episode_id).where(Episode.patient_id == patient_id)
    rows = session.scalars(asked.order_by(row.asked_at.desc())).all()
    db.load_keys(session, {each.key_id for each in rows})
    terms, questions = satisfaction.of_clinic(clinic), satisfaction.ever_asked(session, clinic)
    return [_answer(clinic, each, questions, open_=terms.named and each.named is True) for each in rows]


def _answer(
    clinic: Clinic, row: SatisfactionAsked, questions: dict[str, satisfaction.Question], *, open_: bool
) -> Answer:
    said = json.loads(row.said or "{}") if open_ else None
    marks = None if said is None else [(questions[key].en, value) for key, value in said.items() if key in questions]
    return Answer(episodes.day_of(clinic, row.asked_at), row.occasion, marks, row.words if open_ else None)
