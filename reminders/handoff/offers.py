"""Asking colleagues to take a handoff on: the next ones by the clinic's order, until nobody is left."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, queue
from messaging import models as messaging
from messaging.inbox import escalation, items, needs
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.routing import assign
from messaging.inbox.staff import nudging
from reminders.handoff import order, standing, telling
from reminders.handoff.terms import Terms
from reminders.models import Handoff, HandoffOffer

# An answer that is due and did not come, or is needed no more.
SILENT, GONE, TAKEN, WITHDRAWN = "silent", "gone", "taken", "withdrawn"
# Somebody had accepted, and cannot come after all.
RELEASED = "released"
# Why an item is everyone's, and why it is then whose it is.
NOBODY, CAME_FORWARD = "nobody", "came_forward"
# Where the next is not asked this long after an answer was due, the inbox climbs by itself.
LATE = timedelta(minutes=2)


def rota(session: Session, clinic: messaging.Clinic, handoff: Handoff, terms: Terms) -> list[assign.Choice]:
    """Return who can still be asked, best first, each with why: not who asked, and nobody a second time."""
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    need = needs.of_patient(session, clinic, "handoff", patient, clock.now())
    need = replace(need, language=handoff.language) if handoff.language else need
    team = escalation.team(session, clinic)
    choices = assign.there(need, team, assign.Rules.of(clinic.rules))
    wanted = order.Wanted(telling.reason_keys(handoff), need.language, need.panel, handoff.site)
    passed = _passed(session, handoff)
    ordered = order.ordered(choices, {member.id: member for member in team}, wanted, terms)
    return [choice for choice in ordered if choice.owner_id not in passed]


def _passed(session: Session, handoff: Handoff) -> set[UUID | None]:
    asked = session.scalars(select(HandoffOffer.staff_id).where(HandoffOffer.handoff_id == handoff.id))
    return {audit.Actor(handoff.requested_by).staff_id, *asked}


def open_ones(session: Session, handoff: Handoff) -> list[HandoffOffer]:
    """Return the offers that nobody has answered yet."""
    return [offer for offer in standing.offers(session, handoff) if offer.answer is None]


def ask_next(session: Session, handoff: Handoff, terms: Terms) -> None:
    """Take back what nobody has answered, and ask the next: as many at once as the clinic has decided."""
    for offer in open_ones(session, handoff):
        works_here = session.get_one(messaging.Staff, offer.staff_id).active
        offer.answer, offer.answered_at = SILENT if works_here else GONE, clock.now()
    session.flush()
    if not ask_whoever_is_there(session, handoff, terms):
        _nobody(session, handoff, standing.item_of(session, handoff), terms)


def ask_whoever_is_there(session: Session, handoff: Handoff, terms: Terms) -> bool:
    """Ask the next, if there is anybody; return whether there was."""
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    asked = [choice for choice in rota(session, clinic, handoff, terms)[: terms.at_once] if choice.owner_id]
    if not asked:
        return False
    item = standing.item_of(session, handoff)
    standing.move(session, handoff, "offer", terms)
    item.owner_id, item.reason = asked[0].owner_id, list(asked[0].why)
    _unclaim(item)
    # Escalation begins where the offers end; meanwhile each has its own deadline.
    items.set_clock(session, item, handoff.try_after + LATE)
    item.answer_by, item.notified_at = handoff.try_after, clock.now()
    for choice in asked:
        _offer(session, clinic, handoff, item, choice.owner_id)
    return True


def _offer(
    session: Session, clinic: messaging.Clinic, handoff: Handoff, item: InboxItem, staff_id: UUID | None
) -> None:
    staff = session.get_one(messaging.Staff, staff_id)
    number = len(standing.offers(session, handoff))
    session.add(HandoffOffer(clinic_id=clinic.id, handoff_id=handoff.id, staff_id=staff.id, offered_at=clock.now()))
    items.note_event(session, item, standing.SYSTEM, "offered", to=str(staff.id))
    standing.note(session, handoff, standing.SYSTEM, "offered", to=str(staff.id))
    # The inbox's name for an alert, so that one that fails makes its item escalate.
    alert = f"alert:{item.id}:offer{number}:{staff.id}"
    nudging.of_item(
        session, clinic, staff, item, "handoff", dedupe=alert, template=telling.staff_words("handoff_offer")
    )


def _nobody(session: Session, handoff: Handoff, item: InboxItem, terms: Terms) -> None:
    """Nobody is left: the item is everyone's at once, says what was tried, and escalates."""
    standing.move(session, handoff, "nobody", terms)
    tried = [offer.staff_id for offer in standing.offers(session, handoff)]
    item.owner_id, item.reason = None, [NOBODY]
    _unclaim(item)
    names = [session.get_one(messaging.Staff, staff_id).name for staff_id in tried]
    item.summary = telling.summary("handoff_nobody", handoff, names)
    items.note_event(session, item, standing.SYSTEM, "nobody_accepted", tried=[str(staff_id) for staff_id in tried])
    steps = select(Timer).where(Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting")
    for timer in session.scalars(steps):
        timer.try_after = min(timer.try_after, clock.now())
    queue.ring(session, "timers")
    standing.note(session, handoff, standing.SYSTEM, "nobody_accepted")


def somebody_comes(handoff: Handoff, item: InboxItem) -> None:
    """Let the item say no more that nobody has accepted."""
    if handoff.modality != "later":
        item.summary = telling.summary("handoff", handoff)
    if item.reason == [NOBODY]:
        item.reason = [CAME_FORWARD]


def _unclaim(item: InboxItem) -> None:
    """Let it be nobody's who was asked: a claim of theirs would be a yes."""
    item.state = "open" if item.state == "claimed" else item.state


def answered(session: Session, handoff: Handoff, staff: messaging.Staff, answer: str, why: str | None = None) -> bool:
    """Write down what a colleague answered, offered to or not; whether it had been offered to them and was open."""
    mine = [offer for offer in standing.offers(session, handoff) if offer.staff_id == staff.id]
    was_open = bool(mine) and mine[0].answer is None
    now = clock.now()
    if not mine:
        facts = {"clinic_id": handoff.clinic_id, "handoff_id": handoff.id, "staff_id": staff.id, "offered_at": now}
        session.add(HandoffOffer(**facts, answer=answer, why=why, answered_at=now))
    else:
        mine[0].answer, mine[0].why, mine[0].answered_at = answer, why, now
    return was_open


def close(session: Session, handoff: Handoff, answer: str) -> list[UUID]:
    """Close the offers that nobody has answered; return whose they were."""
    still = open_ones(session, handoff)
    for offer in still:
        offer.answer, offer.answered_at = answer, clock.now()
    session.flush()
    return [offer.staff_id for offer in still]


def take_back(session: Session, handoff: Handoff, answer: str) -> None:
    """Close what is open, and tell whoever was asked that they are not needed."""
    for staff_id in close(session, handoff, answer):
        telling.tell_asked(session, handoff, staff_id)
