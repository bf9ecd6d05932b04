"""Finding out what became of texts whose outcome nobody knows, and of those the carrier has fallen silent about.

Found in the carrier's list: it was taken. Not found once it has settled: it was not, and it is sent again if it is
still of use. Nothing is sent again while the list cannot be read, except a text on which safety hangs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock, db, logging, runtime
from messaging import carrier, delivery
from messaging.gateways.base import OutcomeUnknown, Refused, Taken
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, Conversation, Message, Staff

MAY_DOUBLE = ("crisis", "staff_alert", "handoff")
SILENT_FOR = timedelta(hours=1)
BATCH = 50

DOUBTED = Message.state == "unknown"
ORPHANED = Message.state == "sending"
SILENT = (Message.state == "sent") & (Message.direction == "out") & (Message.attempts < 8)


def orphans() -> int:
    """Doubt every text whose sender died in the middle of sending it: its lease has run out."""
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, ORPHANED, limit=200)
        for message in db.still_mine(session, Message, claims):
            delivery.doubt(message)
        return len(claims)


def reconcile() -> int:
    """Settle doubted texts and ask after silent ones; return how many were looked at."""
    return orphans() + _look(DOUBTED, _settle) + _look(SILENT, _ask_after)


@dataclass(frozen=True)
class _Question:
    """What must be asked of the carrier about one message."""

    sid: str | None
    body: str
    to: str
    first: Attempt
    last: Attempt


def _question(session: Session, message: Message) -> _Question:
    if message.staff_id:
        to = session.get_one(Staff, message.staff_id).number
    else:
        to = session.get_one(Conversation, message.conversation_id).number
    attempts = session.scalars(
        select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.id)
    ).all()
    return _Question(message.provider_sid, message.body or "", to or "", attempts[0], attempts[-1])


def _look(which: ColumnElement[bool], act: Callable[[db.Claim, _Question], None]) -> int:
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, which, limit=BATCH)
        mine = {
            message.id: _question(session, message) for message in db.still_mine(session, Message, claims)
        }
    for one in claims:
        if one.id in mine:
            act(one, mine[one.id])
    return len(claims)


def _settle(one: db.Claim, question: _Question) -> None:
    try:
        listed: list[Taken] | None = gateway().find(question.to, delivery.since(question.first))
    except (OutcomeUnknown, Refused):
        listed = None
    with db.unit_of_work(db.EVERY) as session:
        for message in db.still_mine(session, Message, [one]):
            message.lease_until = None
            if message.state != "unknown":
                continue
            found = _match(session, question, listed or [])
            if found is None:
                _decide(message, question.last, listed is not None)
                continue
            delivery.accepted(session.get_one(Attempt, question.last.id), found.sid)
            carrier.raise_to(message, "sent", sid=found.sid)
            carrier.learn(session, message, found.status, found.sid, found.error_code)


def _match(session: Session, question: _Question, listed: Sequence[Taken]) -> Taken | None:
    """Return the listed text that can only be this one: the same words, and no other attempt of ours was given it."""
    same = [one for one in listed if delivery.fingerprint(one.body) == delivery.fingerprint(question.body)]
    given = set(
        session.scalars(
            select(Attempt.provider_sid).where(Attempt.provider_sid.in_([one.sid for one in same]))
        )
    )
    return next((one for one in same if one.sid not in given), None)


def _decide(message: Message, last: Attempt, carrier_was_asked: bool) -> None:
    now, settled = clock.now(), last.started_at + timedelta(seconds=runtime.settings().settle_seconds)
    safe_to_repeat = message.kind in MAY_DOUBLE or (carrier_was_asked and now >= settled)
    if safe_to_repeat:
        logging.logger().info("sending again", message_id=message.id, attempts=message.attempts)
        message.state, message.try_after = "queued", now
        return
    message.try_after = (
        min(settled, now + timedelta(seconds=15)) if now < settled else now + timedelta(seconds=15)
    )


def _ask_after(one: db.Claim, question: _Question) -> None:
    try:
        known = gateway().fetch(question.sid or "")
    except (OutcomeUnknown, Refused):
        known = None
    with db.unit_of_work(db.EVERY) as session:
        for message in db.still_mine(session, Message, [one]):
            message.lease_until, message.try_after = None, clock.now() + SILENT_FOR * 6
            if known is not None:
                carrier.learn(session, message, known.status, known.sid, known.error_code)
