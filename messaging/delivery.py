"""Sending what is queued, and learning what became of it.

The intent is written before the carrier is called, with no transaction open during the call, so that a crash at any
instant leaves a row that says so. An unknown outcome is never repeated blindly: the status callback's own token or
the carrier's list says whether it was taken.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from config import clock, db, keys, logging, runtime
from messaging import carrier, outbox, reachable
from messaging.gateways.base import OutcomeUnknown, Outgoing, Refused
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, Clinic, Conversation, Message, Staff

BATCH = 96
BATCHES_IN_FLIGHT = 2
SENDERS = 32
LEASE = timedelta(seconds=60)
LONGEST_VALID = 4 * 3600


@dataclass(frozen=True)
class Intent:
    """One text about to leave: its message, its attempt, and what the carrier is told."""

    message_id: UUID
    attempt_id: UUID
    fence: int
    text: Outgoing


@dataclass(frozen=True)
class Outcome:
    """What the carrier said to an intent: its id of the text, or an error code, or neither (unknown)."""

    intent: Intent
    sid: str | None = None
    code: int | None = None


def deliver(lane: str, seconds: float = 5.0) -> int:
    """Send what is queued in `lane` until it is empty or the time slice is over; return how many were tried.

    While one batch is with the carrier, the one before is written down and the next one claimed.
    """
    end, tried = clock.monotonic() + seconds, 0
    flying: deque[list[Future[Outcome]]] = deque()
    while True:
        claimed, intents = _claim(lane) if clock.monotonic() < end else (0, [])
        tried += claimed
        if intents:
            flying.append([_senders().submit(_send, intent) for intent in intents])
        if flying and (len(flying) >= BATCHES_IN_FLIGHT or not claimed):
            landed = [future.result() for future in flying.popleft()]
            with db.unit_of_work(db.EVERY) as session:
                _record(session, landed)
        elif not claimed:
            return tried


def _claim(lane: str) -> tuple[int, list[Intent]]:
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, due_in(lane), limit=BATCH, lease=LEASE)
        return len(claims), _intend(session, db.still_mine(session, Message, claims)) if claims else []


def prepare() -> None:
    """Make the gateway, with its SDK's slow import, before a worker forks for its first sending."""
    gateway()


def due_in(lane: str) -> ColumnElement[bool]:
    """Return the condition for what waits in `lane`."""
    return (Message.state == "queued") & (Message.lane == lane)


def _senders() -> ThreadPoolExecutor:
    return runtime.once("delivery.senders", lambda: ThreadPoolExecutor(SENDERS, thread_name_prefix="send"))


def _send(intent: Intent) -> Outcome:
    try:
        return Outcome(intent, sid=gateway().send(intent.text))
    except Refused as refused:
        return Outcome(intent, code=refused.code)
    except OutcomeUnknown as unknown:
        logging.logger().warning(
            "outcome unknown", message_id=intent.message_id, error_type=type(unknown).__name__
        )
        return Outcome(intent)


def _intend(session: Session, messages: Sequence[Message]) -> list[Intent]:
    """Ask everything again, and write the intent of each text that may still leave."""
    db.load_keys(session, (message.key_id for message in messages))
    asked = _Asked(session, messages)
    intents = []
    for message in messages:
        try:
            refusal, to = asked.why_not(message), asked.number(message)
            if refusal or not to:
                carrier.withhold(session, message, refusal or "no number")
            else:
                intents.append(_intent(session, asked.clinics[message.clinic_id], message, to))
        except keys.WrongKey:
            carrier.withhold(
                session, message, "unreadable"
            )  # its key was deleted: the others must still leave
    return intents


def _intent(session: Session, clinic: Clinic, message: Message, to: str) -> Intent:
    body, token, now = message.body or "", keys.new_token(), clock.now()
    attempt = Attempt(
        clinic_id=clinic.id,
        message_id=message.id,
        token_hash=keys.token_hash(token),
        fence=message.fence,
        state="started",
        started_at=now,
    )
    session.add(attempt)
    message.state = "sending"
    valid = LONGEST_VALID if message.expires_at is None else int((message.expires_at - now).total_seconds())
    callback = f"{runtime.settings().public_url}/webhooks/twilio/status/{token}"
    text = Outgoing(to, clinic.number, clinic.messaging_service_sid, body, callback, valid)
    return Intent(message.id, attempt.id, message.fence, text)


Row = TypeVar("Row", Clinic, Conversation, Staff)


