"""Setting an item aside until later: what sleeps has its own waking hour, moves with its visit, and wakes for words."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import item_state, items, snooze_times
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Staff

BATCH = 500


def may_sleep(item: InboxItem) -> str | None:
    """Return why the item cannot be set aside, as the name of a refusal; None if it can."""
    if item.state == "done":
        return "already_done"
    if item.kind == "handoff":
        return "not_a_handoff"
    if item_state.is_owed(item):
        return "not_before_acknowledged"
    return None


def snooze(session: Session, item: InboxItem, staff: Staff, until: datetime, visit_id: UUID | None = None) -> ItemEvent:
    """Set the item aside until `until`; with `visit_id` until that visit, whatever becomes of its time.

    It has an owner from now on, who has it back when it wakes. Raises items.Refused.
    """
    item_state.refuse_between_others(item, staff)
    why, now = may_sleep(item), clock.now()
    if why is None and until <= now:
        why = "past"
    if why is None and until > snooze_times.latest(item.kind, now):
        why = "too_late_for_safety" if item.kind in snooze_times.LONGEST_SLEEP else "too_far"
    if why is not None:
        raise items.Refused(why)
    before = item_state.read(session, item)
    item.state, item.snoozed_until = "snoozed", until
    item.snoozed_for = f"appointment:{visit_id}" if visit_id else None
    item.owner_id = item.owner_id or staff.id
    items.cancel_timers(session, item, "escalate", "wake")
    items.set_timer(session, item, "wake", until)
    return items.write_down(session, item, staff, "snoozed", before, until=clock.iso(until), waits_for=item.snoozed_for)


def fire(session: Session, item: InboxItem) -> None:
    """Wake the item if its hour has come: a timer that was taken back or moved meanwhile wakes nothing."""
    if item.snoozed_until is not None and item.snoozed_until <= clock.now():
        wake(session, item, audit.Actor.system("timer"))


def wake(session: Session, item: InboxItem, actor: str, **detail: str) -> None:
    """Bring a sleeping item back as open; if its time has passed meanwhile its clock starts anew, else it runs on."""
    if item.state == "snoozed":
        _bring_back(session, item)
        items.note_event(session, item, actor, "woken", **detail)


def wake_now(session: Session, item: InboxItem, staff: Staff) -> ItemEvent | None:
    """Bring a sleeping item back because a person wants it back; None if it is awake. Raises items.Refused."""
    item_state.refuse_between_others(item, staff)
    if item.state != "snoozed":
        return None
    before = item_state.read(session, item)
    _bring_back(session, item)
    return items.write_down(session, item, staff, "woken", before)


def _bring_back(session: Session, item: InboxItem) -> None:
    item.state, item.snoozed_until, item.snoozed_for = "open", None, None
    items.cancel_timers(session, item, "wake")
    if item.acknowledged_at is None:
        late = item.answer_by <= clock.now()
        items.set_clock(session, item, items.fresh_deadline(session, item) if late else item.answer_by)


def wake_for_words(
    session: Session, clinic_id: UUID, conversation_id: UUID, patient_ids: Collection[UUID], **detail: str
) -> None:
    """Wake whatever sleeps of a conversation or of the patients who may have written."""
    of_them = or_(InboxItem.conversation_id == conversation_id, InboxItem.patient_id.in_(patient_ids))
    for item in _asleep(session, clinic_id, of_them):
        wake(session, item, audit.Actor.system("webhooks"), **detail)


def follow_visits(session: Session, clinic_id: UUID, visits: Mapping[UUID, datetime | None]) -> None:
    """Let what sleeps until these visits follow them: to the new start of each, awake if there is none any more."""
    visit_ids = iter(visits)
    while ids := list(islice(visit_ids, BATCH)):
        by_visit = {f"appointment:{visit_id}": visits[visit_id] for visit_id in ids}
        for item in _asleep(session, clinic_id, InboxItem.snoozed_for.in_(by_visit)):
            if item.snoozed_for in by_visit:  # not woken between the look and the lock
                _follow(session, item, by_visit[item.snoozed_for])


def _follow(session: Session, item: InboxItem, starts_at: datetime | None) -> None:
    now = clock.now()
    until = snooze_times.before_visit(starts_at) if starts_at else now
    if until <= now:
        wake(session, item, audit.Actor.system("visits"), why="visit_over")
        return
    # A visit put off by weeks must not take with it what is to be looked at within a day.
    until = min(until, snooze_times.latest(item.kind, now))
    if until != item.snoozed_until:
        item.snoozed_until = until
        items.cancel_timers(session, item, "wake")
        items.set_timer(session, item, "wake", until)
        items.note_event(session, item, audit.Actor.system("visits"), "sleep_moved", until=clock.iso(until))


def _asleep(session: Session, clinic_id: UUID, which: ColumnElement[bool]) -> list[InboxItem]:
    sleeping = select(InboxItem.id).where(InboxItem.clinic_id == clinic_id, InboxItem.state == "snoozed", which)
    ids = list(session.scalars(sleeping))
    return item_state.hold(session, clinic_id, ids) if ids else []


def last_sleep(history: Sequence[ItemEvent]) -> datetime | None:
    """Return until when the item slept if waking is the last thing that time did to it, for another sleep like it."""
    turns = [line for line in history if line.event in ("snoozed", "woken", "resolved", "reopened")]
    if len(turns) < 2 or turns[-1].event != "woken" or turns[-2].event != "snoozed":
        return None
    return datetime.fromisoformat(str(turns[-2].detail["until"]))
