"""Escalation at work: timers choose an owner, tell them, and take the next step while nobody has acknowledged."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, queue
from messaging.inbox import due_soon, items, needs, on_it, role_inboxes, snoozing
from messaging.inbox.models import InboxItem, Timer, Told
from messaging.inbox.routing import assign, clinic_rules, escalation_policy, topics
from messaging.inbox.staff import channels, nudging, roster
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from messaging.people import directory

# For these somebody's phone rings when they are overdue; the others wait in the list, where their colour changes.
TOLD_BY_TEXT = clinic_rules.TEXTED
DUE = Timer.state == "waiting"
HASTE_ENDS_AT = 6
team = roster.team


def fire(session: Session, timers: Sequence[Timer]) -> None:
    """Do what each due timer says, unless its item has been settled meanwhile."""
    act = {"route": _route, "escalate": _escalate, "wake": _wake, "due_soon": due_soon.tell}
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
    if kind == "route" and item.owner_id is None:
        return True  # its owner has left or is away: somebody must have it, acknowledged or not
    return kind == "wake" or item.acknowledged_at is None


def _patient(session: Session, item: InboxItem) -> Patient | None:
    return session.get(Patient, item.patient_id) if item.patient_id else None


def _route(session: Session, clinic: Clinic, item: InboxItem) -> None:
    now, patient = clock.now(), _patient(session, item)
    rules, chosen, first = assign.Rules.of(clinic.rules), item.owner_id is None, item.routed_at is None
    if chosen and (item.role is not None or (first and role_inboxes.take(session, clinic, item, rules))):
        item.routed_at = item.routed_at or now
        return
    sharing = _sharing(session, clinic, item) if first else []
    here = team(session, clinic) if chosen or sharing else []
    if chosen:
        whose = sharing[0] if sharing else patient
        choice = assign.choose(needs.of_item(session, clinic, item, whose), here, rules)
        item.owner_id, item.reason = choice.owner_id, [*topics.kept(item.reason), *choice.why]
        item.notified_at = None  # whoever had it before them knew of it, and they do not
    if sharing:
        item.reason = [*item.reason, f"one_of_several:{len(sharing)}"]
    item.routed_at = item.routed_at or now
    _before_they_leave(session, item, patient, rules, now)
    told = _tell_owner(session, clinic, item)
    for_each = {assign.choose(needs.of_item(session, clinic, item, sharer), here, rules).owner_id for sharer in sharing}
    others = [owner_id for owner_id in for_each if owner_id and owner_id != item.owner_id]
    told += _tell(session, clinic, item, others, channels.of_item(item.kind))
    if chosen:
        items.note_event(session, item, audit.Actor.system("routing"), "routed", why=item.reason, told=told)
        audit.record(
            session,
            clinic.id,
            audit.Actor.system("routing"),
            "item.routed",
            f"inbox_item:{item.id}",
            owner=str(item.owner_id),
        )
    elif told:
        items.note_event(session, item, audit.Actor.system("routing"), "notified", told=told)


def _sharing(session: Session, clinic: Clinic, item: InboxItem) -> list[Patient]:
    """The patients of whom one wrote a text that may speak of a crisis, where several share its number, else none.

    Whoever would be asked for any of them is told: which of them it was, only one of these colleagues may know.
    """
    if item.kind != "safety" or item.patient_id is not None or item.conversation_id is None:
        return []
    conversation = session.get_one(Conversation, item.conversation_id)
    db.load_keys(session, {clinic.key_id, conversation.key_id})
    patients = directory.patients_with_number(session, clinic, conversation.number or "")
    alive = [patient for patient in patients if patient.state != "deceased"]
    return alive if len(alive) > 1 else []


def _before_they_leave(
    session: Session, item: InboxItem, patient: Patient | None, rules: assign.Rules, now: datetime
) -> None:
    """Bring the deadline forward for a patient who is in the building now."""
    here_until = patient.here_until if patient else None
    if here_until is None or here_until <= now:
        return
    sooner = assign.answer_by(item.kind, now, rules, leaves_at=here_until)
    if item.kind in rules.before_leaving and sooner < item.answer_by:
        item.answer_by = sooner
        for timer in _climbing(session, item):
            timer.try_after = min(timer.try_after, sooner)
        items.note_event(session, item, audit.Actor.system("routing"), "before_leaving")


def _tell_owner(session: Session, clinic: Clinic, item: InboxItem) -> list[str]:
    """Tell the owner by their own ways, once; return the ids of who was texted. A text was due and none went: climb at
    once. Whoever has it is told in time that it is due soon, also where they know that it is theirs."""
    owner = session.get(Staff, item.owner_id) if item.owner_id else None
    if owner is None or item.acknowledged_at is not None or item.state == "snoozed":
        return []
    due_soon.plan(session, item, owner)
    if item.notified_at is not None:
        return []
    kind = channels.of_item(item.kind)
    told = _tell(session, clinic, item, [owner.id], kind)
    if told:
        item.notified_at = clock.now()
    elif item.kind in TOLD_BY_TEXT and nudging.wants_text(session, clinic, owner, kind):
        _hasten(session, item)
    return told


def _escalate(session: Session, clinic: Clinic, item: InboxItem) -> None:
    rules, now = assign.Rules.of(clinic.rules), clock.now()
    item.level += 1
    wait, kind = rules.rung_minutes, assign.climbs_as(item.kind, item.reason)
    if kind in TOLD_BY_TEXT:
        round_ = escalation_policy.climb(
            replace(needs.of_item(session, clinic, item, _patient(session, item)), kind=kind),
            team(session, clinic),
            rules,
            _told_before(session, item),
            item.owner_id,
            is_open=rules.hours.open_at(now),
        )
        wait = round_.wait
        # Escalation has no end: the last step is taken again and again, until a named human acknowledges; and from
        # its first time on the board says who must be called.
        items.set_timer(session, item, "escalate", escalation_policy.wait_from(now, kind, wait, rules))
        _tell_round(session, clinic, item, round_)
    else:
        if item.kind not in assign.ASKED:  # a colleague's own: overdue once, and nobody else is ever asked
            items.set_timer(session, item, "escalate", escalation_policy.wait_from(now, kind, wait, rules))
        items.note_event(session, item, audit.Actor.system("ladder"), "overdue", level=item.level)
        role_inboxes.give_back(session, item)
    audit.record(
        session,
        clinic.id,
        audit.Actor.system("ladder"),
        "item.escalated",
        f"inbox_item:{item.id}",
        level=item.level,
    )


def _tell_round(session: Session, clinic: Clinic, item: InboxItem, round_: escalation_policy.Round) -> None:
    member_ids = [member.id for member in round_.members]
    _bring_before(session, item, member_ids)
    told = _tell(session, clinic, item, member_ids, "escalated")
    if round_.last and item.exhausted_at is None:
        item.exhausted_at = clock.now()
        items.note_event(session, item, audit.Actor.system("ladder"), "ladder_ended", level=item.level)
    items.note_event(
        session,
        item,
        audit.Actor.system("ladder"),
        "escalated" if told else "nobody_reached",
        level=item.level,
        step=round_.ask,
        told=told,
        untold=[str(member_id) for member_id in member_ids if str(member_id) not in told],
    )
    if not told:
        _hasten(session, item)


def _bring_before(session: Session, item: InboxItem, staff_ids: Sequence[UUID]) -> None:
    """Let the item stand on top of the lists of whom the escalation asks, whether or not a text reaches them."""
    item.escalated_at = item.escalated_at or clock.now()
    known = set(session.scalars(select(Told.staff_id).where(Told.item_id == item.id)))
    for staff_id in dict.fromkeys(staff_ids):
        if staff_id not in known:
            session.add(Told(clinic_id=item.clinic_id, item_id=item.id, staff_id=staff_id, at=clock.now()))


def _told_before(session: Session, item: InboxItem) -> set[UUID]:
    """Whom the policy has asked before, reached or not: each is asked once before everyone is asked again."""
    details = [event.detail for event in items.history(session, item) if event.actor == audit.Actor.system("ladder")]
    return {UUID(staff_id) for detail in details for key in ("told", "untold") for staff_id in detail.get(key, ())}


def _wake(session: Session, _clinic: Clinic, item: InboxItem) -> None:
    snoozing.fire(session, item)


def _tell(session: Session, clinic: Clinic, item: InboxItem, staff_ids: Sequence[UUID], kind: str) -> list[str]:
    """Tell these colleagues by their own ways; return the ids of those to whose phone a text is on its way."""
    return [
        str(staff.id)
        for staff in session.scalars(select(Staff).where(Staff.id.in_(staff_ids)))
        if nudging.of_item(session, clinic, staff, item, kind, dedupe=f"alert:{item.id}:{item.level}:{staff.id}")
    ]


def _hasten(session: Session, item: InboxItem) -> None:
    """Climb at once: whoever was to be told knows nothing. In its own time where there is nobody with a phone."""
    phones = select(Staff.id).where(
        Staff.clinic_id == item.clinic_id,
        Staff.active,
        Staff.number_ct.is_not(None),
        Staff.phone_fault.is_(None),
    )
    if on_it.is_held(item, clock.now()):
        return  # somebody is on it, by name and for a while: their hold ends by itself
    if item.level >= HASTE_ENDS_AT or session.scalar(phones.limit(1)) is None:
        return  # every phone of the team fails: the steps go on in their own time instead of as fast as they can
    for timer in _climbing(session, item):
        timer.try_after = min(timer.try_after, clock.now())
        queue.ring(session, "timers")


def _climbing(session: Session, item: InboxItem) -> Sequence[Timer]:
    waiting = select(Timer).where(Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting")
    return session.scalars(waiting).all()


def alert_failed(session: Session, message: Message) -> None:
    """A text to a colleague did not arrive: climb at once instead of waiting for a deadline they know nothing of."""
    named = re.fullmatch(r"alert:([0-9a-f-]{36}):.*", message.dedupe)
    item = session.get(InboxItem, UUID(named[1])) if named else None
    if item is None or not _still_owed(item, "escalate"):
        return
    items.note_event(session, item, audit.Actor.system("delivery"), "alert_failed", staff=str(message.staff_id))
    _hasten(session, item)


def settle_poison(session: Session, timer: Timer) -> None:
    """A timer that cannot fire is not lost: it tries again in a minute, for ever, and the log says so."""
    timer.try_after = clock.now() + timedelta(minutes=1)
    timer.attempts = 0
    session.flush()
