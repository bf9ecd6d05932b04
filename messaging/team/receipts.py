"""What is read by opening the case of an item: mentions in the patient's thread, a note, how a watched task ended."""

from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.models import Staff
from messaging.team import colleague_notes, mentions, readers, tasks


def opened(session: Session, staff: Staff, item: InboxItem) -> None:
    """Write down that `staff` has the case of this item before their eyes."""
    if readers.may_read_threads(staff):
        mentions.read(session, staff, item.patient_id)
    note = colleague_notes.of_item(session, item) if item.kind == "note" else None
    if note is not None:
        colleague_notes.read(session, note, item, staff)
    if item.kind == "task" and item.state == "done":
        tasks.seen(session, staff, item)
