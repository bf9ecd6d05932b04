"""The ladder: timers choose an owner, tell them, and climb while nobody has acknowledged."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, queue, runtime
from messaging import outbox, wording
from messaging.inbox import items, routing
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Clinic, Message, Patient, Staff

# For these somebody's phone rings; the others wait in the list, where their colour changes.
TOLD_BY_TEXT = ("safety", "screen", "handoff")
DUE = Timer.state == "waiting"
HASTE_ENDS_AT = 6


def team(session: Session, clinic: Clinic) -> list[routing.Member]:
    """Return the clinic's active people as routing sees them at this moment."""
    local = clock.now().astimezone(ZoneInfo(clinic.zone))
    held = (
        select(InboxItem.owner_id, func.count())
        .where(InboxItem.clinic_id == clinic.id, InboxItem.state.in_(("open", "claimed")))
        .group_by(InboxItem.owner_id)
    )
    load = dict(session.execute(held).all())
    people = session.scalars(select(Staff).where(Staff.clinic_id == clinic.id, Staff.active))
    return [
        routing.Member(
            id=one.id,
            email=one.email,
            name=one.name,
            role=one.role,
            languages=tuple(one.languages),
            panels=tuple(one.panels),
            on_duty=routing.on_duty(one.hours, local),
            open_items=load.get(one.id, 0),
        )
        for one in people
    ]


def fire(session: Session, timers: Sequence[Timer]) -> None:
    """Do what each due timer says, unless its item has been settled meanwhile."""
    act = {"route": _route, "escalate": _escalate, "wake": _wake}
    for timer in timers:
        item = session.get(InboxItem, timer.item_id, with_for_update=True)
        clinic = session.get(Clinic, timer.clinic_id)
        timer.state = "fired"
        if item is None or clinic is None or not _still_owed(item, timer.kind):
            timer.state = "cancelled"
            continue
        act[timer.kind](session, clinic, item)


def _still_owed(item: InboxItem, kind: str) -> bool:
    if item.state == "done":
        return False
    return kind == "wake" or item.acknowledged_at is None


def _need(session: Session, item: InboxItem) -> routing.Need:
    patient = session.get(Patient, item.patient_id) if item.patient_id else None
    if patient is None:
        return routing.Need(item.kind)
    return routing.Need(item.kind, patient.language, patient.panel)


def _route(session: Session, clinic: Clinic, item: InboxItem) -> None:
    now = clock.now()
    if item.owner_id is None:
        choice = routing.choose(_need(session, item), team(session, clinic), routing.Rules.of(clinic.rules))
        item.owner_id, item.reason = choice.owner_id, list(choice.why)
        items.note_event(session, item, "system:routing", "routed", why=item.reason)
        audit.record(
            session,
            clinic.id,
            "system:routing",
            "item.routed",
            f"inbox_item:{item.id}",
            owner=str(item.owner_id),
        )
    item.routed_at = item.routed_at or now
    if item.kind in TOLD_BY_TEXT and item.owner_id and item.notified_at is None:
        _tell(
            session,
            clinic,
            item,
            [item.owner_id],
            "staff_handoff" if item.kind == "handoff" else "staff_alert",
        )
        item.notified_at = now


def _escalate(session: Session, clinic: Clinic, item: InboxItem) -> None:
    rules = routing.Rules.of(clinic.rules)
    item.level += 1
    if item.kind in TOLD_BY_TEXT:
        rung = routing.rung(_need(session, item), team(session, clinic), rules, item.level, item.owner_id)
        told = [member.id for member in rung]
        _tell(session, clinic, item, told, "staff_escalated")
        items.note_event(
            session, item, "system:ladder", "escalated", level=item.level, told=[str(one) for one in told]
        )
    else:
        items.note_event(session, item, "system:ladder", "overdue", level=item.level)
    audit.record(
        session, clinic.id, "system:ladder", "item.escalated", f"inbox_item:{item.id}", level=item.level
    )
    # The ladder has no end: the last rung is rung again and again, until a named human acknowledges.
    items.set_timer(session, item, "escalate", clock.now() + timedelta(minutes=rules.rung_minutes))


def _wake(session: Session, _clinic: Clinic, item: InboxItem) -> None:
    if item.state == "snoozed":
        item.state, item.snoozed_until = "open", None
        items.note_event(session, item, "system:timer", "woken")


def _tell(session: Session, clinic: Clinic, item: InboxItem, staff_ids: Sequence[UUID], text: str) -> None:
    link = f"{runtime.settings().public_url}/inbox/{item.id}"
    for staff in session.scalars(select(Staff).where(Staff.id.in_(staff_ids))):
        body = wording.render(wording.texts("en")[text], {"link": link})
        outbox.text_staff(
            session, clinic, staff, body=body, dedupe=f"alert:{item.id}:{item.level}:{staff.id}"
        )


def alert_failed(session: Session, message: Message) -> None:
    """A text to a colleague did not arrive: climb at once instead of waiting for a deadline they know nothing of."""
    item = session.get(InboxItem, UUID(message.dedupe.split(":")[1]))
    if item is None or not _still_owed(item, "escalate"):
        return
    items.note_event(session, item, "system:delivery", "alert_failed", staff=str(message.staff_id))
    if item.level >= HASTE_ENDS_AT:
        return  # every phone of the team fails: the rungs go on in their own time instead of as fast as they can
    waiting = select(Timer).where(
        Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting"
    )
    for timer in session.scalars(waiting):
        timer.try_after = min(timer.try_after, clock.now())
        queue.ring(session, "timers")


def settle_poison(session: Session, timer: Timer) -> None:
    """A timer that cannot fire is not lost: it tries again in a minute, for ever, and the log says so."""
    timer.try_after = clock.now() + timedelta(minutes=1)
    timer.attempts = 0
    session.flush()
