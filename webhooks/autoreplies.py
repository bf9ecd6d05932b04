"""The few texts that answer by themselves, and how often they may: two robots must not talk to each other for ever."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from config import clock
from messaging import outbox, phone
from messaging.models import Message
from messaging.wording import clinic_names, clinic_words
from webhooks import fields
from webhooks.inbound_text import Inbound

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_DAY = 5
CRISES_A_DAY = 6
MONTH = timedelta(days=30)
SCOPES = ("reminders", "screening", "visit")


def crisis(inbound: Inbound) -> None:
    """Say where help is, at once, at most once an hour to a number. It says nothing was decided.

    The item of the staff exists before: the text says that the team has been notified.
    """
    if _sent(inbound, "crisis", HOUR) == 0 and _sent(inbound, "crisis", DAY) < CRISES_A_DAY:
        body = " ".join(filter(None, (_say(inbound, key) for key in ("crisis", "crisis_line"))))
        _send(inbound, body, kind="crisis", programme="care_team", dedupe=f"crisis:{inbound.message.id}")


def confirmation(inbound: Inbound, body: str, until: datetime | None = None) -> None:
    """Thank for an answer, at most five times a day; not after `until`, when the day it names has become another."""
    if _sent(inbound, "automatic", DAY) < A_DAY:
        dedupe = f"answer:{inbound.message.id}"
        _send(inbound, body, kind="automatic", programme="reminders", dedupe=dedupe, expires_at=until)


def plain(inbound: Inbound, key: str, every: timedelta = HOUR) -> None:
    """Send one of the house's own texts, at most one of them an hour to a number."""
    conversation, now = inbound.conversation, clock.now()
    if conversation.auto_replied_at is not None and conversation.auto_replied_at > now - every:
        return
    if _sent(inbound, "automatic", DAY) >= A_DAY:
        return
    body = _say(inbound, key)
    dedupe = f"{key}:{inbound.message.id}"
    if _send(inbound, body, kind="automatic", programme="care_team", dedupe=dedupe):
        conversation.auto_replied_at = now


def unknown_sender(inbound: Inbound) -> None:
    """Tell a number of nobody, once a month, whose line this is, that a person will look, and where help is."""
    plain(inbound, "unknown_sender", MONTH)


def stopped(inbound: Inbound, scope: str | None) -> None:
    """Say once what has stopped, where the carrier does not: 47 CFR 64.1200(a)(12) allows it for five minutes."""
    until = inbound.message.created_at + outbox.LAST_WORD_WITHIN
    if inbound.carrier_answers or clock.now() >= until or _sent(inbound, outbox.LAST_WORD, DAY):
        return
    key = f"stopped_{scope}" if scope in SCOPES else "stopped"
    body = _say(inbound, key)
    dedupe = f"{key}:{inbound.message.id}"
    _send(inbound, body, kind=outbox.LAST_WORD, programme="care_team", dedupe=dedupe, expires_at=until)


def _say(inbound: Inbound, key: str) -> str:
    name = clinic_names.in_texts(inbound.clinic, inbound.language)
    about = {"clinic": name, "clinic_phone": phone.display(inbound.clinic.phone)}
    return clinic_words.of(inbound.session, inbound.clinic.id).say(key, inbound.language, about)


def _sent(inbound: Inbound, kind: str, within: timedelta) -> int:
    sent = select(func.count()).where(
        Message.conversation_id == inbound.conversation.id,
        Message.direction == "out",
        Message.kind == kind,
        Message.created_at > clock.now() - within,
    )
    return inbound.session.scalar(sent) or 0


def _send(
    inbound: Inbound,
    body: str,
    *,
    kind: str,
    programme: str,
    dedupe: str,
    expires_at: datetime | None = None,
) -> bool:
    if not fields.is_number(inbound.number):
        return False  # a machine's short code, or a name that cannot be answered
    try:
        outbox.text_conversation(
            inbound.session,
            inbound.clinic,
            inbound.conversation,
            kind=kind,
            programme=programme,
            body=body,
            dedupe=dedupe,
            lane="urgent",
            expires_at=expires_at,
        )
    except outbox.MayNotText:
        return False
    inbound.conversation.auto_replies += 1
    return True
