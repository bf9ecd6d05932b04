"""Sending what is queued, and learning what became of it.

The intent is written before the carrier is called, with no transaction open during the call, so that a crash at any
instant leaves a row that says so. An unknown outcome is never repeated blindly: the status callback's own token or
the carrier's list says whether it was taken.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from config import clock, db, keys, queue, runtime, tallies
from messaging import conversations, outbox
from messaging.delivery import carrier_status, send_one, turns
from messaging.delivery.brakes import braking
from messaging.delivery.breaker import circuits
from messaging.delivery.last_look import LastLook
from messaging.delivery.restored import holding
from messaging.delivery.send_one import Intent, Outcome
from messaging.gateways.base import Outgoing
from messaging.gateways.twilio import gateway
from messaging.models import Attempt, CarrierCopy, Clinic, Message

BATCHES_IN_FLIGHT = 2
SENDERS = 32
# Of what is urgent no more is claimed than can begin at once, and it is free again soon where its sender was killed:
# an alert must leave within a minute all the same.
BATCH = {"urgent": SENDERS, "bulk": 3 * SENDERS}
LEASE = {"urgent": timedelta(seconds=45), "bulk": timedelta(seconds=60)}
# An intent is void this long before its lease ends: whoever has been asked to send has its answer, or none, by then.
BEFORE_LEASE_ENDS = timedelta(seconds=25)
LONGEST_VALID = 4 * 3600


def deliver(lane: str, seconds: float = 5.0) -> int:
    """Send what is queued in `lane` until it is empty or the time slice is over; return how many were tried.

    While one batch is with the carrier, the one before is written down and the next one claimed.
    """
    end, tried = clock.monotonic() + seconds, 0
    flying: deque[list[Future[Outcome]]] = deque()
    try:
        while clock.monotonic() < end:
            claimed, intents = _claim(lane)
            if not claimed and not flying:
                break
            tried += claimed
            if intents:
                stopped: set[UUID] = set()
                flying.append([_senders(lane).submit(send_one.send, intent, stopped) for intent in intents])
            if flying and (len(flying) >= BATCHES_IN_FLIGHT or not claimed):
                _land(flying.popleft())
    finally:  # what is with the carrier is written down, whatever became of the next batch
        while flying:
            _land(flying.popleft())
    return tried


def _land(batch: Sequence[Future[Outcome]]) -> None:
    outcomes = [future.result() for future in batch]
    with db.unit_of_work(db.EVERY) as session:
        _record(session, outcomes)


def _claim(lane: str) -> tuple[int, list[Intent]]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:  # where nothing waits, no writer is waited for
        if not turns.waiting(session, lane):
            return 0, []
    with db.unit_of_work(db.EVERY) as session:
        claims = turns.claim(session, flowing_in(lane), lane, limit=BATCH[lane], lease=LEASE[lane])
        claims += _probes(session, lane)
    if not claims:
        return 0, []
    intents = db.apart(
        "message",
        claims,
        _intend_claimed,
        lambda claim, error: db.put_off(Message, claim, error, _unreadable),
    )
    return len(claims), list(chain.from_iterable(intents))


def _probes(session: Session, lane: str) -> list[db.Claim]:
    """Claim one text of each sender that is to be tried again; what is not urgent lets what is go first."""
    ripe = set(circuits.to_probe(session, due_in(lane)))
    if lane != "urgent":
        ripe -= set(circuits.to_probe(session, due_in("urgent")))
    claims: list[db.Claim] = []
    for clinic_id in ripe:
        if circuits.take_probe(session, clinic_id):
            of_clinic = due_in(lane) & (Message.clinic_id == clinic_id)
            claims += db.claim(session, Message, of_clinic, limit=1, lease=LEASE[lane])
    return claims


def _intend_claimed(claims: Sequence[db.Claim]) -> list[Intent]:
    with db.unit_of_work(db.EVERY) as session:
        return _intend(session, db.still_mine(session, Message, claims, wait=False))


def _unreadable(session: Session, message: Message) -> None:
    carrier_status.withhold(session, message, "unreadable")


def prepare() -> None:
    """Make the gateway, with its SDK's slow import, before a worker forks for its first sending."""
    gateway()


@cache
def due_in(lane: str) -> ColumnElement[bool]:
    """Return the condition for what waits in `lane` and may leave now: no brake and no restore holds it."""
    return (Message.state == "queued") & (Message.lane == lane) & braking.free() & holding.may_leave()


@cache
def flowing_in(lane: str) -> ColumnElement[bool]:
    """Return the condition for what waits in `lane` and may leave now by a sender whose carrier takes texts."""
    return due_in(lane) & circuits.flowing()


def _senders(lane: str) -> ThreadPoolExecutor:
    # Whoever sends for a thread with connections in reserve works with these as well.
    begin, name = (db.reserve, "send.reserved") if db.reserved() else (None, f"send.{lane}")
    return runtime.once(
        f"delivery.{name}",
        lambda: ThreadPoolExecutor(SENDERS, thread_name_prefix=name, initializer=begin),
    )


