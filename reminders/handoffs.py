"""Warm handoffs: a patient in the building is offered to one colleague after the other, by the clinic's own rules about
who gets what and the order behind them, until one accepts.

The patient is told only after a human has accepted. Nobody accepting is never silence: then the item is everyone's,
and the inbox escalates.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys, queue, runtime
from messaging import models as messaging
from messaging import outbox
from messaging.inbox import escalation, items, needs
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.routing import assign
from messaging.wording import clinic_words, text_templates
from reminders import phrasing, talking
from reminders.models import Handoff

OFFER_MINUTES = 3
DUE = and_(Handoff.state == "requested", Handoff.offered_to.is_not(None))
ENDED = ("arrived", "not_arrived", "declined")


# Somebody stands in the building: whoever is talking with them decides this soon, or the text goes.
TOLD_WITHIN = timedelta(minutes=2)


class NotOpen(Exception):
    """The handoff is not in a state for this: somebody else has accepted it, or it has ended."""


def request(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    *,
    requested_by: str,
    place: str | None = None,
) -> Handoff:
    """Ask for someone to meet this patient now. `requested_by` is an actor ("staff:<id>"), `place` where they wait."""
    now = clock.now()
    handoff = Handoff(
        clinic_id=clinic.id,
        patient_id=patient.id,
        requested_by=requested_by,
        place=place,
        state="requested",
        tried=[],
        requested_at=now,
        try_after=now,
    )
    session.add(handoff)
    session.flush()
    rota = _rota(session, clinic, patient)
    item = items.open_item(
        session,
        clinic,
        kind="handoff",
        about=f"handoff:{handoff.id}",
        dedupe=f"handoff:{handoff.id}",
        summary=_summary("handoff", place),
        patient_id=patient.id,
        owner_id=rota[0].owner_id if rota else None,
        reason=rota[0].why if rota else (),
        # Escalation begins where the rota ends; meanwhile each offer has its own deadline.
        answer_by=now + _patience(clinic) * len(rota) if rota else None,
    )
    handoff.item_id = item.id
    _note(session, handoff, requested_by, "requested")
    _offer(session, clinic, handoff, item, rota)
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
    return _tell_patient(session, handoff, item)


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


def _rota(session: Session, clinic: messaging.Clinic, patient: messaging.Patient) -> list[assign.Choice]:
    """Whom to ask, best first, each with why: the order of any item, of those who are there and can be texted."""
    need = needs.of_patient(session, clinic, "handoff", patient, clock.now())
    return assign.there(need, escalation.team(session, clinic), assign.Rules.of(clinic.rules))


def _patience(clinic: messaging.Clinic) -> timedelta:
    return timedelta(minutes=float(clinic.rules.get("handoff_minutes", OFFER_MINUTES)))


def _next(session: Session, handoff: Handoff) -> None:
    """Take the offer back from whoever has it, and make it to the next who has not been asked."""
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    item = session.get_one(InboxItem, handoff.item_id)
    if handoff.offered_to and str(handoff.offered_to) not in handoff.tried:
        handoff.tried = [*handoff.tried, str(handoff.offered_to)]
    rota = [choice for choice in _rota(session, clinic, patient) if str(choice.owner_id) not in handoff.tried]
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
    handoff.offered_to, handoff.try_after = staff.id, now + _patience(clinic)
    item.owner_id, item.answer_by, item.notified_at = staff.id, handoff.try_after, now
    item.reason = list(rota[0].why)
    items.note_event(session, item, audit.Actor.system("handoffs"), "offered", to=str(staff.id))
    _note(session, handoff, audit.Actor.system("handoffs"), "offered", to=str(staff.id))
    # The inbox's name for an alert, so that one that fails makes its item escalate.
    alert = f"alert:{item.id}:offer{len(handoff.tried)}:{staff.id}"
    outbox.text_staff(session, clinic, staff, body=_staff_text("staff_handoff", item), dedupe=alert)


def _place(handoff: Handoff) -> str | None:
    try:
        return handoff.place
    except keys.WrongKey:  # somebody waits all the same
        return None


def _nobody(session: Session, handoff: Handoff, item: InboxItem) -> None:
    """The rota is at its end: the item is everyone's, says so, and it escalates."""
    handoff.offered_to = None
    item.owner_id, item.reason = None, ["nobody"]
    item.summary = _summary("handoff_nobody", _place(handoff))
    items.note_event(session, item, audit.Actor.system("handoffs"), "nobody_accepted")
    steps = select(Timer).where(Timer.item_id == item.id, Timer.kind == "escalate", Timer.state == "waiting")
    for timer in session.scalars(steps):
        timer.try_after = min(timer.try_after, clock.now())
    queue.ring(session, "timers")
    _note(session, handoff, audit.Actor.system("handoffs"), "nobody_accepted")


def _tell_patient(session: Session, handoff: Handoff, item: InboxItem) -> bool:
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    variables = phrasing.about_clinic(clinic, patient) | phrasing.place_of(clinic, handoff.place)
    key = "handoff_ready" if "place" in variables else "handoff_soon"
    talks = talking.of_patient(session, clinic, patient, clock.now())
    try:
        message = outbox.text_patient(
            session,
            clinic,
            patient,
            kind="handoff",
            programme="care_team",
            body=phrasing.say(clinic_words.of(session, clinic.id), key, patient, variables),
            dedupe=f"handoff:{handoff.id}",
            lane="urgent",
            offered_until=talks.offered_until(patient, None, TOLD_WITHIN),
        )
    except outbox.MayNotText as refused:
        words = phrasing.texts("en")["staff"]["handoff_in_person"]
        item.summary = words.format(why=items.why_not(refused.reason))
        return False
    handoff.state, handoff.told_at, handoff.message_id = "told", clock.now(), message.id
    return True


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
    staff = _staff(session, actor) or owner
    if staff is not None:
        items.resolve(session, item, staff, disposition)
    _tell_requester(session, handoff, item, actor)


def _tell_requester(session: Session, handoff: Handoff, item: InboxItem, actor: str) -> None:
    staff = _staff(session, handoff.requested_by)
    if staff is None or actor == handoff.requested_by:
        return
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    body = text_templates.render(phrasing.texts("en")["staff"][f"handoff_{handoff.state}"], {"link": _link(item)})
    outbox.text_staff(session, clinic, staff, body=body, dedupe=f"alert:{item.id}:ended:{staff.id}")


def _staff(session: Session, actor: str) -> messaging.Staff | None:
    staff_id = audit.Actor(actor).staff_id
    return session.get(messaging.Staff, staff_id) if staff_id else None


def _lock(session: Session, handoff: Handoff) -> None:
    # Two colleagues who accept at the same moment take turns here, and the second sees the first.
    session.flush()
    session.refresh(handoff, with_for_update=True)


def _summary(key: str, place: str | None) -> str:
    words = phrasing.texts("en")["staff"]
    return str(words[f"{key}_at"].format(place=place) if place else words[key])


def _staff_text(key: str, item: InboxItem) -> str:
    return text_templates.render(text_templates.texts("en")[key], {"link": _link(item)})


def _link(item: InboxItem) -> str:
    return f"{runtime.settings().public_url}/inbox/{item.id}"


def _note(session: Session, handoff: Handoff, actor: str, act: str, **detail: str) -> None:
    audit.record(session, handoff.clinic_id, actor, f"handoff.{act}", f"handoff:{handoff.id}", **detail)
