"""Writes down what the world said, once, sealed, before anything else is done with it."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock, db, queue, runtime
from messaging import people
from messaging.models import Clinic
from webhooks.models import Receipt

LANES = {"urgent": "receipts_urgent", "default": "receipts"}
# What was said to nobody's number is kept too, under a key of the house.
HOUSE = UUID(int=0)
CACHE_SECONDS = 5.0
CACHE_ENTRIES = 5_000
T = TypeVar("T")
# One statement, said to the database itself: while a carrier waits, the session's bookkeeping would double the work.
_INSERT = insert(Receipt.metadata.tables[Receipt.__tablename__])


class _Row:
    """What a receipt's words are sealed with, and bound to."""

    __tablename__ = Receipt.__tablename__
    payload = db.Sealed("payload_ct")

    def __init__(self, id: UUID, clinic_id: UUID, key_id: UUID) -> None:
        self.id, self.clinic_id, self.key_id = id, clinic_id, key_id
        self.payload_ct = b""


def receive(
    source: str,
    event: str,
    payload: Mapping[str, Any],
    *,
    lane: str = "default",
    clinic: Clinic | None,
    attempt_id: UUID | None = None,
) -> bool:
    """Keep one thing that was said, in a transaction of its own; False if it had been said before.

    `lane` is urgent | default; `clinic` None when it was said to nobody's number.
    """
    try:
        with db.unit_of_work(clinic.id if clinic else db.EVERY) as session:
            keep(session, source, event, payload, lane=lane, clinic=clinic, attempt_id=attempt_id)
    except IntegrityError:
        return False
    return True


def keep(
    session: Session,
    source: str,
    event: str,
    payload: Mapping[str, Any],
    *,
    lane: str = "default",
    clinic: Clinic | None,
    attempt_id: UUID | None = None,
    state: str = "received",
) -> UUID:
    """Add the receipt in the caller's transaction and return its id. Raises IntegrityError when this was said before."""
    row = _Row(db.new_id(), clinic.id if clinic else HOUSE, clinic.key_id if clinic else house_key(session))
    db.load_keys(session, [row.key_id])
    # ASCII: a NUL or a lone surrogate survives the way through JSON.
    row.payload = json.dumps(dict(payload), ensure_ascii=True)
    now = clock.now()
    values = {
        "source": source,
        "event": event,
        "lane": lane,
        "state": state,
        "attempt_id": attempt_id,
        "received_at": now,
        "processed_at": None if state == "received" else now,
        "try_after": now,
    }
    session.connection().execute(_INSERT, values | vars(row))
    if state == "received":
        queue.ring(session, LANES[lane])
    return row.id


def said(receipt: Receipt) -> dict[str, Any]:
    """Return what was said, opened."""
    opened: dict[str, Any] = json.loads(receipt.payload or "{}")
    return opened


def house_key(session: Session) -> UUID:
    """Return the key of what belongs to no clinic, made when it is first needed."""
    oldest = (
        select(db.DataKey.id).where(db.DataKey.clinic_id == HOUSE).order_by(db.DataKey.created_at).limit(1)
    )
    return session.scalar(oldest) or db.new_data_key(session, HOUSE)


def clinic_of_number(number: str) -> Clinic | None:
    """Return the clinic that is texted at `number`, known for some seconds without asking again."""
    return remembered("webhooks.numbers", number, lambda session: people.clinic_by_number(session, number))


def clinic_of_id(clinic_id: UUID) -> Clinic:
    """Return the clinic, known for some seconds without asking again."""
    return remembered("webhooks.clinics", clinic_id, lambda session: session.get_one(Clinic, clinic_id))


def remembered(cache: str, key: object, find: Callable[[Session], T]) -> T:
    """Return what `find` found in the database at most five seconds ago, in this process."""
    known: dict[object, tuple[float, T]] = runtime.once(cache, dict)
    found = known.get(key)
    if found is None or found[0] < clock.monotonic():
        while len(known) >= CACHE_ENTRIES:
            known.pop(next(iter(known)), None)
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            found = (clock.monotonic() + CACHE_SECONDS, find(session))
        if found[1] is not None:  # what is not there may be there in a moment
            known[key] = found
    return found[1]
