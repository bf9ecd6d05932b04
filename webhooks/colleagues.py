"""A text from a colleague's own phone: an answer to an alert is noted on its item, which stays as open as it was."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from config import clock, runtime
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import nudging
from messaging.models import Message, Staff
from messaging.wording import text_templates
from webhooks import raise_items
from webhooks.inbound_text import Inbound

# Later than this a text hardly answers an alert; it is read as a text like any other.
ANSWERS_WITHIN = timedelta(hours=24)


def answered(inbound: Inbound, staff: Staff) -> bool:
    """Note the text on the item of the colleague's last alert and tell them once to open it; False without one.

    Whoever answers by text has perhaps not seen whom it is about: nothing is acknowledged, and the escalation goes on.
    """
    item = _alerted(inbound, staff)
    if item is None:
        return False
    message = str(inbound.message.id)
    items.note_event(inbound.session, item, f"staff:{staff.id}", "answered_by_text", message_id=message)
    raise_items.append(inbound, item, raise_items.of_colleague(inbound, staff))
    link = f"{runtime.settings().staff_address}{nudging.page_of(item, staff)}"
    body = text_templates.render(text_templates.texts("en")["staff_answered"], {"link": link})
    outbox.text_staff(inbound.session, inbound.clinic, staff, body=body, dedupe=f"answered:{item.id}:{staff.id}")
    return True


def _alerted(inbound: Inbound, staff: Staff) -> InboxItem | None:
    """The item of which the colleague was texted last."""
    alerts = select(Message.dedupe).where(
        Message.staff_id == staff.id,
        Message.kind == "staff_alert",
        Message.dedupe.startswith("alert:"),
        Message.created_at > clock.now() - ANSWERS_WITHIN,
    )
    dedupe = inbound.session.scalar(alerts.order_by(Message.created_at.desc(), Message.id.desc()).limit(1))
    return inbound.session.get(InboxItem, UUID(dedupe.split(":")[1])) if dedupe else None
