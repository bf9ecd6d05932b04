"""The items that wait for a human: opened once for each reason, moved only by a named person."""

import tomllib
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, queue
from messaging import contactability
from messaging.inbox import dispositions as sayings
from messaging.inbox import item_state
from messaging.inbox.models import URGENCY, InboxItem, ItemEvent, Timer
from messaging.inbox.refusals import NotYet as NotYet
from messaging.inbox.refusals import Refused as Refused
from messaging.inbox.refusals import Taken as Taken
from messaging.inbox.routing import assign, topics
from messaging.models import Clinic, Staff

NEEDS_ACKNOWLEDGEMENT = sayings.NEEDS_ACKNOWLEDGEMENT
# A little longer than an act can be taken back (messaging.inbox.undoing): nobody is told of a slip.
TOLD_AFTER = timedelta(seconds=15)


@cache
def words() -> dict[str, dict[str, str]]:
    """Return the words for staff: dispositions, summaries, reasons."""
    return tomllib.loads((resources.files("messaging") / "texts" / "staff.toml").read_text("utf-8"))


def why_not(reason: str) -> str:
    """Return in words why a text did not go; a reason that is no contactability.Refusal is said as it is."""
    keys = {refusal.value: refusal.key for refusal in contactability.Refusal}
    return words()["refusals"].get(keys.get(reason, ""), reason)


def dispositions() -> dict[str, str]:
    """Return what can be said when an item is acknowledged or closed, by key."""
    return words()["dispositions"]


def reasons(item: InboxItem) -> list[str]:
    """Return in words why an item came to its owner."""
    sentences = []
    for reason in item.reason:
        name, _, value = reason.partition(":")
        sentences.append(words()["reasons"].get(name, reason).replace("{value}", value))
    return sentences


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
    reason: Sequence[str] = (),
    answer_by: datetime | None = None,
    fresh: bool = False,
) -> InboxItem:
    """Open an item with its deadline and its timers, in the caller's transaction; the same `dedupe` opens one only.

    `reason`: names, as routing gives them. `fresh`, about what was just made: not looked for, and written with others.
    """
    same = select(InboxItem).where(InboxItem.clinic_id == clinic.id, InboxItem.dedupe == dedupe)
    if not fresh and (first := session.scalar(same)) is not None:
        return first
    now = clock.now()
    item = InboxItem(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        kind=kind,
        urgency=urgency_of(kind, reason),
        state="open",
        owner_id=owner_id,
        patient_id=patient_id,
        conversation_id=conversation_id,
        about=about,
        dedupe=dedupe,
        summary=summary,
        reason=list(reason),
        topic=topics.leading(reason),
        level=0,
        answer_by=answer_by or assign.answer_by(kind, now, assign.Rules.of(clinic.rules), reason=reason),
        created_at=now,
    )
    try:
        with nullcontext() if fresh else session.begin_nested():
            session.add(item)
    except IntegrityError:  # another worker has opened it at this very moment
        return session.scalars(same).one()
    set_timer(session, item, "route", now)
    set_timer(session, item, "escalate", item.answer_by)
    note_event(session, item, audit.Actor.system("inbox"), "opened")
    return item


def urgency_of(kind: str, reason: Sequence[str]) -> int:
    """Return the place of an item in the order of what must be seen: what may be a crisis stands with the screens."""
    return URGENCY[assign.routed_as(kind, reason)]


def set_timer(session: Session, item: InboxItem, kind: str, at: datetime) -> None:
    """Make something happen to the item at `at`, and ring at once if that is now."""
    session.add(Timer(clinic_id=item.clinic_id, item_id=item.id, kind=kind, state="waiting", try_after=at))
    if at <= clock.now():
        queue.ring(session, "timers")


def cancel_timers(session: Session, item: InboxItem, *kinds: str) -> None:
    """Take back the timers of these kinds, or all."""
    for timer in item_state.waiting(session, item, *kinds):
        timer.state = "cancelled"


def set_clock(session: Session, item: InboxItem, at: datetime) -> None:
    """Make `at` the moment by which the item must have been answered, and at which it escalates."""
    item.answer_by = at
    cancel_timers(session, item, "escalate")
    set_timer(session, item, "escalate", at)


def fresh_deadline(session: Session, item: InboxItem) -> datetime:
    """Return the deadline the item would have if it came in now."""
    clinic = session.get_one(Clinic, item.clinic_id)
    return assign.answer_by(item.kind, clock.now(), assign.Rules.of(clinic.rules), reason=item.reason)


def note_event(session: Session, item: InboxItem, actor: str, event: str, **detail: Any) -> ItemEvent:
    """Add a line to the item's history."""
    line = ItemEvent(clinic_id=item.clinic_id, item_id=item.id, at=clock.now(), actor=actor, event=event, detail=detail)
    session.add(line)
    return line


def write_down(
    session: Session, item: InboxItem, staff: Staff, event: str, before: dict[str, Any], **detail: Any
) -> ItemEvent:
    """Write a person's act into the item's history and the audit log.

    The history keeps how the item stood before and after, so that the act can be taken back: see `undoing`.
    """
    actor = audit.Actor.staff(staff.id)
    audit.record(session, item.clinic_id, actor, f"item.{event}", f"inbox_item:{item.id}", **detail)
    after = item_state.read(session, item)
    return note_event(session, item, actor, event, **detail, before=before, after=after)


