"""What a restored database learns from the carrier's list: which texts left meanwhile, and which it has forgotten.

A text that was still to be sent and stands in the list has left. One of the list that no row tells of is kept as what
it is, a text of ours, so that whoever reads the conversation sees what the patient was told.
"""

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db, keys
from messaging import conversations, outbox
from messaging.delivery import carrier_status, deliver
from messaging.delivery.restored.models import RestoredSpan
from messaging.gateways.base import Taken
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, Clinic, Conversation, Message, Staff

OPEN = ("queued", "sending", "unknown")
# With room for clocks that differ.
MARGIN = timedelta(minutes=2)
# How long a text may have waited in a service that was still sending others.
BUSY = timedelta(minutes=10)
REMEMBERED = "restored:"
LINK = re.compile(r"https?://\S+")


def listed(clinic: Clinic, span: RestoredSpan) -> list[Taken]:
    """Return what the carrier took for this clinic since the backup. Raises OutcomeUnknown, Refused."""
    return gateway().went(clinic.number, clinic.messaging_service_sid, span.backed_up_at - MARGIN)


def alive_until(taken: Sequence[Taken], span: RestoredSpan) -> datetime | None:
    """Return until when the lost service certainly sent what was due; None where it sent nothing after the backup."""
    times = [text.created_at for text in taken if text.created_at and text.created_at < span.restored_at]
    return max(times) - BUSY if times else None


def take_in(session: Session, clinic: Clinic, span: RestoredSpan, taken: Sequence[Taken]) -> int:
    """Bring the clinic's texts in line with the carrier's list, oldest first; return how many it had forgotten.

    What was to leave while the lost service still sent others, and does not stand in the list, was decided otherwise
    then: a human looks at it. An answer that a rule has given anew to what was said then is not sent twice.
    """
    fresh = _not_ours_yet(session, taken)
    waiting, colleagues = _waiting(session, clinic), _numbers_of_staff(session, clinic)
    forgotten: set[UUID | None] = set()
    for text in fresh:
        same = waiting.get((text.to, _words(text.body)))
        if same:
            _has_left(session, same.popleft(), text)
        elif text.to not in colleagues:
            forgotten.add(_remember(session, clinic, text).conversation_id)
    alive = alive_until(taken, span)
    for message in [message for left in waiting.values() for message in left if message.staff_id is None]:
        _settle(session, span, message, alive, message.conversation_id in forgotten)
    session.flush()
    return len(fresh)


def _not_ours_yet(session: Session, taken: Sequence[Taken]) -> list[Taken]:
    known: set[str | None] = set()
    for start in range(0, len(taken), 500):
        sids = [text.sid for text in taken[start : start + 500]]
        known |= set(session.scalars(select(Attempt.provider_sid).where(Attempt.provider_sid.in_(sids))))
    return [text for text in taken if text.sid not in known]


def _words(body: str) -> bytes:
    """What two texts are compared by. An answer given anew has new links, and says the same."""
    return deliver.fingerprint(LINK.sub("@", body))


def _waiting(session: Session, clinic: Clinic) -> dict[tuple[str, bytes], deque[Message]]:
    """Return the texts that have not left yet as far as we know, by number and words, the oldest first."""
    rows = select(Message).where(Message.clinic_id == clinic.id, Message.direction == "out", Message.state.in_(OPEN))
    messages = session.scalars(rows.order_by(Message.id).with_for_update()).all()
    talks = {row.id: row for row in session.scalars(select(Conversation).where(Conversation.clinic_id == clinic.id))}
    staff = {row.id: row for row in session.scalars(select(Staff).where(Staff.clinic_id == clinic.id))}
    for rows_of in (messages, talks.values(), staff.values()):
        db.load_keys(session, (row.key_id for row in rows_of))
    waiting: defaultdict[tuple[str, bytes], deque[Message]] = defaultdict(deque)
    for message in messages:
        try:
            whose = staff[message.staff_id] if message.staff_id else talks[message.conversation_id or message.id]
            waiting[whose.number or "", _words(message.body or "")].append(message)
        except (keys.WrongKey, KeyError):
            continue  # it cannot be sent either
    return waiting


def _numbers_of_staff(session: Session, clinic: Clinic) -> set[str | None]:
    colleagues = session.scalars(select(Staff).where(Staff.clinic_id == clinic.id)).all()
    db.load_keys(session, [colleague.key_id for colleague in colleagues])
    return {colleague.number for colleague in colleagues}


def _has_left(session: Session, message: Message, text: Taken) -> None:
    attempt = Attempt(
        clinic_id=message.clinic_id,
        message_id=message.id,
        token_hash=keys.token_hash(keys.new_token()),
        fence=message.fence,
        state="started",
        started_at=text.created_at or clock.now(),
    )
    session.add(attempt)
    deliver.accepted(session, attempt, text.sid)
    message.fence, message.lease_until = message.fence + 1, None
    message.sent_at = message.sent_at or text.created_at
    carrier_status.raise_to(message, "sent", sid=text.sid)
    session.flush()
    carrier_status.learn(session, message, text.status, text.sid, text.error_code)


def _remember(session: Session, clinic: Clinic, text: Taken) -> Message:
    conversation = conversations.of_number(session, clinic, text.to)
    at = text.created_at or clock.now()
    message = Message(
        clinic_id=clinic.id,
        key_id=conversation.key_id,
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
        direction="out",
        kind="automatic",
        lane="bulk",
        state="queued",
        body=text.body,
        dedupe=f"{REMEMBERED}{text.sid}",
        created_at=at,
        try_after=clock.now(),
        fence=0,
        attempts=0,
    )
    session.add(message)
    session.flush()
    _has_left(session, message, text)
    return message


def _settle(session: Session, span: RestoredSpan, message: Message, alive: datetime | None, was_texted: bool) -> None:
    """Decide about a text that has not left: hold it where it may not be wanted, leave it in the queue otherwise."""
    if message.state != "queued":
        return  # the reconciler asks for it by itself
    if message.created_at >= span.restored_at:
        if was_texted and message.kind == "automatic":
            outbox.cancel(session, [message.id])
    elif alive is not None and message.try_after < alive:
        carrier_status.withhold(session, message, "restored")
