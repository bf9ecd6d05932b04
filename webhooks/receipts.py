"""Writes down what the world said, once, sealed, before anything else is done with it."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock, db, queue, runtime
from messaging.models import REAL, Clinic
from messaging.people import directory
from webhooks.models import Receipt

# The lane in which a receipt waits, by its priority.
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
    priority: str = "default",
    clinic: Clinic | None,
    attempt_id: UUID | None = None,
) -> bool:
    """Keep one thing that was said, in a transaction of its own; False if it had been said before.

    `priority` is urgent | default; `clinic` None when it was said to nobody's number.
    """
    try:
        if clinic is None:
            with db.unit_of_work(db.EVERY) as session:
                keep(session, source, event, payload, priority=priority, clinic=None, attempt_id=attempt_id)
            return True
        row = _row(clinic.id, clinic.key_id, payload)
        with db.bare_transaction(clinic.id) as connection:
            connection.execute(_INSERT, _values(row, source, event, priority, attempt_id))
    except IntegrityError:
        return False
    queue.knock_soon(LANES[priority])
    return True


def keep(
    session: Session,
    source: str,
    event: str,
    payload: Mapping[str, Any],
    *,
    priority: str = "default",
    clinic: Clinic | None,
    attempt_id: UUID | None = None,
    state: str = "received",
) -> UUID:
    """Add the receipt in the caller's transaction and return its id.
    Raises IntegrityError when this was said before."""
    key_id = clinic.key_id if clinic else house_key(session)
    db.load_keys(session, [key_id])
    row = _row(clinic.id if clinic else HOUSE, key_id, payload)
    session.connection().execute(_INSERT, _values(row, source, event, priority, attempt_id, state))
    if state == "received":
        queue.ring(session, LANES[priority])
    return row.id


def _row(clinic_id: UUID, key_id: UUID, payload: Mapping[str, Any]) -> _Row:
    row = _Row(db.new_id(), clinic_id, key_id)
    # ASCII: a NUL or a lone surrogate survives the way through JSON.
    row.payload = json.dumps(dict(payload), ensure_ascii=True)
    return row


def _values(
    row: _Row, source: str, event: str, priority: str, attempt_id: UUID | None, state: str = "received"
) -> dict[str, Any]:
    now = clock.now()
    return {
        "source": source,
        "event": event,
        "lane": priority,
        "state": state,
        "attempt_id": attempt_id,
        "received_at": now,
        "processed_at": None if state == "received" else now,
        "try_after": now,
        **vars(row),
    }


def said(receipt: Receipt) -> dict[str, Any]:
    """Return what was said, opened."""
    opened: dict[str, Any] = json.loads(receipt.payload or "{}")
    return opened


def house_key(session: Session) -> UUID:
    """Return the key of what belongs to no clinic, made when it is first needed."""
    oldest = select(db.DataKey.id).where(db.DataKey.clinic_id == HOUSE).order_by(db.DataKey.created_at).limit(1)
    return session.scalar(oldest) or db.new_data_key(session, HOUSE)


def clinic_texted(form: Mapping[str, str]) -> Clinic | None:
    """Return the clinic that a text was for, known for some seconds without asking again."""
    to, service = form["To"], form.get("MessagingServiceSid")
    return remembered("webhooks.numbers", (to, service), lambda session: find_clinic(session, to, service))


def find_clinic(session: Session, to: str, service_sid: str | None) -> Clinic | None:
    """Return the clinic that was texted at `to`, a number or the address of an agent of another channel.

    By its number, else by the carrier's Messaging Service;
    an agent's address is the only clinic's where there is but one.
    """
    clinic = directory.clinic_by_number(session, to)
    if clinic is None and service_sid:
        clinic = _only_clinic(session, Clinic.messaging_service_sid == service_sid)
    if clinic is None and not to.startswith("+"):
        clinic = _only_clinic(session, true())
    return clinic


def _only_clinic(session: Session, condition: ColumnElement[bool]) -> Clinic | None:
    clinics = session.scalars(select(Clinic).where(condition, REAL).limit(2)).all()
    return clinics[0] if len(clinics) == 1 else None


def to_nobody(session: Session, since: datetime) -> int:
    """Return how many texts came since then for no clinic that is here: an operator should know of them."""
    lost = select(func.count()).where(
        Receipt.clinic_id == HOUSE,
        Receipt.source == "twilio.sms",
        Receipt.state == "ignored",
        Receipt.received_at > since,
    )
    return session.scalar(lost) or 0


def clinic_of_id(clinic_id: UUID) -> Clinic:
    """Return the clinic, known for some seconds without asking again."""
    return remembered("webhooks.clinics", clinic_id, lambda session: session.get_one(Clinic, clinic_id))


def remembered(cache: str, key: object, find: Callable[[Session], T]) -> T:
    """Return what `find` found in the database at most five seconds ago, in this process."""
    entries: dict[object, tuple[float, T]] = runtime.once(cache, dict)
    entry = entries.get(key)
    return entry[1] if entry and entry[0] >= clock.monotonic() else found_anew(cache, key, find)


def recalled(cache: str, key: object) -> Any:
    """Return what `remembered` would without asking the database, else None."""
    entries: dict[object, tuple[float, Any]] = runtime.once(cache, dict)
    entry = entries.get(key)
    return entry[1] if entry and entry[0] >= clock.monotonic() else None


def found_anew(cache: str, key: object, find: Callable[[Session], T]) -> T:
    """Return what `find` finds now, for `remembered` to know."""
    entries: dict[object, tuple[float, T]] = runtime.once(cache, dict)
    while len(entries) >= CACHE_ENTRIES:
        entries.pop(next(iter(entries)), None)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        entry = (clock.monotonic() + CACHE_SECONDS, find(session))
    if entry[1] is not None:  # what is not there may be there in a moment
        entries[key] = entry
    return entry[1]