def claim(session: Session, item: InboxItem, staff: Staff) -> ItemEvent:
    """Make the item `staff`'s own. Its clock runs on. Raises Refused for a note between others."""
    item_state.refuse_between_others(item, staff)
    before = item_state.read(session, item)
    _belongs_to(session, item, staff)
    item.notified_at = clock.now()  # whoever takes it knows
    item.state = "claimed" if item.state == "open" else item.state
    return write_down(session, item, staff, "claimed", before)


def _belongs_to(session: Session, item: InboxItem, staff: Staff) -> None:
    """Make the item this person's, who is told once it can no longer be taken back; it leaves the inbox of a role that
    is not theirs."""
    if item.owner_id != staff.id and item.state != "done" and item.acknowledged_at is None:
        item.notified_at = None
        set_timer(session, item, "route", clock.now() + TOLD_AFTER)
    item.owner_id = staff.id
    item.role = item.role if item.role == staff.role else None


def claim_as_shown(session: Session, item: InboxItem, staff: Staff, owner_id: UUID | None) -> ItemEvent:
    """Claim an item that the page showed as `owner_id`'s (None: nobody's).

    Raises Taken if somebody else has it by now, Refused if it is done. What is `staff`'s own already stays so.
    """
    _still_open(item)
    if item.owner_id not in (owner_id, staff.id):
        raise Taken(item.owner_id)
    return claim(session, item, staff)


def hand_over(session: Session, item: InboxItem, staff: Staff, to: Staff) -> ItemEvent:
    """Give the item to a colleague, who is told of it, with its unread state and its clock.

    Raises Refused for one who has left, and for a note: it is for whom it was written to.
    """
    if not to.active or to.clinic_id != item.clinic_id:
        raise Refused("nobody")
    if item.kind == "note":
        raise Refused("note_private")
    before = item_state.read(session, item)
    _belongs_to(session, item, to)
    if to.id == staff.id:
        item.notified_at = clock.now()
    item.state = "open" if item.state == "claimed" else item.state
    return write_down(session, item, staff, "handed_over", before, to=str(to.id))


def acknowledge(
    session: Session, item: InboxItem, staff: Staff, disposition: str, next_try: datetime | None = None
) -> ItemEvent:
    """Say, as a named person, that this was seen and what was done.

    Whoever was not reached is still owed: then the item stays as it is, to be acknowledged, and `next_try` becomes
    its clock, at which it escalates. Raises ValueError for a disposition that does not fit, Refused without a
    next try or with one too far off, and for a note between others.
    """
    item_state.refuse_between_others(item, staff)
    if not sayings.fits(item.kind, disposition):
        raise ValueError("choose what was done")
    before = item_state.read(session, item)
    if sayings.needs_next_try(item.kind, disposition):
        return _try_again(session, item, staff, disposition, next_try, before)
    if item.acknowledged_at is None:
        item.acknowledged_at, item.acknowledged_by = clock.now(), staff.id
    item.disposition = disposition
    _said(item)
    make_theirs(item, staff)
    # Not left to find out when they fire: an acknowledgement that is taken back must find them again.
    cancel_timers(session, item, "route", "escalate")
    return write_down(session, item, staff, "acknowledged", before, disposition=disposition)


def _try_again(
    session: Session,
    item: InboxItem,
    staff: Staff,
    disposition: str,
    next_try: datetime | None,
    before: dict[str, Any],
) -> ItemEvent:
    _still_open(item)
    if item.acknowledged_at is not None:
        raise Refused("reached_before")
    now = clock.now()
    if next_try is None or not now < next_try <= now + sayings.LATEST_TRY[item.kind]:
        raise Refused("next_try")
    item.disposition = disposition
    _said(item)
    make_theirs(item, staff)
    set_clock(session, item, next_try)
    at = clock.iso(next_try)
    return write_down(session, item, staff, "not_reached", before, disposition=disposition, next_try=at)


def _said(item: InboxItem) -> None:  # what came of it, by whoever was on it
    item.held_by, item.held_until, item.held_how = None, None, None


def make_theirs(item: InboxItem, staff: Staff) -> None:
    """Let what nobody owns be `staff`'s, and what was new be in somebody's hand."""
    item.owner_id = item.owner_id or staff.id
    item.state = "claimed" if item.state == "open" else item.state


def _still_open(item: InboxItem) -> None:
    if item.state == "done":
        raise Refused("already_done")


def resolve(session: Session, item: InboxItem, staff: Staff, disposition: str | None = None) -> ItemEvent | None:
    """Close the item; None if it was closed before.

    Raises NotYet for a safety item or screen nobody has acknowledged, Refused for a task without its outcome and a note
    between others, ValueError for a disposition that does not fit, or that says of one owed a person that they were
    not reached.
    """
    item_state.refuse_between_others(item, staff)
    if item_state.is_owed(item):
        raise NotYet("not_reached" if item.disposition else "not_yet")
    if disposition is not None and not sayings.ends(item.kind, disposition):
        raise ValueError("choose what was done")
    if item.state == "done":
        return None
    outcome = disposition or item.disposition or sayings.unsaid(item.kind)
    if outcome is None:
        raise Refused("outcome_owed")
    before = item_state.read(session, item)
    item.state, item.done_at, item.done_by = "done", clock.now(), staff.id
    item.snoozed_until, item.snoozed_for = None, None
    item.disposition = outcome
    cancel_timers(session, item)
    return write_down(session, item, staff, "resolved", before, disposition=item.disposition)


def history(session: Session, item: InboxItem) -> list[ItemEvent]:
    """Return what happened to the item, oldest first."""
    # By the clock first: ids made within one millisecond are in no order.
    events = select(ItemEvent).where(ItemEvent.item_id == item.id).order_by(ItemEvent.at, ItemEvent.id)
    return list(session.scalars(events))
