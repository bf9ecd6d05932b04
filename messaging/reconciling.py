"""Finding out what became of texts whose outcome nobody knows, and of those the carrier has fallen silent about.

Found in the carrier's list: it was taken. Not found once it has settled: it was not, and it is sent again if it is
still of use. Nothing is sent again while the list cannot be read, except a text on which safety hangs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock, db, keys, logging, runtime
from messaging import carrier, delivery
from messaging.gateways.base import OutcomeUnknown, Refused, Taken
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, Conversation, Message, Staff

MAY_DOUBLE = ("crisis", "staff_alert", "handoff")
SILENT_FOR = timedelta(hours=1)
HUMAN_AFTER = timedelta(minutes=30)
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
    tries: int


def _question(session: Session, message: Message) -> _Question:
    if message.staff_id:
        to = session.get_one(Staff, message.staff_id).number
    else:
        to = session.get_one(Conversation, message.conversation_id).number
    attempts = session.scalars(
        select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.id)
    ).all()
    # Only a text in doubt is looked for by its words.
    body = (message.body or "") if message.state == "unknown" else ""
    return _Question(message.provider_sid, body, to or "", attempts[0], attempts[-1], len(attempts))


def _look(which: ColumnElement[bool], act: Callable[[db.Claim, _Question], None]) -> int:
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, which, limit=BATCH)
        mine = {}
        for message in db.still_mine(session, Message, claims):
            try:
                mine[message.id] = _question(session, message)
            except keys.WrongKey:
                # The patient has been deleted: nobody can know any more what this text said, nor send it again.
                message.state, message.lease_until, message.last_error = "failed", None, "key deleted"
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
            message.attempts = question.tries  # a look is not a try
            late = _late_yes(session, message)
            if late is not None:
                carrier.raise_to(message, "sent", sid=late)
                continue
            found = _match(session, question, listed or [])
            if found is None:
                _decide(session, message, question, listed is not None)
                continue
            delivery.accepted(session.get_one(Attempt, question.last.id), found.sid)
            carrier.raise_to(message, "sent", sid=found.sid)
            carrier.learn(session, message, found.status, found.sid, found.error_code)


def _late_yes(session: Session, message: Message) -> str | None:
    """Return the sid that a sender thought dead was given after all: its write to the message had been refused."""
    return session.scalar(
        select(Attempt.provider_sid)
        .where(Attempt.message_id == message.id, Attempt.state == "accepted")
        .limit(1)
    )


def _match(session: Session, question: _Question, listed: Sequence[Taken]) -> Taken | None:
    """Return the listed text that can only be this one: the same words, and no other attempt of ours was given it.

    The oldest first: of equal texts, the one that was tried first was most likely taken first.
    """
    same = [one for one in listed if delivery.fingerprint(one.body) == delivery.fingerprint(question.body)]
    given = set(
        session.scalars(
            select(Attempt.provider_sid).where(Attempt.provider_sid.in_([one.sid for one in same]))
        )
    )
    return next((one for one in reversed(same) if one.sid not in given), None)


def _decide(session: Session, message: Message, question: _Question, carrier_was_asked: bool) -> None:
    now = clock.now()
    settled = question.last.started_at + timedelta(seconds=runtime.settings().settle_seconds)
    if now >= question.first.started_at + HUMAN_AFTER:
        carrier.long_in_doubt(session, message)
    not_taken = carrier_was_asked and now >= settled
    if not_taken or message.kind in MAY_DOUBLE:
        logging.logger().info("sending again", message_id=message.id, attempts=message.attempts)
        message.state, message.try_after = "queued", now
        if not not_taken and question.tries > 1:
            # A text that may double must not come every moment while a carrier takes it and never says so.
            message.try_after = now + timedelta(seconds=min(2 ** (question.tries + 1), 300))
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
