"""The ladder: timers choose an owner, tell them, and climb while nobody has acknowledged."""

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, queue, runtime
from messaging import outbox, wording
from messaging.inbox import items, routing, snoozing
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
            reachable=one.number_ct is not None or one.password_hash is not None,
        )
        for one in people
    ]


def fire(session: Session, timers: Sequence[Timer]) -> None:
    """Do what each due timer says, unless its item has been settled meanwhile."""
    act = {"route": _route, "escalate": _escalate, "wake": _wake}
    for timer in timers:
        if timer.state != "waiting" or timer.try_after > clock.now():
            continue  # taken back or moved by a person's act, between the claim and now
        item = session.get(InboxItem, timer.item_id, with_for_update=True, populate_existing=True)
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
        text = "staff_handoff" if item.kind == "handoff" else "staff_alert"
        if _tell(session, clinic, item, [item.owner_id], text):
            item.notified_at = now
        else:
            _hasten(session, item)


def _escalate(session: Session, clinic: Clinic, item: InboxItem) -> None:
    rules = routing.Rules.of(clinic.rules)
    item.level += 1
    # The ladder has no end: the last rung is rung again and again, until a named human acknowledges.
    items.set_timer(session, item, "escalate", clock.now() + timedelta(minutes=rules.rung_minutes))
    if item.kind in TOLD_BY_TEXT:
        rung = routing.rung(_need(session, item), team(session, clinic), rules, item.level, item.owner_id)
        told = [member.id for member in rung]
        if not _tell(session, clinic, item, told, "staff_escalated"):
            _hasten(session, item)
        items.note_event(
            session, item, "system:ladder", "escalated", level=item.level, told=[str(one) for one in told]
        )
    else:
        items.note_event(session, item, "system:ladder", "overdue", level=item.level)
    audit.record(
        session, clinic.id, "system:ladder", "item.escalated", f"inbox_item:{item.id}", level=item.level
    )


def _wake(session: Session, _clinic: Clinic, item: InboxItem) -> None:
    snoozing.fire(session, item)


def _tell(session: Session, clinic: Clinic, item: InboxItem, staff_ids: Sequence[UUID], text: str) -> bool:
    """Text these colleagues; return whether any of them has a phone that we know."""
    told, link = False, f"{runtime.settings().public_url}/inbox/{item.id}"
    for staff in session.scalars(select(Staff).where(Staff.id.in_(staff_ids))):
        body = wording.render(wording.texts("en")[text], {"link": link})
        alert = f"alert:{item.id}:{item.level}:{staff.id}"
        told = outbox.text_staff(session, clinic, staff, body=body, dedupe=alert) is not None or told
    return told


def _hasten(session: Session, item: InboxItem) -> None:
    """Climb at once: whoever was to be told knows nothing. In its own time where there is nobody with a phone."""
    phones = select(Staff.id).where(
        Staff.clinic_id == item.clinic_id, Staff.active, Staff.number_ct.is_not(None)
    )
    if item.level >= HASTE_ENDS_AT or session.scalar(phones.limit(1)) is None:
        return  # every phone of the team fails: the rungs go on in their own time instead of as fast as they can
    waiting = select(Timer).where(
        Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting"
    )
    for timer in session.scalars(waiting):
        timer.try_after = min(timer.try_after, clock.now())
        queue.ring(session, "timers")


def alert_failed(session: Session, message: Message) -> None:
    """A text to a colleague did not arrive: climb at once instead of waiting for a deadline they know nothing of."""
    named = re.fullmatch(r"alert:([0-9a-f-]{36}):.*", message.dedupe)
    item = session.get(InboxItem, UUID(named[1])) if named else None
    if item is None or not _still_owed(item, "escalate"):
        return
    items.note_event(session, item, "system:delivery", "alert_failed", staff=str(message.staff_id))
    _hasten(session, item)


def settle_poison(session: Session, timer: Timer) -> None:
    """A timer that cannot fire is not lost: it tries again in a minute, for ever, and the log says so."""
    timer.try_after = clock.now() + timedelta(minutes=1)
    timer.attempts = 0
    session.flush()
