"""Warm handoffs: a patient in the building is offered to one colleague after the other, by the clinic's own rules about
who gets what and the order behind them, until one accepts.

The patient is told only after a human has accepted. Nobody accepting is never silence: then the item is everyone's,
and the inbox escalates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db, queue
from messaging import models as messaging
from messaging.inbox import escalation, items, needs
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.routing import assign
from messaging.inbox.staff import nudging
from reminders import handoff_texts
from reminders.models import Handoff

OFFER_MINUTES = 3
# An urgent one waits for an answer no longer than this before the next colleague is asked.
URGENT = timedelta(minutes=1)
OPEN = ("requested", "accepted", "told")
DUE = and_(Handoff.state == "requested", Handoff.offered_to.is_not(None))
ENDED = ("arrived", "not_arrived", "declined", "cancelled")


class NotOpen(Exception):
    """The handoff is not in a state for this: somebody else has accepted it, or it has ended."""


@dataclass(frozen=True)
class Wishes:
    """What whoever asks may say: why (a key of handoff_texts.reasons), whether it is urgent, and which language the
    colleague should speak where it is not the patient's own."""

    reason: str | None = None
    urgent: bool = False
    language: str | None = None


def request(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    *,
    requested_by: str,
    place: str | None = None,
    wishes: Wishes = Wishes(),
) -> Handoff:
    """Ask for someone to meet this patient now; whoever asks is not asked.

    `requested_by` is an actor ("staff:<id>"), `place` where they wait.
    """
    handoff = _begin(session, clinic, patient, requested_by, place, wishes)
    rota = _rota(session, clinic, patient, handoff)
    item = items.open_item(
        session,
        clinic,
        kind="handoff",
        about=f"handoff:{handoff.id}",
        dedupe=f"handoff:{handoff.id}",
        summary=handoff_texts.summary("handoff", handoff),
        patient_id=patient.id,
        owner_id=rota[0].owner_id if rota else None,
        reason=rota[0].why if rota else (),
        # Escalation begins where the rota ends; meanwhile each offer has its own deadline.
        answer_by=handoff.requested_at + _patience(clinic, handoff) * len(rota) if rota else None,
    )
    handoff.item_id = item.id
    _note(session, handoff, requested_by, "requested")
    _offer(session, clinic, handoff, item, rota)
    return handoff


def _begin(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    requested_by: str,
    place: str | None,
    wishes: Wishes,
) -> Handoff:
    now = clock.now()
    handoff = Handoff(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        patient_id=patient.id,
        requested_by=requested_by,
        place=place,
        reason=wishes.reason,
        urgent=wishes.urgent,
        language=wishes.language,
        state="requested",
        tried=[],
        requested_at=now,
        try_after=now,
    )
    session.add(handoff)
    session.flush()
    return handoff


def accept(session: Session, handoff: Handoff, staff: messaging.Staff) -> bool:
    """Take the handoff on, and tell the patient; return whether the patient could be texted.

    Whoever it is offered to may accept it, and any other colleague of the clinic. Raises NotOpen if someone has.
    """
    _lock(session, handoff)
    if handoff.state != "requested":
        raise NotOpen(handoff.state)
    now = clock.now()
    handoff.state, handoff.accepted_at, handoff.offered_to = "accepted", now, staff.id
    item = session.get_one(InboxItem, handoff.item_id)
    items.claim(session, item, staff)
    items.acknowledge(session, item, staff, "handled")
    _note(session, handoff, audit.Actor.staff(staff.id), "accepted")
    return handoff_texts.tell_patient(session, handoff, item)


def decline(session: Session, handoff: Handoff, staff: messaging.Staff) -> None:
    """Pass the handoff on: it is offered to the next at once. Raises NotOpen once someone has accepted."""
    _lock(session, handoff)
    if handoff.state != "requested":
        raise NotOpen(handoff.state)
    _note(session, handoff, audit.Actor.staff(staff.id), "declined")
    if staff.id == handoff.offered_to:
        _next(session, handoff)
    elif str(staff.id) not in handoff.tried:
        handoff.tried = [*handoff.tried, str(staff.id)]


def arrived(session: Session, handoff: Handoff, actor: str) -> None:
    """The patient and the care team have met: the loop is closed, and the requester hears of it."""
    _end(session, handoff, actor, "arrived", "in_person")


def not_arrived(session: Session, handoff: Handoff, actor: str) -> None:
    """The patient did not come: the loop is closed all the same, and the requester hears of it."""
    _end(session, handoff, actor, "not_arrived", "could_not_reach")


def cancel(session: Session, handoff: Handoff, staff: messaging.Staff) -> None:
    """Take one's own request back; whoever was asked or is coming is told. Raises NotOpen once it has ended.

    Raises PermissionError for anybody but who asked.
    """
    if handoff.requested_by != audit.Actor.staff(staff.id):
        raise PermissionError("only who asked may take it back")
    _lock(session, handoff)
    if handoff.state not in OPEN:
        raise NotOpen(handoff.state)
    handoff.state, handoff.outcome, handoff.ended_at = "cancelled", "cancelled", clock.now()
    _note(session, handoff, audit.Actor.staff(staff.id), "cancelled")
    item = session.get_one(InboxItem, handoff.item_id)
    items.resolve(session, item, staff, "handled")
    handoff_texts.tell_asked(session, handoff, item)


