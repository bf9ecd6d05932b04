"""Counts what both readers said of a clinic's texts, and what people said of that: by language, week and step."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging.models import Clinic
from messaging.second_reading import figures, hearing, standing
from messaging.second_reading.models import SecondReading

LANGUAGES = ("en", "es", "mixed", "")
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Count:
    """Texts of one language: how many came, were placed in each tier, were said to be neither of those a person judged.

    Of a text that was `off`, not heard, neither tier nor language is known: they are counted as `language` "".
    """

    language: str
    texts: int
    crisis: int
    worry: int
    judged: int
    neither: int
    off: int


@dataclass(frozen=True)
class Sampled:
    """The weekly samples of some days: unflagged texts drawn, read by a person, and which of them was none to miss."""

    drawn: int
    read: int
    missed: int

    @property
    def upper(self) -> float | None:
        """The upper bound of the share that is missed."""
        return figures.upper_bound(self.missed, self.read)


def by_language(session: Session, clinic: Clinic, begin: datetime, end: datetime) -> list[Count]:
    """Return the counts of what came in from `begin` until `end`, by language, those without any texts too."""
    rows = _between(session, clinic.id, begin, end)
    return [_count(language, [row for row in rows if row.language == language]) for language in LANGUAGES]


def _between(session: Session, clinic_id: UUID, begin: datetime, end: datetime) -> Sequence[SecondReading]:
    query = select(SecondReading).where(
        SecondReading.clinic_id == clinic_id, SecondReading.at >= begin, SecondReading.at < end
    )
    return session.scalars(query).all()


def _count(language: str, rows: Sequence[SecondReading]) -> Count:
    tiers = Counter(row.tier for row in rows if row.off is None)
    judged = [row.verdict for row in rows if row.tier and row.verdict and row.off is None]
    return Count(
        language,
        texts=len(rows),
        crisis=tiers["crisis"],
        worry=tiers["worry"],
        judged=len(judged),
        neither=judged.count("neither"),
        off=sum(row.off is not None for row in rows),
    )


def sampled(session: Session, clinic: Clinic, begin: datetime, end: datetime) -> Sampled:
    """Return what the samples of these days came to. Whoever could not tell has not said that it is none."""
    rows = [row for row in _between(session, clinic.id, begin, end) if row.drawn]
    said = [row.verdict for row in rows if row.verdict in ("crisis", "worry", "neither")]
    return Sampled(len(rows), len(said), sum(verdict != "neither" for verdict in said))


def week(session: Session, clinic: Clinic, begin: datetime, end: datetime) -> figures.Week:
    """Return the readings of these days as drift is measured by."""
    rows = [row for row in _between(session, clinic.id, begin, end) if row.off is None]
    scores = Counter(figures.bin_of(row.score) for row in rows if row.score is not None)
    return figures.Week(
        len(rows), sum(row.tier is not None for row in rows), [scores[place] for place in range(figures.BINS)]
    )


def by_step(session: Session, clinic: Clinic) -> dict[str, int]:
    """Return how many texts of the last thirty days would be in a tier by each step to which a clinic may widen."""
    now = clock.now()
    rows = _between(session, clinic.id, now - LATELY, now)
    floors = {
        step: {language: hearing.floor(language, by) for language in LANGUAGES} for step, by in standing.STEPS.items()
    }
    return {step: sum(_flagged(row, floors[step][row.language]) for row in rows) for step in standing.STEPS}


def _flagged(row: SecondReading, floor: float | None) -> bool:
    return row.tier is not None or (floor is not None and row.score is not None and row.score >= floor)
