"""The few texts that answer by themselves, and how often they may: two robots must not talk to each other for ever."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import func, or_, select

from config import clock
from messaging import outbox, phone
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign, hours
from messaging.models import Message
from messaging.wording import clinic_names, clinic_words
from reminders import phrasing
from webhooks import fields
from webhooks.inbound_text import Inbound

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_DAY = 5
CRISES_A_DAY = 6
# A word about when somebody reads is of no use later.
PROMPT = timedelta(minutes=15)
MONTH = timedelta(days=30)
SCOPES = ("reminders", "screening", "visit")


def crisis(inbound: Inbound) -> None:
    """Say where help is, at once, at most once an hour to a number. It says nothing was decided.

    The item of the staff exists before: the text says that the team has been notified. It is in the language of the
    words, whatever the record says.
    """
    if _sent(inbound, "crisis", HOUR) == 0 and _sent(inbound, "crisis", DAY) < CRISES_A_DAY:
        language = inbound.said_in or inbound.language
        body = " ".join(filter(None, (_say(inbound, key, language=language) for key in ("crisis", "crisis_line"))))
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


def received(inbound: Inbound, item: InboxItem) -> None:
    """Tell a patient by when a person will have read their text, if the clinic wants that.

    Never twice in an hour, after any other automatic text, while a colleague is writing with them, or where a crisis
    was read lately: that has its own answer.
    """
    if not inbound.clinic.rules.get("acknowledges") or inbound.reading.consent is not None:
        return
    if any(_sent(inbound, kind, HOUR) for kind in ("automatic", "reply")) or _sent(inbound, "automatic", DAY) >= A_DAY:
        return
    stopped_some = "revoked" in ledger.state(inbound.session, inbound.clinic, inbound.number).values()
    if stopped_some or _sent(inbound, "crisis", DAY) or _alarmed(inbound):
        return
    rules, now = assign.Rules.of(inbound.clinic.rules), clock.now()
    is_open, read_by = rules.hours.open_at(now), item.answer_by
    if not is_open:
        read_by = max(read_by, hours.after(now, rules.answer_within["reply"], rules.hours))
    moment = phrasing.of_moment(inbound.language, inbound.clinic.zone, _quarter(read_by), now)
    body = _say(inbound, "received" if is_open else "received_closed", moment)
    dedupe = f"received:{inbound.message.id}"
    _send(inbound, body, kind="automatic", programme="care_team", dedupe=dedupe, expires_at=now + PROMPT)


def _alarmed(inbound: Inbound) -> bool:
    """Whether an item of patient safety is open about this number or its patients."""
    whose = InboxItem.patient_id.in_([patient.id for patient in inbound.patients])
    alarms = select(InboxItem.id).where(
        InboxItem.clinic_id == inbound.clinic.id,
        InboxItem.kind == "safety",
        InboxItem.state != "done",
        or_(InboxItem.conversation_id == inbound.conversation.id, whose),
    )
    return inbound.session.scalar(alarms.limit(1)) is not None


def _quarter(at: datetime) -> datetime:
    """The next full quarter of an hour: nobody promises a minute."""
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at + timedelta(minutes=15) - past if past else at


def stopped(inbound: Inbound, scope: str | None) -> None:
    """Say once what has stopped, where the carrier does not: 47 CFR 64.1200(a)(12) allows it for five minutes."""
    until = inbound.message.created_at + outbox.LAST_WORD_WITHIN
    if inbound.carrier_answers or clock.now() >= until or _sent(inbound, outbox.LAST_WORD, DAY):
        return
    key = f"stopped_{scope}" if scope in SCOPES else "stopped"
    body = _say(inbound, key)
    dedupe = f"{key}:{inbound.message.id}"
    _send(inbound, body, kind=outbox.LAST_WORD, programme="care_team", dedupe=dedupe, expires_at=until)


def _say(inbound: Inbound, key: str, more: Mapping[str, str] = MappingProxyType({}), language: str = "") -> str:
    language = language or inbound.language
    name = clinic_names.in_texts(inbound.clinic, language)
    about = {"clinic": name, "clinic_phone": phone.display(inbound.clinic.phone)}
    return clinic_words.of(inbound.session, inbound.clinic.id).say(key, language, about | dict(more))


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
