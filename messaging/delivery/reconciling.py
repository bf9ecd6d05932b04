"""Finding out what became of texts whose outcome nobody knows, and of those the carrier has fallen silent about.

Found in the carrier's list: it was taken. Not found once it has settled: it was not, and it is sent again if it is
still of use. Nothing is sent again while the list cannot be read, except a text on which safety hangs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock, db, logging, runtime
from messaging.delivery import carrier_status, deliver
from messaging.gateways.base import OutcomeUnknown, Refused, Taken
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, Conversation, Message, Staff

MAY_DOUBLE = ("crisis", "staff_alert", "handoff")
SILENT_FOR, DEAF_FOR = timedelta(hours=1), timedelta(minutes=5)
HUMAN_AFTER = carrier_status.HUMAN_AFTER
LOOK_SOON, LOOK_AGAIN = timedelta(seconds=3), timedelta(seconds=15)
# A list that can be read shows a text that was taken within this time, or it was most likely not taken.
LISTED_WITHIN = timedelta(seconds=5)
BATCH = 50

DOUBTED = Message.state == "unknown"
ORPHANED = Message.state == "sending"
SILENT = (Message.state == "sent") & (Message.direction == "out") & (Message.attempts < 8)


def orphans() -> int:
    """Doubt every text whose sender died in the middle of sending it: its lease has run out."""
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, ORPHANED, limit=200)
        for message in db.still_mine(session, Message, claims):
            deliver.doubt(message)
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
    attempts = session.scalars(select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.id)).all()
    # Only a text in doubt is looked for by its words.
    body = (message.body or "") if message.state == "unknown" else ""
    return _Question(message.provider_sid, body, to or "", attempts[0], attempts[-1], len(attempts))


def _look(which: ColumnElement[bool], act: Callable[[db.Claim, _Question, bool], bool]) -> int:
    """Act on each message that is due. `act` says whether the carrier was deaf: then it is not asked any more now."""
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, which, limit=BATCH)
    questions: dict[UUID, _Question] = {}
    for some in db.apart("message", claims, _questions, _cannot_be_asked) if claims else []:
        questions |= some
    deaf = False
    for claim in claims:
        if claim.id in questions:
            deaf = act(claim, questions[claim.id], deaf)
    return len(claims)


def _questions(claims: Sequence[db.Claim]) -> dict[UUID, _Question]:
    with db.unit_of_work(db.EVERY) as session:
        mine = db.still_mine(session, Message, claims, wait=False)
        return {message.id: _question(session, message) for message in mine}


def _cannot_be_asked(claim: db.Claim, error: Exception) -> None:
    """The patient has been deleted, or the row is broken: nobody can know what it said, nor send it again."""
    db.put_off(
        Message,
        claim,
        error,
        lambda session, message: carrier_status.withhold(session, message, "unreadable", state="failed"),
    )


def _settle(claim: db.Claim, question: _Question, deaf: bool) -> bool:
    listed: list[Taken] | None = None
    try:
        listed = None if deaf else gateway().find(question.to, deliver.since(question.first))
    except OutcomeUnknown:
        deaf = True
    except Refused:
        pass  # of this number the carrier tells us nothing
    with db.unit_of_work(db.EVERY) as session:
        for message in db.still_mine(session, Message, [claim]):
            message.lease_until = None
            if message.state != "unknown":
                continue
            message.attempts = question.tries  # a look is not a try
            late = _late_yes(session, message)
            if late is not None:
                carrier_status.raise_to(message, "sent", sid=late)
                continue
            match = _match(session, question, listed or [])
            if match is None:
                _decide(session, message, question, listed is not None)
                continue
            deliver.accepted(session, session.get_one(Attempt, question.last.id), match.sid)
            carrier_status.raise_to(message, "sent", sid=match.sid)
            carrier_status.learn(session, message, match.status, match.sid, match.error_code)
    return deaf


def _late_yes(session: Session, message: Message) -> str | None:
    """Return the sid that a sender thought dead was given after all: its write to the message had been refused."""
    return session.scalar(
        select(Attempt.provider_sid).where(Attempt.message_id == message.id, Attempt.state == "accepted").limit(1)
    )


def _match(session: Session, question: _Question, listed: Sequence[Taken]) -> Taken | None:
    """Return the listed text that can only be this one: the same words, and no other attempt of ours was given it.

    The oldest first: of equal texts, the one that was tried first was most likely taken first.
    """
    same = [taken for taken in listed if deliver.fingerprint(taken.body) == deliver.fingerprint(question.body)]
    already_ours = set(
        session.scalars(select(Attempt.provider_sid).where(Attempt.provider_sid.in_([taken.sid for taken in same])))
    )
    return next((taken for taken in reversed(same) if taken.sid not in already_ours), None)


def _decide(session: Session, message: Message, question: _Question, carrier_was_asked: bool) -> None:
    now, again = clock.now(), _again_at(message, question, carrier_was_asked)
    if now >= question.first.started_at + HUMAN_AFTER:
        carrier_status.long_in_doubt(session, message)
    if again is not None and again <= now:
        logging.logger().info("sending again", message_id=message.id, attempts=message.attempts)
        message.state, message.try_after = "queued", now
    else:
        longest = LOOK_SOON if message.kind in MAY_DOUBLE else LOOK_AGAIN
        message.try_after = min(filter(None, (again, now + longest)))


def _again_at(message: Message, question: _Question, carrier_was_asked: bool) -> datetime | None:
    """When a text that the carrier does not list is to be sent again; None while its list cannot be read."""
    began = question.last.started_at
    settled = began + timedelta(seconds=runtime.settings().settle_seconds)
    if message.kind not in MAY_DOUBLE:
        return settled if carrier_was_asked else None
    if question.tries == 1:
        return began
    # A text that may double must not come every moment while a carrier takes it and never says so. When the carrier
    # can be heard again and does not know of it, it leaves almost at once.
    patience = LISTED_WITHIN if carrier_was_asked else timedelta(seconds=min(2 ** (question.tries + 1), 300))
    return min(settled, began + patience) if carrier_was_asked else began + patience


def _ask_after(claim: db.Claim, question: _Question, deaf: bool) -> bool:
    listed = None
    try:
        listed = None if deaf else gateway().fetch(question.sid or "")
    except OutcomeUnknown:
        deaf = True
    except Refused:
        pass
    with db.unit_of_work(db.EVERY) as session:
        for message in db.still_mine(session, Message, [claim]):
            message.lease_until, message.try_after = None, clock.now() + SILENT_FOR * 6
            if deaf:  # it was not asked after
                message.attempts, message.try_after = message.attempts - 1, clock.now() + DEAF_FOR
            if listed is not None:
                carrier_status.learn(session, message, listed.status, listed.sid, listed.error_code)
    return deaf
