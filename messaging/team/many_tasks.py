"""Tasks that a rule makes of hundreds of people at once: what they need is read once, and each table written once."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Staff
from messaging.team import asking, tasks


def make(session: Session, clinic: Clinic, wanted: Sequence[tasks.Wanted]) -> list[InboxItem]:
    """Make tasks by a rule, as `tasks.make` makes one, and return their items in the same order.

    Raises tasks.Refused where one of them cannot be, with none made.
    """
    for each in wanted:
        tasks.check(each)
    db.load_keys(session, [clinic.key_id, *(each.patient.key_id for each in wanted if each.patient)])
    owners = {each.owner.id: each.owner for each in wanted if each.owner}
    covers = {owner_id: asking.cover_of(session, owner) for owner_id, owner in owners.items()}
    with session.no_autoflush:
        made = [_make(session, clinic, each, covers.get(each.owner.id) if each.owner else None) for each in wanted]
    session.flush()
    return made


def _make(session: Session, clinic: Clinic, wanted: tasks.Wanted, cover: Staff | None) -> InboxItem:
    new_id = db.new_id()
    item = asking.open_by(
        session,
        clinic,
        wanted.owner,
        cover,
        kind="task",
        about=f"task:{new_id}",
        dedupe=f"task:{new_id}",
        summary=wanted.title.strip(),
        patient_id=wanted.patient.id if wanted.patient else None,
        answer_by=wanted.due,
        fresh=True,
    )
    tasks.keep(session, clinic, None, wanted, new_id, item)
    return item
