"""Whether the second reader can be relied on now: its weights here, and what it did with the texts of late."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging.models import Clinic
from messaging.reading import likeness
from messaging.second_reading import standing
from messaging.second_reading.models import SecondReading

LATELY = timedelta(minutes=10)
# What a worker on another machine found, in the words of likeness.check.
_KEYS = {"missing": "weights_missing", "misfit": "weights_changed"}


def key(session: Session, clinic_id: UUID | None = None) -> str | None:
    """Return why the second reading is off, at a clinic or at any: a key of [reading_faults]; None while it is on."""
    return likeness.check() or _lately(session, clinic_id)


def seen_by_staff(session: Session, clinic: Clinic) -> str | None:
    """Return why it is off where it acts. In shadow mode nobody relies on it, and nobody is told."""
    return key(session, clinic.id) if standing.of(clinic).acts else None


def _lately(session: Session, clinic_id: UUID | None) -> str | None:
    read = select(SecondReading.off).where(SecondReading.at > clock.now() - LATELY)
    if clinic_id is not None:
        read = read.where(SecondReading.clinic_id == clinic_id)
    last = session.scalar(read.order_by(SecondReading.at.desc(), SecondReading.id.desc()).limit(1))
    return _KEYS.get(last, last) if last else None