def _intend(session: Session, messages: Sequence[Message]) -> list[Intent]:
    """Ask everything again, and write the intent of each text that may still leave."""
    db.load_keys(session, (message.key_id for message in messages))
    look = LastLook(session, messages)
    intents = []
    for message in messages:
        refusal, to = look.why_not(message), look.number(message)
        if refusal or not to:
            carrier_status.withhold(session, message, refusal or "no number")
        else:
            intents.append(_intent(session, look.clinics[message.clinic_id], message, to))
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
    left = (message.lease_until or now) - now - BEFORE_LEASE_ENDS
    if message.expires_at is not None:  # what it says may be true no longer, such as "tomorrow" after midnight
        left = min(left, message.expires_at - now)
    hushed = clinic.synthetic == "silent"
    return Intent(message.id, attempt.id, clinic.id, message.fence, text, send_one.Deadline.after(left), hushed)


def _record(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Write down what the carrier said, unless someone else has taken the message over meanwhile (the fence)."""
    claims = [db.Claim(outcome.intent.message_id, outcome.intent.fence) for outcome in outcomes]
    mine = {message.id: message for message in db.still_mine(session, Message, claims)}
    attempts = session.scalars(select(Attempt).where(Attempt.id.in_([o.intent.attempt_id for o in outcomes])))
    by_id = {attempt.id: attempt for attempt in attempts}
    _take_back(session, {outcome.sid: outcome.intent.attempt_id for outcome in outcomes if outcome.sid})
    for outcome in outcomes:
        if not outcome.intent.hushed:
            tallies.add("carrier", outcome.word)
        attempt, message = by_id.get(outcome.intent.attempt_id), mine.get(outcome.intent.message_id)
        if attempt is None:
            continue  # a self-check's, and swept away meanwhile
        _close(session, attempt, outcome)
        if message is not None:
            message.lease_until = None
            _apply(session, message, outcome)
    _tell_the_breaker(session, outcomes)


def _close(session: Session, attempt: Attempt, outcome: Outcome) -> None:
    """Write on the attempt what is certain of it, whoever has its message by now."""
    if outcome.sid:
        accepted(session, attempt, outcome.sid)
    elif attempt.state == "started":
        attempt.state = "unknown" if outcome.unknown else "refused"
        attempt.error_code, attempt.finished_at = outcome.code, None if outcome.unknown else clock.now()


def _apply(session: Session, message: Message, outcome: Outcome) -> None:
    if outcome.sid:
        # Of what went nowhere nobody will tell us more, and the carrier is not asked.
        carrier_status.raise_to(message, "delivered" if outcome.intent.hushed else "sent", sid=outcome.sid)
    elif message.state != "sending":
        return  # a callback was faster, and knows more
    elif outcome.held:
        carrier_status.withhold(session, message, outcome.held)
    elif outcome.unsent:
        carrier_status.put_back(message)
    elif outcome.code is not None:
        carrier_status.refused(session, message, outcome.code)
    else:
        doubt(message)


def _tell_the_breaker(session: Session, outcomes: Sequence[Outcome]) -> None:
    taken = Counter(outcome.intent.clinic_id for outcome in outcomes if outcome.sid)
    not_now = Counter(outcome.intent.clinic_id for outcome in outcomes if outcome.not_now)
    in_doubt = Counter(outcome.intent.clinic_id for outcome in outcomes if outcome.unknown)
    for clinic_id in sorted({outcome.intent.clinic_id for outcome in outcomes}):
        fared = {"taken": taken[clinic_id], "not_now": not_now[clinic_id], "in_doubt": in_doubt[clinic_id]}
        if circuits.learn(session, clinic_id, **fared):
            for lane in outbox.LANES.values():
                queue.ring(session, lane)


def _take_back(session: Session, sids: Mapping[str, UUID]) -> None:
    """Take sids from attempts the reconciler matched by equal words: the carrier has now said whose they are."""
    wrongly_matched = select(Attempt).where(Attempt.provider_sid.in_(sids), Attempt.id.not_in(sids.values()))
    for attempt in session.scalars(wrongly_matched):
        message = session.get_one(Message, attempt.message_id)
        if message.provider_sid == attempt.provider_sid:
            message.provider_sid = None
            doubt(message)
        session.execute(delete(CarrierCopy).where(CarrierCopy.sid == attempt.provider_sid))
        attempt.state, attempt.provider_sid = "unknown", None
    session.flush()


def accepted(session: Session, attempt: Attempt, sid: str) -> None:
    """The carrier took this attempt: it said so itself, by a callback, or in its list."""
    if attempt.provider_sid != sid:
        conversations.owe_emptying(session, attempt.clinic_id, attempt.message_id, sid)
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
    dropped = attempt.state == "refused"  # the carrier took it and let it fall: only that it arrived is news
    if dropped and carrier_status.STATUSES.get(status) != "delivered":
        return
    if attempt.state != "accepted" and not dropped:
        _take_back(session, {sid: attempt.id})
        accepted(session, attempt, sid)
    message = session.get(Message, attempt.message_id, with_for_update=True)
    if message is not None:
        carrier_status.learn(session, message, status, sid, error_code)


def fingerprint(body: str) -> bytes:
    """Return what two bodies are compared by: carriers may trim white space at the ends."""
    return hashlib.sha256(body.strip().encode("utf-8", "surrogatepass")).digest()


def since(attempt: Attempt) -> datetime:
    """Return from when on the carrier's list could show this attempt, with room for clocks that differ."""
    return attempt.started_at - timedelta(minutes=2)
