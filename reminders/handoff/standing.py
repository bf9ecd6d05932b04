"""How the row of a handoff stands in its life: moved by events, with what follows next written on it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from config import audit, clock, queue
from messaging import models as messaging
from messaging.ehr_outbox import owing
from messaging.inbox import item_state
from messaging.inbox.models import InboxItem
from reminders.handoff import machine
from reminders.handoff.terms import Terms
from reminders.models import Handoff, HandoffOffer

SYSTEM = audit.Actor.system("handoffs")


def of(handoff: Handoff) -> machine.Standing:
    """Return where a handoff stands, as its life knows it."""
    return machine.Standing(
        state=handoff.state,
        at=handoff.state_at or handoff.requested_at,
        leaves_at=handoff.leaves_at or handoff.requested_at,
        stage=handoff.stage,
        modality=handoff.modality,
        urgent=handoff.urgent,
        start_at=handoff.start_at,
        contact_by=None if handoff.contact_at else handoff.contact_by,
    )


def move(session: Session, handoff: Handoff, event: str, terms: Terms) -> None:
    """Let an event happen to it now. Raises machine.NotOpen for one that does not happen in this state."""
    _keep(session, handoff, machine.after(of(handoff), event, clock.now()), terms)


def ran_out(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    """Note that the time of a step has come."""
    _keep(session, handoff, machine.ran_out(of(handoff), step, clock.now()), terms)


def plan(session: Session, handoff: Handoff, terms: Terms) -> None:
    """Write down what follows next and when."""
    step = machine.follows(of(handoff), terms)
    handoff.follows = step.follows if step else None
    handoff.try_after = step.at if step else clock.now()
    handoff.attempts, handoff.lease_until = 0, None
    if step is not None and step.at <= clock.now():
        queue.ring(session, "handoffs")


def _keep(session: Session, handoff: Handoff, standing: machine.Standing, terms: Terms) -> None:
    changed = handoff.state != standing.state
    handoff.state, handoff.stage, handoff.state_at = standing.state, standing.stage, standing.at
    handoff.modality, handoff.start_at = standing.modality, standing.start_at
    plan(session, handoff, terms)
    if changed:
        owing.owe(session, handoff.clinic_id, "handoff", handoff.id)


def lock(session: Session, handoff: Handoff) -> None:
    """Take turns: of two colleagues at the same moment the second sees what the first has done.

    The handoff is locked first, then its items as any act on an item locks them, so that nobody waits in a circle.
    """
    session.flush()
    session.refresh(handoff, with_for_update=True)
    hold_items(session, handoff)


def hold_items(session: Session, handoff: Handoff) -> None:
    """Lock the items about a handoff that is locked, and read them as they are now."""
    about = select(InboxItem.id).where(
        InboxItem.clinic_id == handoff.clinic_id, InboxItem.about == f"handoff:{handoff.id}"
    )
    item_state.hold(session, handoff.clinic_id, session.scalars(about).all())


def note(session: Session, handoff: Handoff, actor: str, act: str, **detail: str | None) -> None:
    """Write a line of the audit log about it."""
    audit.record(session, handoff.clinic_id, actor, f"handoff.{act}", f"handoff:{handoff.id}", **detail)


def item_of(session: Session, handoff: Handoff) -> InboxItem:
    """Return the item by which it stands in the inbox."""
    return session.get_one(InboxItem, handoff.item_id)


def offers(session: Session, handoff: Handoff) -> list[HandoffOffer]:
    """Return whom it was offered to, in that order."""
    rows = select(HandoffOffer).where(HandoffOffer.handoff_id == handoff.id)
    return list(session.scalars(rows.order_by(HandoffOffer.offered_at, HandoffOffer.id)))


def unread_words(session: Session, handoffs: Sequence[Handoff]) -> dict[UUID, UUID]:
    """Return by handoff the item of what its patient has written since somebody took it on, while nobody has dealt
    with it."""
    text, item = messaging.Message, InboxItem
    since = exists().where(
        text.conversation_id == item.conversation_id, text.direction == "in", text.created_at > Handoff.accepted_at
    )
    rows = (
        select(Handoff.id, item.id)
        .join(item, (item.patient_id == Handoff.patient_id) & (item.clinic_id == Handoff.clinic_id))
        .where(
            Handoff.id.in_([handoff.id for handoff in handoffs]),
            Handoff.state.in_(machine.TAKEN_ON),
            item.kind.in_(("reply", "safety")),
            item.state != "done",
            item.acknowledged_at.is_(None),
            since,
        )
        .order_by(item.urgency.desc(), item.created_at)
    )
    return dict(session.execute(rows).all())
