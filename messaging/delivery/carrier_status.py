"""What a carrier's word means for a message: its state only ever goes up, and a final failure reaches a human."""

import tomllib
from datetime import timedelta
from functools import cache
from importlib import resources

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import contactability, outbox
from messaging.consent import ledger
from messaging.delivery.brakes import halting
from messaging.inbox import escalation, items
from messaging.models import Attempt, Clinic, Conversation, Message, Staff
from messaging.people import directory, staff_phones

RANK = {
    "queued": 0, "sending": 1, "unknown": 1, "sent": 2,
    "delivered": 3, "undelivered": 3, "failed": 3, "held": 3, "cancelled": 3,
}  # fmt: skip
FINAL = 3
# Twilio's statuses in our words; what is not here says nothing new (facts: callbacks are unordered, best effort).
STATUSES = {
    "sent": "sent", "delivered": "delivered", "read": "delivered", "undelivered": "undelivered",
    "failed": "failed", "canceled": "failed", "accepted": "sent", "queued": "sent", "sending": "sent",
    "scheduled": "sent",
}  # fmt: skip
TRIES = 6
# For how long a text that the carrier makes wait, and that says no time of its own, is tried.
WORTH = timedelta(hours=4)
HUMAN_AFTER = timedelta(minutes=30)
# No circuit is tried again sooner (messaging.delivery.breaker), so that this costs a text that is alone nothing.
BEHIND = timedelta(seconds=1)
UNREACHABLE = 20503


@cache
def _errors() -> dict[str, dict[str, str]]:
    data = tomllib.loads((resources.files("messaging") / "texts" / "carrier_errors.toml").read_text("utf-8"))
    words = data.pop("words")
    return {"codes": {str(code): name for name, codes in data.items() for code in codes}, "words": words}


def meaning(code: int) -> str:
    """Return what an error code means for us: opt_out | landline | dead | later | config | fail."""
    return _errors()["codes"].get(str(code), "fail")


def codes(name: str) -> list[int]:
    """Return the error codes that mean this for us, such as "opt_out"."""
    return [int(code) for code, means in _errors()["codes"].items() if means == name]


def raise_to(message: Message, state: str, *, sid: str | None = None) -> bool:
    """Move the message up to `state`; return False, and change nothing, if that would be down or sideways."""
    if RANK.get(message.state, 0) >= RANK[state]:
        return False
    now = clock.now()
    message.state, message.provider_sid = state, sid or message.provider_sid
    message.sent_at = message.sent_at or now
    if state == "sent":
        message.try_after = now + timedelta(hours=1)  # the reconciler asks then if nobody has told us more
    if state == "delivered":
        message.delivered_at = now
    return True


def learn(session: Session, message: Message, status: str, sid: str, error_code: int | None) -> None:
    """Take in a status from a callback or from the carrier's list."""
    state = STATUSES.get(status)
    if state is None:
        return
    if state in ("sent", "delivered"):
        if raise_to(message, state, sid=sid) and state == "delivered" and message.staff_id:
            staff_phones.arrived(session, session.get_one(Staff, message.staff_id))
    elif RANK.get(message.state, 0) < RANK[state]:
        code = error_code or 30008
        if _dropped_for_now(session, message, sid, code):
            return
        message.provider_sid = sid
        final(session, message, state, code)


def refused(session: Session, message: Message, code: int) -> None:
    """The carrier refused a sending outright: try later if that helps, else it is final."""
    if meaning(code) == "later":
        _wait(session, message, code)
    elif meaning(code) == "config" and message.attempts < TRIES:
        message.state, message.try_after = "queued", clock.now() + timedelta(minutes=10)
    else:
        final(session, message, "failed", code)


def put_back(message: Message) -> None:
    """Nothing of it has left: it waits in the queue as before, and this was no try."""
    message.state, message.lease_until = "queued", None
    message.attempts, message.try_after = max(message.attempts - 1, 0), clock.now()


