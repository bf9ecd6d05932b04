"""The items that wait for a human: opened once for each reason, moved only by a named person."""

import tomllib
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, queue
from messaging.inbox import routing
from messaging.inbox.models import URGENCY, InboxItem, ItemEvent, Timer
from messaging.models import Clinic, Conversation, Staff

NEEDS_ACKNOWLEDGEMENT = ("safety", "screen")


class NotYet(Exception):
    """A safety item or a screen cannot be closed before a named person has acknowledged it with a disposition."""


@cache
def words() -> dict[str, dict[str, str]]:
    """Return the words for staff: dispositions, summaries, reasons."""
    return tomllib.loads((resources.files("messaging") / "texts" / "staff.toml").read_text("utf-8"))


def dispositions() -> dict[str, str]:
    """Return what can be said when an item is acknowledged or closed, by key."""
    return words()["dispositions"]


def reasons(item: InboxItem) -> list[str]:
    """Return in words why an item came to its owner."""
    said = []
    for reason in item.reason:
        name, _, value = reason.partition(":")
        said.append(words()["reasons"].get(name, reason).replace("{value}", value))
    return said


def open_item(
    session: Session,
    clinic: Clinic,
    *,
    kind: str,
    about: str,
    dedupe: str,
    summary: str,
    patient_id: UUID | None = None,
    conversation_id: UUID | None = None,
    owner_id: UUID | None = None,
    answer_by: datetime | None = None,
) -> InboxItem:
    """Open an item with its deadline and its timers, in the caller's transaction; the same `dedupe` opens one only."""
    same = select(InboxItem).where(InboxItem.clinic_id == clinic.id, InboxItem.dedupe == dedupe)
    first = session.scalar(same)
    if first is not None:
        return first
    now = clock.now()
    item = InboxItem(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        kind=kind,
        urgency=URGENCY[kind],
        state="open",
        owner_id=owner_id,
        patient_id=patient_id,
        conversation_id=conversation_id,
        about=about,
        dedupe=dedupe,
        summary=summary,
        reason=[],
        level=0,
        answer_by=answer_by or routing.answer_by(kind, now, routing.Rules.of(clinic.rules)),
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(item)
    except IntegrityError:  # another worker has opened it at this very moment
        return session.scalars(same).one()
    set_timer(session, item, "route", now)
    set_timer(session, item, "escalate", item.answer_by)
    note_event(session, item, "system:inbox", "opened")
    return item


def set_timer(session: Session, item: InboxItem, kind: str, at: datetime) -> None:
    """Make something happen to the item at `at`, and ring at once if that is now."""
    session.add(Timer(clinic_id=item.clinic_id, item_id=item.id, kind=kind, state="waiting", try_after=at))
    if at <= clock.now():
        queue.ring(session, "timers")


def note_event(session: Session, item: InboxItem, actor: str, event: str, **detail: Any) -> None:
    """Add a line to the item's history."""
    session.add(
        ItemEvent(
            clinic_id=item.clinic_id, item_id=item.id, at=clock.now(), actor=actor, event=event, detail=detail
        )
    )


def _act(session: Session, item: InboxItem, staff: Staff, event: str, **detail: Any) -> None:
    note_event(session, item, f"staff:{staff.id}", event, **detail)
    audit.record(
        session, item.clinic_id, f"staff:{staff.id}", f"item.{event}", f"inbox_item:{item.id}", **detail
    )


def claim(session: Session, item: InboxItem, staff: Staff) -> None:
    """Make the item `staff`'s own. Its clock runs on."""
    item.owner_id = staff.id
    item.state = "claimed" if item.state == "open" else item.state
    _act(session, item, staff, "claimed")


def hand_over(session: Session, item: InboxItem, staff: Staff, to: Staff) -> None:
    """Give the item to a colleague, with its unread state and its clock."""
    item.owner_id = to.id
    item.state = "open" if item.state == "claimed" else item.state
    _act(session, item, staff, "handed_over", to=str(to.id))


def acknowledge(session: Session, item: InboxItem, staff: Staff, disposition: str) -> None:
    """Say, as a named person, that this was seen and what was done. Raises ValueError for an unknown disposition."""
    if disposition not in dispositions():
        raise ValueError("choose what was done")
    if item.acknowledged_at is None:
        item.acknowledged_at, item.acknowledged_by = clock.now(), staff.id
    item.disposition = disposition
    item.owner_id = item.owner_id or staff.id
    item.state = "claimed" if item.state == "open" else item.state
    _act(session, item, staff, "acknowledged", disposition=disposition)


def resolve(session: Session, item: InboxItem, staff: Staff, disposition: str | None = None) -> None:
    """Close the item. Raises NotYet for a safety item or screen nobody has acknowledged, ValueError as above."""
    if disposition is not None and disposition not in dispositions():
        raise ValueError("choose what was done")
    if item.kind in NEEDS_ACKNOWLEDGEMENT and item.acknowledged_at is None:
        raise NotYet(item.kind)
    if item.state == "done":
        return
    item.state, item.done_at, item.done_by = "done", clock.now(), staff.id
    item.disposition = disposition or item.disposition or "handled"
    _act(session, item, staff, "resolved", disposition=item.disposition)


def reopen(session: Session, item: InboxItem, staff: Staff) -> None:
    """Take a closing back: the item is `staff`'s or its owner's, must be acknowledged again, and its clock starts anew.

    The rung of the ladder stays, so that who is alerted next gets a text of their own and not one sent before.
    """
    if item.state != "done":
        return
    clinic = session.get_one(Clinic, item.clinic_id)
    item.state, item.done_at, item.done_by = "claimed", None, None
    item.acknowledged_at, item.acknowledged_by, item.disposition = None, None, None
    item.owner_id = item.owner_id or staff.id
    item.answer_by = routing.answer_by(item.kind, clock.now(), routing.Rules.of(clinic.rules))
    waiting = select(Timer).where(
        Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting"
    )
    for timer in session.scalars(waiting):
        timer.state = "cancelled"
    set_timer(session, item, "escalate", item.answer_by)
    _act(session, item, staff, "reopened")


def settle_reply(session: Session, conversation: Conversation, staff: Staff) -> None:
    """A human has answered: the open replies of this conversation are done. Safety items and screens stay."""
    waiting = select(InboxItem).where(
        InboxItem.conversation_id == conversation.id, InboxItem.kind == "reply", InboxItem.state != "done"
    )
    for item in session.scalars(waiting):
        acknowledge(session, item, staff, "replied")
        resolve(session, item, staff, "replied")


def history(session: Session, item: InboxItem) -> list[ItemEvent]:
    """Return what happened to the item, oldest first."""
    # By the clock first: ids made within one millisecond are in no order.
    events = select(ItemEvent).where(ItemEvent.item_id == item.id).order_by(ItemEvent.at, ItemEvent.id)
    return list(session.scalars(events))