def _rows(session: Session, model: type[Row], ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    return {
        row.id: row for row in session.scalars(select(model).where(model.id.in_({one for one in ids if one})))
    }


class _Asked:
    """Everything the last look before a sending needs, read for the whole batch at once."""

    def __init__(self, session: Session, messages: Sequence[Message]) -> None:
        self.now = clock.now()
        self.clinics = _rows(session, Clinic, (m.clinic_id for m in messages))
        self.conversations = _rows(session, Conversation, (m.conversation_id for m in messages))
        self.staff = _rows(session, Staff, (m.staff_id for m in messages))
        self.facts = reachable.of_conversations(
            session,
            {(self.conversations[m.conversation_id], m.patient_id) for m in messages if m.conversation_id},
        )
        self.overtaken = _overtaken(session, messages)
        db.load_keys(session, (one.key_id for one in self.conversations.values()))

    def number(self, message: Message) -> str | None:
        if message.staff_id:
            return self.staff[message.staff_id].number
        return self.conversations[message.conversation_id].number if message.conversation_id else None

    def why_not(self, message: Message) -> str | None:
        if message.expires_at is not None and message.expires_at <= self.now:
            return "expired"
        if message.staff_id:  # who has left the clinic since is not told of its patients any more
            return None if self.staff[message.staff_id].active else "inactive"
        if message.conversation_id is None:
            return None
        if message.id in self.overtaken:
            return "overtaken"
        facts = self.facts[message.conversation_id, message.patient_id]
        return outbox.of_text(facts, message.kind, message.programme or "care_team", message.author_id)


def _overtaken(session: Session, messages: Sequence[Message]) -> set[UUID]:
    """Which of the texts that a colleague planned for later the patient has overtaken by writing again."""
    planned = [message.id for message in messages if message.scheduled_for is not None]
    if not planned:
        return set()
    said = aliased(Message)
    since = exists().where(
        said.conversation_id == Message.conversation_id, said.direction == "in", said.id > Message.id
    )
    return set(session.scalars(select(Message.id).where(Message.id.in_(planned), since)))


def _record(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Write down what the carrier said, unless someone else has taken the message over meanwhile (the fence)."""
    claims = [db.Claim(outcome.intent.message_id, outcome.intent.fence) for outcome in outcomes]
    mine = {message.id: message for message in db.still_mine(session, Message, claims)}
    attempts = session.scalars(select(Attempt).where(Attempt.id.in_([o.intent.attempt_id for o in outcomes])))
    by_id = {attempt.id: attempt for attempt in attempts}
    _take_back(session, {outcome.sid: outcome.intent.attempt_id for outcome in outcomes if outcome.sid})
    for outcome in outcomes:
        attempt, message = by_id[outcome.intent.attempt_id], mine.get(outcome.intent.message_id)
        if outcome.sid:
            accepted(attempt, outcome.sid)
        if message is None:
            continue
        message.lease_until = None
        if outcome.sid:
            carrier.raise_to(message, "sent", sid=outcome.sid)
        elif outcome.code is not None:
            attempt.state, attempt.error_code, attempt.finished_at = "refused", outcome.code, clock.now()
            carrier.refused(session, message, outcome.code)
        elif message.state == "sending":
            attempt.state = "unknown" if attempt.state == "started" else attempt.state
            doubt(message)


def _take_back(session: Session, sids: Mapping[str, UUID]) -> None:
    """Take sids from attempts the reconciler matched by equal words: the carrier has now said whose they are."""
    given = select(Attempt).where(Attempt.provider_sid.in_(sids), Attempt.id.not_in(sids.values()))
    for wrong in session.scalars(given):
        message = session.get_one(Message, wrong.message_id)
        if message.provider_sid == wrong.provider_sid:
            message.provider_sid = None
            doubt(message)
        wrong.state, wrong.provider_sid = "unknown", None
    session.flush()


def accepted(attempt: Attempt, sid: str) -> None:
    """The carrier took this attempt: it said so itself, by a callback, or in its list."""
    attempt.state, attempt.provider_sid = "accepted", sid
    attempt.finished_at = attempt.finished_at or clock.now()


def doubt(message: Message) -> None:
    """Nobody knows whether this text left: look at the carrier's list before anything else."""
    message.state, message.lease_until = "unknown", None
    message.try_after = clock.now() + timedelta(seconds=min(3, runtime.settings().settle_seconds))


def attempt_by_token(session: Session, token: str) -> Attempt | None:
    """Return the attempt whose callback address carries `token`."""
    return session.scalar(select(Attempt).where(Attempt.token_hash == keys.token_hash(token)))


def record_status(session: Session, attempt: Attempt, status: str, sid: str, error_code: int | None) -> None:
    """Write down a status callback. It proves acceptance even if the answer to the sending was lost; never down."""
    if attempt.state != "accepted":
        _take_back(session, {sid: attempt.id})
        accepted(attempt, sid)
    message = session.get(Message, attempt.message_id, with_for_update=True)
    if message is not None:
        carrier.learn(session, message, status, sid, error_code)


def fingerprint(body: str) -> bytes:
    """Return what two bodies are compared by: carriers may trim white space at the ends."""
    return hashlib.sha256(body.strip().encode("utf-8", "surrogatepass")).digest()


def since(attempt: Attempt) -> datetime:
    """Return from when on the carrier's list could show this attempt, with room for clocks that differ."""
    return attempt.started_at - timedelta(minutes=2)