def drain() -> int:
    """Move on the offers that nobody has answered in time."""
    return db.work_off(Handoff, DUE, move_on, give_up=give_up, batch=50)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest unanswered offer is over."""
    return session.scalar(
        select(func.min(Handoff.try_after)).where(
            DUE, Handoff.try_after <= now, or_(Handoff.lease_until.is_(None), Handoff.lease_until <= now)
        )
    )


def move_on(session: Session, handoffs: Sequence[Handoff]) -> None:
    """Offer each of these to the next on the rota, unless someone has taken or closed its item meanwhile."""
    for handoff in handoffs:
        if handoff.state != "requested" or handoff.offered_to is None or handoff.try_after > clock.now():
            continue  # answered between the claim and now
        item = session.get_one(InboxItem, handoff.item_id, with_for_update=True, populate_existing=True)
        if item.state == "done":
            handoff.state, handoff.outcome = "declined", "closed in the inbox"
            handoff.ended_at, handoff.offered_to = clock.now(), None
            _note(session, handoff, audit.Actor.system("handoffs"), "closed")
        elif item.state == "claimed" and item.owner_id:
            # Somebody has made it their own in the inbox: that is a yes.
            accept(session, handoff, session.get_one(messaging.Staff, item.owner_id))
        else:
            _next(session, handoff)


def give_up(session: Session, handoff: Handoff) -> None:
    """An offer that cannot be moved on becomes everyone's."""
    handoff.offered_to = None
    if handoff.item_id:
        _nobody(session, handoff, session.get_one(InboxItem, handoff.item_id))


def _rota(
    session: Session, clinic: messaging.Clinic, patient: messaging.Patient, handoff: Handoff
) -> list[assign.Choice]:
    """Whom to ask, best first, each with why: the order of any item, of those who are there and can be texted."""
    need = needs.of_patient(session, clinic, "handoff", patient, clock.now())
    if handoff.language:
        need = replace(need, language=handoff.language)
    asker = audit.Actor(handoff.requested_by).staff_id
    rota = assign.there(need, escalation.team(session, clinic), assign.Rules.of(clinic.rules))
    return [choice for choice in rota if choice.owner_id != asker]


def _patience(clinic: messaging.Clinic, handoff: Handoff) -> timedelta:
    usual = timedelta(minutes=float(clinic.rules.get("handoff_minutes", OFFER_MINUTES)))
    return min(usual, URGENT) if handoff.urgent else usual


def _next(session: Session, handoff: Handoff) -> None:
    """Take the offer back from whoever has it, and make it to the next who has not been asked."""
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    item = session.get_one(InboxItem, handoff.item_id)
    if handoff.offered_to and str(handoff.offered_to) not in handoff.tried:
        handoff.tried = [*handoff.tried, str(handoff.offered_to)]
    rota = _rota(session, clinic, patient, handoff)
    rota = [choice for choice in rota if str(choice.owner_id) not in handoff.tried]
    _offer(session, clinic, handoff, item, rota)


def _offer(
    session: Session,
    clinic: messaging.Clinic,
    handoff: Handoff,
    item: InboxItem,
    rota: Sequence[assign.Choice],
) -> None:
    if not rota:
        _nobody(session, handoff, item)
        return
    now, staff = clock.now(), session.get_one(messaging.Staff, rota[0].owner_id)
    handoff.offered_to, handoff.try_after = staff.id, now + _patience(clinic, handoff)
    item.owner_id, item.answer_by, item.notified_at = staff.id, handoff.try_after, now
    item.reason = list(rota[0].why)
    items.note_event(session, item, audit.Actor.system("handoffs"), "offered", to=str(staff.id))
    _note(session, handoff, audit.Actor.system("handoffs"), "offered", to=str(staff.id))
    # The inbox's name for an alert, so that one that fails makes its item escalate.
    alert = f"alert:{item.id}:offer{len(handoff.tried)}:{staff.id}"
    nudging.of_item(session, clinic, staff, item, "handoff", dedupe=alert)


def _nobody(session: Session, handoff: Handoff, item: InboxItem) -> None:
    """The rota is at its end: the item is everyone's, says so, and it escalates."""
    handoff.offered_to = None
    item.owner_id, item.reason = None, ["nobody"]
    item.summary = handoff_texts.summary("handoff_nobody", handoff)
    items.note_event(session, item, audit.Actor.system("handoffs"), "nobody_accepted")
    steps = select(Timer).where(Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting")
    for timer in session.scalars(steps):
        timer.try_after = min(timer.try_after, clock.now())
    queue.ring(session, "timers")
    _note(session, handoff, audit.Actor.system("handoffs"), "nobody_accepted")


def _end(session: Session, handoff: Handoff, actor: str, state: str, disposition: str) -> None:
    _lock(session, handoff)
    if handoff.state in ENDED:
        return
    now = clock.now()
    handoff.state, handoff.outcome, handoff.ended_at = state, state, now
    handoff.arrived_at = now if state == "arrived" else None
    _note(session, handoff, actor, state)
    item = session.get_one(InboxItem, handoff.item_id)
    owner = session.get(messaging.Staff, handoff.offered_to) if handoff.offered_to else None
    staff = handoff_texts.colleague(session, actor) or owner
    if staff is not None:
        items.resolve(session, item, staff, disposition)
    handoff_texts.tell_requester(session, handoff, item, actor)


def _lock(session: Session, handoff: Handoff) -> None:
    # Two colleagues who accept at the same moment take turns here, and the second sees the first.
    session.flush()
    session.refresh(handoff, with_for_update=True)


def _note(session: Session, handoff: Handoff, actor: str, act: str, **detail: str) -> None:
    audit.record(session, handoff.clinic_id, actor, f"handoff.{act}", f"handoff:{handoff.id}", **detail)
