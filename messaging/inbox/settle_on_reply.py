"""What an answer does to what waits: settled, waiting for the patient, or waiting for us again if it is taken back."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.routing import topics
from messaging.models import Conversation, Message, Staff

REPLIED = "replied"


def answered(session: Session, conversation: Conversation, staff: Staff, *, settle: bool) -> None:
    """A human has written: the open replies of this conversation are settled, or wait for the patient.

    Safety items and screens stay as they are: a text is not a person. What the front desk writes answers only what
    stands in its own inbox, and nobody answers a colleague's words in a language that they do not read themselves.
    """
    for item in _waiting(session, conversation):
        if staff.role == topics.FRONT_DESK and item.role != topics.FRONT_DESK:
            continue
        if item.owner_id not in (None, staff.id) and not _reads(staff, item):
            continue
        if settle or item.acknowledged_at is None:
            items.acknowledge(session, item, staff, REPLIED)
        if settle:
            items.resolve(session, item, staff, REPLIED)


def _reads(staff: Staff, item: InboxItem) -> bool:
    language = topics.language(item.reason)
    return language is None or language in staff.languages


def unanswered(session: Session, message: Message, staff: Staff) -> None:
    """A text that had not left was taken back: what counted as answered by it waits for us again, by its old clock."""
    conversation = session.get(Conversation, message.conversation_id)
    if conversation is None:
        return
    for item in _waiting(session, conversation):
        by_it = item.acknowledged_at is not None and item.acknowledged_at >= message.created_at
        if not by_it or item.disposition != REPLIED or item.acknowledged_by != message.author_id:
            continue
        item.acknowledged_at, item.acknowledged_by, item.disposition = None, None, None
        _keep_its_policy(session, item)
        items.note_event(session, item, audit.Actor.staff(staff.id), "unanswered", message_id=str(message.id))
        about, actor = f"inbox_item:{item.id}", audit.Actor.staff(staff.id)
        audit.record(session, item.clinic_id, actor, "item.unanswered", about, message=str(message.id))


def _waiting(session: Session, conversation: Conversation) -> list[InboxItem]:
    replies = select(InboxItem).where(
        InboxItem.conversation_id == conversation.id, InboxItem.kind == "reply", InboxItem.state != "done"
    )
    return list(session.scalars(replies.order_by(InboxItem.id).with_for_update()))


def _keep_its_policy(session: Session, item: InboxItem) -> None:
    """The timer of its deadline may have found it answered and gone: then it gets another."""
    waiting = select(Timer.id).where(Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting")
    if session.scalar(waiting.limit(1)) is None:
        items.set_timer(session, item, "escalate", max(item.answer_by, clock.now()))
