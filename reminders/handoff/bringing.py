"""The items by which a handoff is brought before people: to meet somebody, to walk with them, to say how it ended."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import models as messaging
from messaging.inbox import items, role_inboxes
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
    item = _open(session, handoff, ":walk", kind="handoff", summary="handoff_walk", answer_by=clock.now() + SOON)
    item.summary = telling.summary("handoff_walk", handoff, clinical=False)
    item.role = topics.FRONT_DESK
    item.routed_at = clock.now()


def before_they_leave(session: Session, handoff: Handoff) -> InboxItem:
    """Say that they are not there and will soon be out of the door."""
    return _to_colleague(session, handoff, ":leaving", "handoff_leaving")


def how_it_ended(session: Session, handoff: Handoff) -> InboxItem:
    """Ask whoever met them how it ended."""
    return _to_colleague(session, handoff, f":ended:{handoff.stage}", "handoff_how")


def call_instead(session: Session, handoff: Handoff) -> InboxItem:
    """Ask whoever waits in the video room to call."""
    return _to_colleague(session, handoff, ":call", "handoff_call_them")


def lost(session: Session, handoff: Handoff) -> InboxItem:
    """Say that they may have left without having met anybody, in the item that is still owed if there is one."""
    item = standing.item_of(session, handoff)
    if item.state == "done" or item.acknowledged_at is not None:
        return _to_colleague(session, handoff, ":lost", "handoff_lost_item")
    item.summary = telling.summary("handoff_lost_item", handoff)
    return item


def without_contact(session: Session, handoff: Handoff) -> InboxItem:
    """Say that a referral has had no contact within the clinic's days."""
    return _open(session, handoff, ":contact", kind="reply", summary="handoff_no_contact")


def _to_colleague(session: Session, handoff: Handoff, part: str, summary: str) -> InboxItem:
    owner = session.get(messaging.Staff, handoff.colleague_id) if handoff.colleague_id else None
    item = _open(session, handoff, part, kind="handoff", summary=summary, answer_by=clock.now() + SOON)
    if owner is not None and owner.active and item.owner_id is None:
        item.owner_id = owner.id
    return item


def _open(
    session: Session, handoff: Handoff, part: str, *, kind: str, summary: str, answer_by: datetime | None = None
) -> InboxItem:
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    return items.open_item(
        session,
        clinic,
        kind=kind,
        about=f"handoff:{handoff.id}",
        dedupe=f"handoff:{handoff.id}{part}",
        summary=telling.summary(summary, handoff),
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
