"""What waits after a restore: texts to the patients of a clinic of which it is not yet known what was sent, and to whom
it was said that nothing more is wanted, since the backup was made.
"""

from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from config import clock, db
from messaging.delivery.restored.models import RestoredSpan
from messaging.models import REAL, Clinic, Message

# A text on which safety hangs waits this long for the carrier's list, if it was written after the restore, and no
# longer; one to a colleague does not wait at all.
PATIENCE = timedelta(minutes=2)
SAFETY = ("crisis", "handoff")
STAFF = "staff_alert"


def begin(session: Session, backed_up_at: datetime) -> int:
    """Write for each clinic that this database was restored now from how it was then; return for how many.

    A clinic that still waits for an earlier restore waits for the longer time.
    """
    now, waiting = clock.now(), RestoredSpan.state == "waiting"
    since = dict(session.execute(select(RestoredSpan.clinic_id, RestoredSpan.backed_up_at).where(waiting)).all())
    session.execute(update(RestoredSpan).where(waiting).values(state="over", ended_at=now))
    clinics = session.scalars(select(Clinic.id).where(REAL)).all()
    for clinic_id in clinics:
        session.add(
            RestoredSpan(
                clinic_id=clinic_id,
                backed_up_at=min(backed_up_at, since.get(clinic_id, backed_up_at)),
                restored_at=now,
                state="waiting",
                found=0,
                try_after=now,
                attempts=0,
                fence=0,
            )
        )
    return len(clinics)


def clear(clinic_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return the condition for rows whose clinic is not waiting."""
    return clinic_id.not_in(select(RestoredSpan.clinic_id).where(RestoredSpan.state == "waiting"))


@cache  # asked for each alert: to build it takes longer than to run it
def may_leave() -> ColumnElement[bool]:
    """Return the condition for texts that need not wait (any more) for what the carrier's list says."""
    span = aliased(RestoredSpan)
    written_since = (
        select(span.id)
        .where(span.clinic_id == Message.clinic_id, span.state == "waiting", Message.created_at >= span.restored_at)
        .exists()
    )
    urgent = and_(Message.kind.in_(SAFETY), Message.created_at <= db.at(lambda: clock.now() - PATIENCE), written_since)
    return or_(clear(Message.clinic_id), Message.kind == STAFF, urgent)


def oldest(session: Session, _now: datetime) -> datetime | None:
    """Return since when the texts of the clinic wait that has waited longest; None where none does."""
    waiting = select(RestoredSpan.restored_at).where(RestoredSpan.state == "waiting")
    return session.scalar(waiting.order_by(RestoredSpan.restored_at).limit(1))
