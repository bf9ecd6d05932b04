"""Emptying at the carrier what we have: the words of each text, some days after it was ours, and never on their way.

Nothing waits for it. While the carrier makes a sender wait, or answers nothing, it is not asked for this at all; while
a restored database learns from the carrier's list what it has forgotten, the list keeps its words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import clock, db, logging, runtime
from messaging.delivery import carrier_status
from messaging.delivery.breaker import circuits
from messaging.delivery.restored import holding
from messaging.gateways.base import OutcomeUnknown, Refused
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, CarrierCopy, Message, of_people

BATCH, LEASE, SLICE_SECONDS = 20, timedelta(minutes=5), 5.0
# Of a text that nobody tells us the end of the carrier knows it by then; before, we wait for the end.
SETTLED_AFTER, LOOK_AGAIN = timedelta(days=1), timedelta(minutes=1)
# What says nothing of this text: our credentials, or too many requests.
OF_THE_CARRIER = (401, 403, 429)
REST_SECONDS = 60.0
# As old as a row looks at most: none of this is ever a reason to call the service unwell (service.health).
LOOKS_OLD = timedelta(seconds=30)
# Until then it is no backlog.
GRACE = timedelta(hours=1)

DUE = of_people(CarrierCopy.clinic_id) & holding.clear(CarrierCopy.clinic_id)


class Overdue(NamedTuple):
    """Texts whose words should be gone at the carrier and are not: how many, and since when the oldest is there."""

    texts: int
    since: datetime | None


@dataclass
class _Asked:
    """What the carrier said of a batch: which texts it emptied, and which it refused to, with its code."""

    emptied: set[UUID] = field(default_factory=set)
    refused: dict[UUID, int] = field(default_factory=dict)


def drain() -> int:
    """Empty what is due at the carrier, a batch at a time; return how many texts were emptied."""
    end, emptied = clock.monotonic() + SLICE_SECONDS, 0
    while clock.monotonic() < end and not _rests() and runtime.settings().carrier_keeps_hours is not None:
        claims, sids = _claim()
        if not claims:
            break
        asked = _ask(sids)
        _write_down(claims, asked)
        emptied += len(asked.emptied)
    return emptied


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something is due, half a minute at most; None where nothing is, or the carrier rests."""
    if runtime.settings().carrier_keeps_hours is None or _rests() or circuits.since(session) is not None:
        return None
    due = db.oldest(session, CarrierCopy, DUE, now)
    return None if due is None else max(due, now - LOOKS_OLD)


def overdue(session: Session, now: datetime) -> Overdue:
    """Return what the carrier should have forgotten an hour ago, and has not."""
    hours = runtime.settings().carrier_keeps_hours
    if hours is None:
        return Overdue(0, None)
    late = CarrierCopy.taken_at <= now - timedelta(hours=hours) - GRACE
    counted = select(func.count(), func.min(CarrierCopy.taken_at)).where(late, of_people(CarrierCopy.clinic_id))
    return Overdue(*session.execute(counted).one())


def _claim() -> tuple[list[db.Claim], dict[UUID, str]]:
    """Claim a batch; return it with the carrier's ids of those texts that have come to their end."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:  # where nothing waits, no writer is waited for
        if oldest(session, clock.now()) is None:
            return [], {}
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, CarrierCopy, DUE, limit=BATCH, lease=LEASE)
        copies = db.still_mine(session, CarrierCopy, claims)
        on_their_way = _on_their_way(session, copies)
        for copy in copies:
            if copy.id in on_their_way:
                copy.lease_until, copy.attempts, copy.try_after = None, 0, clock.now() + LOOK_AGAIN
        return claims, {copy.id: copy.sid for copy in copies if copy.id not in on_their_way}


def _on_their_way(session: Session, copies: Sequence[CarrierCopy]) -> set[UUID]:
    """Return those of which the carrier may still have to tell us something: it refuses to empty these."""
    young = {copy.id: copy for copy in copies if copy.taken_at > clock.now() - SETTLED_AFTER}
    ids = [copy.message_id for copy in young.values()]
    sent = select(Message.id).where(
        Message.id.in_(ids),
        Message.direction == "out",
        Message.state.not_in([state for state, rank in carrier_status.RANK.items() if rank == carrier_status.FINAL]),
    )
    open_ids = set(session.scalars(sent))
    # A try that the carrier let fall is over, although its text is tried again.
    sids = [copy.sid for copy in young.values()]
    fallen = set(
        session.scalars(select(Attempt.provider_sid).where(Attempt.provider_sid.in_(sids), Attempt.state == "refused"))
    )
    return {copy.id for copy in young.values() if copy.message_id in open_ids and copy.sid not in fallen}


def _ask(sids: dict[UUID, str]) -> _Asked:
    """Have texts emptied, one after the other: whatever is urgent has the carrier's other connections."""
    asked = _Asked()
    for copy_id, sid in sids.items():
        try:
            gateway().empty(sid)
        except Refused as refused:
            if refused.status in OF_THE_CARRIER:
                return _rest(asked, type(refused).__name__, refused.code)
            asked.refused[copy_id] = refused.code
        except OutcomeUnknown as unknown:
            return _rest(asked, type(unknown).__name__, None)
        else:
            asked.emptied.add(copy_id)
    return asked


def _write_down(claims: Sequence[db.Claim], asked: _Asked) -> None:
    with db.unit_of_work(db.EVERY) as session:
        for copy in db.still_mine(session, CarrierCopy, claims):
            if copy.id in asked.emptied:
                session.delete(copy)
            elif copy.id in asked.refused:
                db.retry_later(copy, f"refused with {asked.refused[copy.id]}")
            elif copy.try_after <= clock.now():  # it was not asked about
                copy.lease_until, copy.attempts = None, max(copy.attempts - 1, 0)


def _rest(asked: _Asked, error: str, code: int | None) -> _Asked:
    """The carrier is not to be asked for this for a minute; what was emptied before is."""
    logging.logger().warning("nothing is emptied at the carrier for now", error_type=error, code=code)
    runtime.once("redacting.rest", lambda: {"until": 0.0})["until"] = clock.monotonic() + REST_SECONDS
    return asked


def _rests() -> bool:
    return clock.monotonic() < runtime.once("redacting.rest", lambda: {"until": 0.0})["until"]
