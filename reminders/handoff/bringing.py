"""The items by which a handoff is brought before people: to meet somebody, to walk with them, to say how it ended."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import models as messaging
from messaging.inbox import item_state, items, role_inboxes
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from reminders.handoff import standing, telling
from reminders.handoff.terms import Terms
from reminders.models import Handoff

SOON = timedelta(minutes=5)


def to_the_team(session: Session, handoff: Handoff, terms: Terms) -> InboxItem:
    """Open the item that stands for the handoff. Its clock begins where an offer ends; the lane moves it on."""
    if handoff.state == "referred":
        return _open(session, handoff, "", kind="reply", summary="handoff_referred")
    patience = terms.patience(urgent=handoff.urgent)
    return _open(session, handoff, "", kind="handoff", summary="handoff", answer_by=clock.now() + patience * 5)


def walk_with_them(session: Session, handoff: Handoff) -> None:
    """Ask the front desk to walk with a patient who cannot be texted; where nobody is there, whoever comes knows."""
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    if handoff.modality != "in_person" or not role_inboxes.on_duty(session, clinic, topics.FRONT_DESK):
        return
    part, by = _of_this_round(handoff, ":walk"), clock.now() + SOON
    item = _open(session, handoff, part, kind="handoff", summary="handoff_walk", answer_by=by, clinical=False)
    item.role = topics.FRONT_DESK
    item.routed_at = clock.now()


def desk_walks(session: Session, handoff: Handoff) -> bool:
    """Whether the front desk has been asked to walk with them, and has not said that it is done."""
    about = items_about(session, handoff)
    return any(item.role == topics.FRONT_DESK and item.state != "done" for item in about)


def before_they_leave(session: Session, handoff: Handoff) -> InboxItem:
    """Say that they are not there and will soon be out of the door."""
    return _to_colleague(session, handoff, ":leaving", "handoff_leaving")


def is_here_after_all(session: Session, handoff: Handoff) -> InboxItem:
    """Say that they are here, after it had ended without a meeting: whoever was to meet them hears of it at once."""
    before = sum(item.state == "done" for item in items_about(session, handoff))  # who says so again is heard again
    return _to_colleague(session, handoff, f":late{before}", "handoff_late_here")


def call_instead(session: Session, handoff: Handoff) -> InboxItem:
    """Ask whoever waits in the video room to call."""
    return _to_colleague(session, handoff, ":call", "handoff_call_them")


def how_it_ended(session: Session, handoff: Handoff) -> InboxItem:
    """Ask whoever met them how it ended: that can wait, and rings nobody's phone."""
    part = _of_this_round(handoff, f":ended:{handoff.state}")
    item = _open(session, handoff, part, kind="reply", summary="handoff_how")
    owner = telling.who_comes(session, handoff)
    item.owner_id = item.owner_id or (owner.id if owner else None)
    return item


def lost(session: Session, handoff: Handoff) -> InboxItem:
    """Say that they may have left without having met anybody, in an item that still escalates if there is one."""
    about = [item for item in items_about(session, handoff) if item.role is None and item.state != "done"]
    item = next((each for each in about if item_state.waiting(session, each, "escalate")), None)
    if item is None:
        return _to_colleague(session, handoff, ":lost", "handoff_lost_item")
    item.summary = telling.summary("handoff_lost_item", handoff)
    owner = session.get(messaging.Staff, item.owner_id) if item.owner_id else None
    telling.alert(session, handoff, item, owner, "handoff_lost_item")
    return item


def without_contact(session: Session, handoff: Handoff) -> InboxItem:
    """Say that a referral has had no contact within the clinic's days."""
    return _open(session, handoff, ":contact", kind="reply", summary="handoff_no_contact")


def settle(session: Session, handoff: Handoff, actor: str, keep: InboxItem | None = None) -> None:
    """Close what was brought to people on the way and is of no use any more, in the name of whoever has just said so.

    Where no colleague has (the patient texts HERE, time is over), it says so and rings nobody: only a human closes it.
    `keep` is one that is still owed.
    """
    staff = telling.colleague(session, actor)
    for item in items_about(session, handoff):
        if item.id == handoff.item_id or item is keep or item.state == "done":
            continue
        if staff is not None:
            items.resolve(session, item, staff, "handled")
        else:
            item.summary = telling.summary("handoff_settled", handoff, clinical=False)
            items.cancel_timers(session, item)


def _of_this_round(handoff: Handoff, part: str) -> str:
    """A key of its own for whoever has accepted: after somebody else has, the same may have to be said again."""
    return f"{part}:{handoff.accepted_at:%d%H%M%S%f}" if handoff.accepted_at else part


def _to_colleague(session: Session, handoff: Handoff, part: str, key: str) -> InboxItem:
    answer_by = clock.now() + SOON
    part = _of_this_round(handoff, part)
    item = _open(session, handoff, part, kind="handoff", summary=key, answer_by=answer_by)
    owner = telling.who_comes(session, handoff)
    if owner is not None and item.owner_id is None:
        item.owner_id = owner.id
        telling.alert(session, handoff, item, owner, key)
    return item


def _open(
    session: Session,
    handoff: Handoff,
    part: str,
    *,
    kind: str,
    summary: str,
    answer_by: datetime | None = None,
    clinical: bool = True,
) -> InboxItem:
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    return items.open_item(
        session,
        clinic,
        kind=kind,
        about=f"handoff:{handoff.id}",
        dedupe=f"handoff:{handoff.id}{part}",
        summary=telling.summary(summary, handoff, clinical=clinical),
        patient_id=handoff.patient_id,
        answer_by=answer_by,
    )


def items_about(session: Session, handoff: Handoff) -> list[InboxItem]:
    """Return every item that was brought to somebody about this handoff, the first first."""
    rows = select(InboxItem).where(InboxItem.clinic_id == handoff.clinic_id, InboxItem.about == f"handoff:{handoff.id}")
    return list(session.scalars(rows.order_by(InboxItem.created_at, InboxItem.id)))


def close_all(session: Session, handoff: Handoff, staff: messaging.Staff, disposition: str) -> None:
    """Close what a colleague's own word has settled: who says how it ended has answered all of it."""
    for item in items_about(session, handoff):
        items.resolve(session, item, staff, disposition)


def back_to_the_team(session: Session, item: InboxItem) -> None:
    """Let the item be owed again: whoever had taken it on cannot come."""
    if item.state == "done":
        return
    item.state, item.owner_id = "open", None
    item.acknowledged_at, item.acknowledged_by, item.disposition = None, None, None
    items.set_clock(session, item, clock.now() + SOON)
    items.note_event(session, item, standing.SYSTEM, "released")