def _wait(session: Session, message: Message, code: int) -> None:
    """The carrier takes nothing now (messaging.delivery.breaker says when to ask again): no fault of this text's."""
    first = session.scalar(select(func.min(Attempt.started_at)).where(Attempt.message_id == message.id))
    waited = clock.now() - (first or clock.now())
    if waited >= WORTH:
        final(session, message, "failed", code)
        return
    put_back(message)
    # Behind those that were only held back with it: else the next try could be this one again, and they wait for it.
    message.try_after += BEHIND
    if waited >= HUMAN_AFTER:
        long_in_doubt(session, message)


def _dropped_for_now(session: Session, message: Message, sid: str, code: int) -> bool:
    """Whether a taken text that the carrier then dropped is no end: its rate was too high, or its queue too full.

    It is tried again, each time later; what is said of a try before the last one says nothing any more.
    """
    attempts = session.scalars(select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.id)).all()
    dropped = next((attempt for attempt in attempts if attempt.provider_sid == sid), None)
    if meaning(code) != "later" or dropped is None:
        return False
    if dropped is not attempts[-1] or dropped.state == "refused":
        return True
    now = clock.now()
    too_late = message.expires_at is not None and message.expires_at <= now
    if too_late or now - attempts[0].started_at >= WORTH:
        return False
    dropped.state, dropped.error_code = "refused", code
    message.state, message.provider_sid, message.sent_at, message.lease_until = "queued", None, None, None
    message.try_after = now + timedelta(seconds=min(2 ** len(attempts), 300))
    return True


def final(session: Session, message: Message, state: str, code: int) -> None:
    """The text will not arrive. Remember what that says of the number, and let a human know."""
    message.state, message.error_code = state, code
    if message.staff_id:
        staff_phones.refused(session, session.get_one(Staff, message.staff_id), meaning(code))
        escalation.alert_failed(session, message)
        return
    halting.learn(session, message)
    clinic = session.get_one(Clinic, message.clinic_id)
    conversation = session.get(Conversation, message.conversation_id)
    number = (conversation.number if conversation else None) or ""
    learnt = meaning(code)
    if learnt == "opt_out":
        ledger.record(session, clinic, number, "revoked", source="carrier", actor=audit.Actor.system("carrier"))
    if learnt in directory.LEARNT:
        directory.learn_line(session, clinic, number, learnt, audit.Actor.system("carrier"))
    summary = items.words()["summaries"]["undelivered"].replace("{why}", _errors()["words"][learnt])
    _tell_a_human(session, clinic, message, summary)


def long_in_doubt(session: Session, message: Message) -> None:
    """Nobody has been able to say for long whether this text left: let a human know, once; it is still looked for."""
    if message.staff_id:
        return  # the item escalates without it
    summary = items.words()["summaries"]["undelivered"].replace("{why}", _errors()["words"]["later"])
    _tell_a_human(session, session.get_one(Clinic, message.clinic_id), message, summary)


def withhold(session: Session, message: Message, why: str, state: str = "held") -> None:
    """A last look says this text must not leave any more: hold it, and say so where a patient waits for it."""
    message.state, message.lease_until, message.last_error = state, None, why
    if message.staff_id:
        escalation.alert_failed(session, message)
        return
    clinic = session.get_one(Clinic, message.clinic_id)
    summaries = items.words()["summaries"]
    summary = summaries.get(why) or summaries["unsendable"].replace("{why}", items.why_not(why))
    if message.kind not in ("automatic", outbox.LAST_WORD) and not (
        message.kind == "reminder" and why in contactability.WISHES
    ):
        _tell_a_human(session, clinic, message, summary)


def _tell_a_human(session: Session, clinic: Clinic, message: Message, summary: str) -> None:
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=f"message:{message.id}",
        dedupe=f"undelivered:{message.id}",
        summary=summary,
        patient_id=message.patient_id,
        conversation_id=message.conversation_id,
    )
