"""Items that stand in the inbox of a role: whoever of it is on duty may take them, and none is left there overdue."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import counting, item_state, items, notes_and_calls
from messaging.inbox.models import BY_DEADLINE, OF_THE_DESK, InboxItem, ItemEvent
from messaging.inbox.routing import assign, topics
from messaging.inbox.staff import roster
from messaging.models import Clinic, Message, Staff
from messaging.reading.topics import TOPICS

ROUTING = audit.Actor.system("routing")
# What waits in the front desk's inbox for anybody of it.
UNTAKEN = and_(OF_THE_DESK, InboxItem.owner_id.is_(None))


def on_duty(session: Session, clinic: Clinic, role: str) -> bool:
    """Whether anybody of this role is here now."""
    return any(each.role == role and each.on_duty and not each.away for each in roster.team(session, clinic))


def take(session: Session, clinic: Clinic, item: InboxItem, rules: assign.Rules) -> bool:
    """Put an item that has just come in into the front desk's inbox if it is theirs and they are here."""
    if item.kind != "reply" or not topics.for_the_desk(item.reason, rules.topics):
        return False
    if not on_duty(session, clinic, topics.FRONT_DESK):
        item.reason = [*item.reason, topics.DESK_OFF]
        return False
    item.role, item.reason = topics.FRONT_DESK, [*item.reason, "desk"]
    items.note_event(session, item, ROUTING, "routed", why=item.reason, told=[])
    audit.record(session, clinic.id, ROUTING, "item.routed", f"inbox_item:{item.id}", role=item.role)
    return True


def give_back(session: Session, item: InboxItem) -> None:
    """Bring an overdue item of a role back to the care team: what waits for anybody must not wait for nobody."""
    if item.role is None:
        return
    was, item.role = item.role, None
    if was == topics.FRONT_DESK or item.owner_id is None:
        item.owner_id, item.state = None, "open"
        items.set_timer(session, item, "route", clock.now())
    items.note_event(session, item, ROUTING, "given_back", role=was)


def hand_over(session: Session, clinic: Clinic, item: InboxItem, staff: Staff, role: str) -> ItemEvent:
    """Give the item to whoever of a role is on duty, with its unread state and its clock.

    Raises items.Refused: `not_for_the_desk` for what is not about scheduling or a bill, `nobody_of_role` where none of
    them is here, `note_private` for a note.

    A colleague who hands an item without a topic to the desk says that it is about scheduling.
    """
    if item.state == "done":
        raise items.Refused("already_done")
    here = role in topics.ROLES and on_duty(session, clinic, role)
    if not here and role != topics.CARE_TEAM:
        raise items.Refused("nobody_of_role")
    if item.kind == "note":
        raise items.Refused("note_private")
    if role == topics.FRONT_DESK and not (item.kind == "reply" and topics.may_go_to_the_desk(item.reason)):
        raise items.Refused("not_for_the_desk")
    before = item_state.read(session, item)
    if role == topics.FRONT_DESK and item.topic is None:
        item.reason, item.topic = topics.joined(item.reason, topics.reasons(["scheduling"])), "scheduling"
    item.owner_id, item.role = None, role if here else None
    if not here:
        items.set_timer(session, item, "route", clock.now())  # no care manager is on duty: whoever can be asked is
    item.state = "open" if item.state == "claimed" else item.state
    return items.write_down(session, item, staff, "given_to_role", before, role=role)


def keep_reason(session: Session, clinic: Clinic, item: InboxItem, staff: Staff, words: str, event: ItemEvent) -> None:
    """Keep why an item was handed over as a sealed note, and name the note in the history; no words, no note."""
    if not words.strip():
        return
    note = notes_and_calls.write_note(
        session,
        clinic,
        staff,
        words=words,
        patient_id=item.patient_id,
        conversation_id=item.conversation_id,
        item_id=item.id,
    )
    event.detail = {**event.detail, "note": str(note.id)}


def may_read(item: InboxItem, role: str) -> bool:
    """Whether the front desk may see this item: it stands in their inbox, and no topic of it is anything but theirs.

    Beside texts these are patients of a handoff to walk with, of which the item says where to and nothing else.
    """
    if item.kind == "handoff":
        return item.role == role == topics.FRONT_DESK
    ours = item.kind == "reply" and item.role == role == topics.FRONT_DESK
    return ours and topics.may_go_to_the_desk(item.reason) and item.topic in topics.OF_THE_DESK


def desk_listing(session: Session, clinic_id: UUID, *where: ColumnElement[bool], limit: int = 100) -> list[InboxItem]:
    """Return what stands in the front desk's inbox, by deadline."""
    rows = select(InboxItem).where(InboxItem.clinic_id == clinic_id, OF_THE_DESK, *where)
    rows = rows.order_by(*BY_DEADLINE).limit(limit)
    return [item for item in session.scalars(rows) if may_read(item, topics.FRONT_DESK)]


def waiting(scope: counting.Scope) -> ColumnElement[int]:
    """Count the items that wait in the front desk's inbox."""
    return select(func.count()).where(InboxItem.clinic_id == scope.clinic, OF_THE_DESK).scalar_subquery()


def texts(session: Session, item: InboxItem) -> list[Message]:
    """Return the texts of this item alone, oldest first: those it came from, and what the desk has written since.

    A text that was read as a crisis or as about anything but the desk's topics is not among them.
    """
    added = [event.detail.get("message_id") for event in items.history(session, item) if event.event == "added"]
    table, _, row_id = item.about.partition(":")
    ids = [UUID(str(each)) for each in (row_id if table == "message" else None, *added) if each]
    rows = list(session.scalars(select(Message).where(Message.id.in_(ids), Message.direction == "in")))
    desk = select(Staff.id).where(Staff.clinic_id == item.clinic_id, Staff.role == topics.FRONT_DESK)
    written = select(Message).where(
        Message.conversation_id == item.conversation_id,
        Message.direction == "out",
        Message.author_id.in_(desk),
        Message.created_at >= item.created_at,
    )
    return sorted([*filter(_of_the_desk, rows), *session.scalars(written)], key=lambda text: (text.created_at, text.id))


def _of_the_desk(text: Message) -> bool:
    met = {label.rpartition(".")[2] for label in text.reading if label.startswith("topic.")}
    clinical = met & (set(TOPICS) - set(topics.OF_THE_DESK))
    return not clinical and not any(label.startswith(("crisis", "tier.")) for label in text.reading)
