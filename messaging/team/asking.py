"""An item that one colleague opens for another: it goes to who covers where they are away, and keeps its clock."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import roster
from messaging.models import Clinic, Staff


def open_for(session: Session, clinic: Clinic, owner: Staff | None, **facts: Any) -> InboxItem:
    """Open an item for `owner`, or for who covers for them now; for None whoever routing chooses.

    `facts` are those of items.open_item.
    """
    return open_by(session, clinic, owner, cover_of(session, owner), **facts)


def cover_of(session: Session, owner: Staff | None) -> Staff | None:
    """Return who covers for a colleague now, None where they are here or it is nobody's."""
    return roster.covering(session, owner.id, clock.now()) if owner else None


def open_by(session: Session, clinic: Clinic, owner: Staff | None, cover: Staff | None, **facts: Any) -> InboxItem:
    """Open an item for `owner`, of whom `cover_of` has been asked already."""
    reason = [f"covering:{owner.name}"] if owner and cover else []
    return items.open_item(session, clinic, owner_id=_id(cover or owner), reason=reason, **facts)


def _id(staff: Staff | None) -> UUID | None:
    return staff.id if staff else None
