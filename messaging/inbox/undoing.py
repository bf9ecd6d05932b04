"""Taking an act back within ten seconds: whoever did it, if nothing has happened since, puts all back as it stood."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import item_state, items, notes_and_calls
from messaging.inbox.models import Contact, InboxItem, ItemEvent
from messaging.models import Staff

WITHIN = timedelta(seconds=10)
ON_THE_WAY = timedelta(seconds=2)  # the network's share
ACTS = (
    "claimed",
    "handed_over",
    "given_to_role",
    "snoozed",
    "woken",
    "acknowledged",
    "not_reached",
    "resolved",
    "reopened",
    "on_it",
)


@dataclass(frozen=True)
class Undone:
    """The items put back, and how many were left because something has happened to them since.

    `together`: they were one patient's, and one act.
    """

    item_ids: list[UUID]
    left: int
    together: bool = True


def may_undo(event: ItemEvent, staff: Staff) -> bool:
    """Whether this line is an act of `staff` that can be taken back at all. A text that was sent cannot."""
    ours = event.actor == audit.Actor.staff(staff.id) and event.event in ACTS and "before" in event.detail
    return ours and "undone" not in event.detail and event.detail.get("disposition") != "replied"


def bind(events: list[ItemEvent]) -> ItemEvent:
    """Make acts on several items one act to take back; return the line that stands for all of them."""
    if len(events) == 1:
        return events[0]
    first = events[0]
    first.detail = {**first.detail, "with": [str(event.id) for event in events[1:]]}
    return first


def undo(session: Session, clinic_id: UUID, staff: Staff, event_id: UUID) -> Undone:
    """Take the act of this line back, and the acts bound to it.

    Raises items.Refused: undo_gone (not an act of `staff`, or taken back already), undo_late, undo_moved (something
    has happened since, to every item).
    """
    lead = session.get(ItemEvent, event_id)
    if lead is None or lead.clinic_id != clinic_id or not may_undo(lead, staff):
        raise items.Refused("undo_gone")
    if clock.now() - lead.at > WITHIN + ON_THE_WAY:
        raise items.Refused("undo_late")
    with_it = [UUID(bound_id) for bound_id in lead.detail.get("with", [])]
    lines = [lead, *session.scalars(select(ItemEvent).where(ItemEvent.id.in_(with_it)))]
    held = {item.id: item for item in item_state.hold(session, clinic_id, [line.item_id for line in lines])}
    session.refresh(lead)  # of two who press at once the second finds it taken back
    if not may_undo(lead, staff):
        raise items.Refused("undo_gone")
    back = [line.item_id for line in lines if _take_back(session, held[line.item_id], line, staff)]
    if not back:
        raise items.Refused("undo_moved")
    _strike_note(session, staff, lead)
    return Undone(back, len(lines) - len(back), together=len({held[item_id].thread_id for item_id in back}) == 1)


def _take_back(session: Session, item: InboxItem, line: ItemEvent, staff: Staff) -> bool:
    before, after = line.detail["before"], line.detail["after"]
    if item_state.read(session, item) != after or _happened_since(session, line):
        return False
    item_state.put_back(item, before)
    if before["timers"] != after["timers"]:
        items.cancel_timers(session, item)
        for kind, at in before["timers"]:  # one whose time has passed meanwhile rings at once
            items.set_timer(session, item, kind, datetime.fromisoformat(at))
    line.detail = {**line.detail, "undone": True}
    actor = audit.Actor.staff(staff.id)
    items.note_event(session, item, actor, "undone", of=str(line.id), took_back=line.event)
    audit.record(
        session,
        item.clinic_id,
        actor,
        "item.undone",
        f"inbox_item:{item.id}",
        of=str(line.id),
        took_back=line.event,
    )
    return True


def _strike_note(session: Session, staff: Staff, lead: ItemEvent) -> None:
    """The note that was written with the act stays readable, as struck."""
    note = session.get(Contact, UUID(lead.detail["note"])) if "note" in lead.detail else None
    if note is not None and note.struck_at is None:
        notes_and_calls.strike(session, note, staff)


def _happened_since(session: Session, line: ItemEvent) -> bool:
    newer = select(func.count()).where(ItemEvent.item_id == line.item_id, ItemEvent.at > line.at)
    return bool(session.scalar(newer))
