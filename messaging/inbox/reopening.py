"""Taking a closing back: what was done is owed again."""

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import item_state, items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Staff


def reopen(session: Session, item: InboxItem, staff: Staff) -> ItemEvent | None:
    """Take a closing back: the item is `staff`'s or its owner's, must be acknowledged again, and its clock starts anew;
    a task whose time is still to come keeps it.

    The step of the policy stays, so that who is alerted next gets a text of their own and not one sent before. None
    if the item is open. Raises Refused for a note between others.
    """
    item_state.refuse_between_others(item, staff)
    if item.state != "done":
        return None
    before = item_state.read(session, item)
    item.state, item.done_at, item.done_by = "claimed", None, None
    item.acknowledged_at, item.acknowledged_by, item.disposition = None, None, None
    item.owner_id = item.owner_id or staff.id
    items.cancel_timers(session, item)
    kept = item.kind == "task" and item.answer_by > clock.now()
    items.set_clock(session, item, item.answer_by if kept else items.fresh_deadline(session, item))
    return items.write_down(session, item, staff, "reopened", before)
