"""What somebody has read: when they last had a thread before their eyes, and which items still wait to be read."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Message, Staff
from web.models import ReadingMark


def put(session: Session, staff: Staff, thread: str) -> None:
    """Say that `staff` has a thread (InboxItem.thread) before their eyes now."""
    mine = update(ReadingMark).where(ReadingMark.staff_id == staff.id, ReadingMark.thread == thread)
    if session.scalar(mine.values(at=clock.now()).returning(ReadingMark.id)) is not None:
        return
    try:
        with session.begin_nested():
            session.add(ReadingMark(clinic_id=staff.clinic_id, staff_id=staff.id, thread=thread, at=clock.now()))
    except IntegrityError:  # two of their windows opened it at this very moment
        return


def put_item(session: Session, staff: Staff, item_id: UUID) -> None:
    """Say that `staff` has this one item before their eyes now, on a page that does not show the rest of its thread."""
    put(session, staff, _alone(item_id))


def _alone(item_id: UUID) -> str:
    return f"inbox_item:{item_id}"


def unread(session: Session, clinic: Clinic, shown: Collection[InboxItem]) -> set[UUID]:
    """Return which of these items their owner has never opened since the last text in. What is done is read."""
    waiting = [item for item in shown if item.state != "done"]
    if not waiting:
        return set()
    opened, heard = _opened(session, clinic, waiting), _heard(session, waiting)
    return {item.id for item in waiting if not _is_read(item, opened, heard)}


def _is_read(
    item: InboxItem, opened: dict[tuple[UUID, str], datetime], heard: dict[UUID | None, datetime | None]
) -> bool:
    marks = [opened.get((item.owner_id, thread)) for thread in (item.thread, _alone(item.id))] if item.owner_id else []
    at = max(filter(None, marks), default=None)
    return at is not None and at >= max(item.created_at, heard.get(item.conversation_id) or item.created_at)


def _opened(session: Session, clinic: Clinic, items: Collection[InboxItem]) -> dict[tuple[UUID, str], datetime]:
    marks = select(ReadingMark.staff_id, ReadingMark.thread, ReadingMark.at).where(
        ReadingMark.clinic_id == clinic.id,
        ReadingMark.staff_id.in_({item.owner_id for item in items if item.owner_id}),
        ReadingMark.thread.in_({thread for item in items for thread in (item.thread, _alone(item.id))}),
    )
    return {(staff_id, thread): at for staff_id, thread, at in session.execute(marks)}


def _heard(session: Session, items: Collection[InboxItem]) -> dict[UUID | None, datetime | None]:
    """When each conversation last brought a text in: the index is asked for its last one, however long it is."""
    last = (
        select(Message.created_at)
        .where(Message.conversation_id == Conversation.id, Message.direction == "in")
        .order_by(Message.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    ids = {item.conversation_id for item in items if item.conversation_id}
    if not ids:
        return {}
    return dict(session.execute(select(Conversation.id, last).where(Conversation.id.in_(ids))).all())
