"""What a patient writes who was told of a warm handoff: that they are here, here after all, or anything else, of which
whoever comes must hear before they go."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import models as messaging
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from reminders import handoffs
from reminders.handoff import bringing, decision, machine, standing, telling
from reminders.models import Handoff

# What these say of a visit they may say of the handoff that we have just texted about: a human reads them then.
OF_A_VISIT_OR_THIS = ("confirm", "change", "late")


def here(session: Session, patient: messaging.Patient, conversation: messaging.Conversation, actor: str) -> bool:
    """Do what HERE does to the handoff they were told of by this number; False where a visit may be meant instead."""
    handoff = handoffs.meant(session, patient)
    if handoff is None or not _told_here(session, handoff, conversation):
        return False
    if handoffs.arrive(session, handoff, actor):
        return True
    if handoff.state in machine.MISSED:
        _after_all(session, patient, handoff, actor)
    elif handoff.state == "arrived":
        _still(session, handoff)
    return handoff.state in handoffs.NOW or handoff.state in machine.MISSED


def _after_all(session: Session, patient: messaging.Patient, handoff: Handoff, actor: str) -> None:
    if handoffs.under_way(session, patient, later=False):
        bringing.is_here_after_all(session, handoff)
    else:
        _go_on(session, handoff, actor)


def _still(session: Session, handoff: Handoff) -> None:
    """Whoever says it again, of whom a colleague has closed the item without having met them, is heard again."""
    item = standing.item_of(session, handoff)
    if item.state == "done" and item.disposition != "in_person":
        handoff.item_id = bringing.is_here_after_all(session, handoff).id


def _told_here(session: Session, handoff: Handoff, conversation: messaging.Conversation) -> bool:
    told = session.get(messaging.Message, handoff.message_id) if handoff.message_id else None
    return told is not None and told.conversation_id == conversation.id


def _go_on(session: Session, handoff: Handoff, actor: str) -> None:
    """They are here after all: what had ended without a meeting goes on, with whoever was to meet them, else the next.

    The item that says so is what it stands by from now on: the one before is closed.
    """
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    standing.move(session, handoff, "return", decision.of_clinic(session, clinic))
    handoff.arrived_at, handoff.outcome, handoff.ended_at = clock.now(), None, None
    handoff.contact_by, handoff.contact_at = None, None
    handoff.item_id = bringing.is_here_after_all(session, handoff).id
    bringing.settle(session, handoff, actor)
    standing.note(session, handoff, actor, "returned")
    telling.tell_requester(session, handoff, actor, "handoff_returned")
    if telling.who_comes(session, handoff) is None:
        handoffs.release(session, handoff, standing.SYSTEM)


def answers_it(session: Session, patient: messaging.Patient, conversation: messaging.Conversation) -> bool:
    """Whether our last text to this number was about a handoff that a colleague has taken on."""
    text = messaging.Message
    last = (
        select(text.kind)
        .where(text.conversation_id == conversation.id, text.direction == "out", text.state != "cancelled")
        .order_by(text.created_at.desc(), text.id.desc())
        .limit(1)
    )
    return session.scalar(last) == "handoff" and _taken_on(session, patient) is not None


def heard(session: Session, patient: messaging.Patient | None, item: InboxItem) -> None:
    """Let whoever comes hear at once of what the patient has written, which `item` is about, and read it in minutes.

    "I cannot now" must not wait for hours while a colleague sits in an empty room; who asked hears of it too.
    """
    handoff = _taken_on(session, patient) if patient is not None else None
    if handoff is None:
        return
    colleague = telling.who_comes(session, handoff)
    if item.kind == "reply" and item.acknowledged_at is None:
        if colleague is not None and item.owner_id is None and item.role is None:
            item.owner_id = colleague.id
        if clock.now() + bringing.SOON < item.answer_by:
            items.set_clock(session, item, clock.now() + bringing.SOON)
    standing.note(session, handoff, standing.SYSTEM, "wrote")
    telling.tell_colleague(session, handoff, handoff.colleague_id, standing.SYSTEM, "handoff_wrote")
    telling.tell_requester(session, handoff, standing.SYSTEM, "handoff_wrote_back")


def _taken_on(session: Session, patient: messaging.Patient) -> Handoff | None:
    mine = select(Handoff).where(Handoff.patient_id == patient.id, Handoff.state.in_(machine.TAKEN_ON))
    return session.scalar(mine.order_by(Handoff.requested_at.desc()).limit(1))
