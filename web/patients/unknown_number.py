"""What is known of a number that is nobody's yet: since when it writes, what it agreed to, what it said last."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import conversations, outbox, phone
from messaging.consent import ledger
from messaging.models import Clinic, Conversation, Message
from web import times, words
from web.presenters import excerpts

SHOWN = 6


@dataclass(frozen=True)
class Known:
    """What is known of a number: how it is written, when it first and last wrote, its consent, its latest words."""

    number: str
    dial: str
    first: str
    last: str
    agreed: list[tuple[str, str, str]]
    closed: str
    texts: list[tuple[bool, str, str]]


def known(session: Session, clinic: Clinic, conversation: Conversation, *, readable: bool) -> Known:
    """Return what a colleague needs to find out whose number it is; without `readable` its words stay closed."""
    now, number = clock.now(), conversation.number or ""
    messages = conversations.messages(session, conversation.id, limit=SHOWN)
    first = session.scalar(
        select(Message.created_at)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.created_at)
        .limit(1)
    )
    agreed = ledger.state(session, clinic, number)
    reason = outbox.closed(session, conversation)
    return Known(
        number=phone.display(number),
        dial=number,
        first=times.moment(first, now, clinic.zone, running=True) if first else "",
        last=times.moment(conversation.last_at, now, clinic.zone, running=True),
        agreed=[(words.say("programmes", key), state, words.say("consent", state)) for key, state in agreed.items()],
        closed=words.say("closed", reason.key) if reason else "",
        texts=[
            (
                message.direction == "in",
                words.say("keeping", "emptied") if message.emptied_at else excerpts.without_keys(message.body or ""),
                times.moment(message.created_at, now, clinic.zone),
            )
            for message in messages
        ]
        if readable
        else [],
    )
