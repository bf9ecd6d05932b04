"""A circuit for each clinic's sender: while the carrier says "not now", one text at a time asks whether it is over.

"Not now" (a rate, a full queue, no connection) speaks of the carrier and never of the text that met it: no text fails
by it, and no other is thrown after it. Every few seconds the text that is most urgent is tried; as soon as one is
taken, all leave.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock, db
from messaging.delivery.breaker.models import Circuit
from messaging.models import Message

# From one probe to the next: a second more with each that fails.
LONGEST = timedelta(seconds=5)
# So many texts whose outcome nobody knows, with none taken in between, are the carrier's silence and not a text's.
IN_DOUBT = 3


def flowing() -> ColumnElement[bool]:
    """Return the condition for messages whose sender's circuit is whole."""
    return Message.clinic_id.not_in(select(Circuit.clinic_id).where(Circuit.open_until.is_not(None)))


def to_probe(session: Session, due: ColumnElement[bool]) -> list[UUID]:
    """Return the clinics whose circuit is open, whose next probe is due, and for which something of `due` waits."""
    return list(session.scalars(_to_probe(due)))


@lru_cache(maxsize=8)  # asked with each batch, of each of the lanes
def _to_probe(due: ColumnElement[bool]) -> Select[UUID]:
    waiting = select(Message.clinic_id).where(due, Message.try_after <= db.at(lambda: clock.now()))
    return select(Circuit.clinic_id).where(_ripe(), Circuit.clinic_id.in_(waiting))


def _ripe() -> ColumnElement[bool]:
    """A probe that lies further ahead than any may was set by a clock that has jumped back since."""
    return or_(
        Circuit.open_until <= db.at(lambda: clock.now()), Circuit.open_until > db.at(lambda: clock.now() + LONGEST)
    )


def take_probe(session: Session, clinic_id: UUID) -> bool:
    """Take the one probe of the next seconds; False if another process was faster."""
    mine = update(Circuit).where(Circuit.clinic_id == clinic_id, _ripe()).values(open_until=clock.now() + LONGEST)
    return session.scalar(mine.returning(Circuit.id)) is not None


def learn(session: Session, clinic_id: UUID, *, taken: int, not_now: int, in_doubt: int) -> bool:
    """Take in how a clinic's texts fared, by their number; return whether its texts may flow again since now."""
    if not_now:
        _trip(session, clinic_id, 1)
    elif taken:
        closed = delete(Circuit).where(Circuit.clinic_id == clinic_id).returning(Circuit.open_until)
        return session.scalar(closed) is not None
    elif in_doubt:
        _trip(session, clinic_id, in_doubt, at=IN_DOUBT)
    return False


def since(session: Session) -> datetime | None:
    """Return since when the carrier has taken no text of the sender that has waited longest; None if all flow."""
    waiting = select(Circuit.since).where(Circuit.open_until.is_not(None)).order_by(Circuit.since)
    return session.scalar(waiting.limit(1))


def _trip(session: Session, clinic_id: UUID, failures: int, at: int = 1) -> None:
    circuit = _of(session, clinic_id)
    circuit.failures += failures
    beyond = circuit.failures - at + 1
    if circuit.open_until is not None or beyond > 0:
        circuit.open_until = clock.now() + min(timedelta(seconds=max(beyond, 1)), LONGEST)


def _of(session: Session, clinic_id: UUID) -> Circuit:
    circuit = select(Circuit).where(Circuit.clinic_id == clinic_id).with_for_update()
    existing = session.scalar(circuit.execution_options(populate_existing=True))
    if existing is not None:
        return existing
    fresh = Circuit(clinic_id=clinic_id, failures=0, since=clock.now(), open_until=None)
    try:
        with session.begin_nested():
            session.add(fresh)
    except IntegrityError:  # another process has met it at this very moment
        return session.scalars(circuit).one()
    return fresh
