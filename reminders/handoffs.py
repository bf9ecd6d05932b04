"""Warm handoffs: a patient who should meet the care team now is offered to colleagues until one accepts. Then the
patient is told, and the loop stays open until somebody says how it ended.

Nobody accepting is never silence: then the item is everyone's, and the inbox escalates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import models as messaging
from messaging.ehr_outbox import owing
from messaging.inbox import items
from reminders import agenda, unreached
from reminders.handoff import bringing, decision, machine, offers, standing, telling
from reminders.handoff.machine import NOW as NOW
from reminders.handoff.machine import NotOpen as NotOpen
from reminders.handoff.terms import Terms
from reminders.models import Appointment, Handoff
from reminders.rules import zones

# What the item says of each end, where a colleague closes it with the handoff.
SAID = {"met": "in_person", "left": "could_not_reach"}
# How long after the end words like HERE still belong to it.
STILL_MEANT = timedelta(hours=4)


@dataclass(frozen=True)
class Wishes:
    """What whoever asks may say: why (keys of telling.reasons) and in their own words, whether it is urgent,
    which language the colleague should speak where it is not the patient's own, and how they meet."""

    reasons: Sequence[str] = ()
    urgent: bool = False
    language: str | None = None
    note: str | None = None
    modality: str = "in_person"


class NotPossible(ValueError):
    """Nobody can be handed over: why, as a key (deceased | modality | video)."""


def request(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    *,
    requested_by: str,
    place: str | None = None,
    wishes: Wishes = Wishes(),
) -> Handoff:
    """Ask for someone to meet this patient; whoever asks is not asked. Raises NotPossible.

    `requested_by` is an actor ("staff:<id>"), `place` where they wait.
    """
    terms = decision.of_clinic(session, clinic)
    _check(patient, wishes, terms)
    handoff = _begin(session, clinic, patient, requested_by, place, wishes, terms)
    handoff.item_id = bringing.to_the_team(session, handoff, terms).id
    standing.note(session, handoff, requested_by, "requested")
    owing.owe(session, clinic.id, "handoff", handoff.id)
    if handoff.state == "referred":
        standing.plan(session, handoff, terms)
    else:
        offers.ask_next(session, handoff, terms)
    return handoff


def _check(patient: messaging.Patient, wishes: Wishes, terms: Terms) -> None:
    if patient.state == "deceased":
        raise NotPossible("deceased")
    if wishes.modality not in machine.MODALITIES:
        raise NotPossible("modality")
    if wishes.modality == "video" and not terms.video:
        raise NotPossible("video")


def _begin(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    requested_by: str,
    place: str | None,
    wishes: Wishes,
    terms: Terms,
) -> Handoff:
    now = clock.now()
    stays = now + timedelta(minutes=terms.stay)
    later = wishes.modality == "later"
    handoff = Handoff(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        patient_id=patient.id,
        requested_by=requested_by,
        place=place,
        site=_site(session, clinic, patient),
        reason=",".join(wishes.reasons) or None,
        note=wishes.note or None,
        urgent=wishes.urgent,
        language=wishes.language,
        modality=wishes.modality,
        state="referred" if later else "asked",
        state_at=now,
        requested_at=now,
        try_after=now,
        leaves_at=patient.here_until if patient.is_here(now) else stays,
        contact_by=now + terms.contact_time if later else None,
    )
    session.add(handoff)
    session.flush()
    return handoff


def _site(session: Session, clinic: messaging.Clinic, patient: messaging.Patient) -> str | None:
    """Where the books have their visit of today."""
    today = zones.to_local(clock.now(), zones.zone(clinic.zone)).date()
    begins, ends = unreached.span(clinic, today)
    visits = select(Appointment.place).where(
        Appointment.patient_id == patient.id,
        Appointment.starts_at >= begins,
        Appointment.starts_at < ends,
        Appointment.state.in_(agenda.STATES),
    )
    return session.scalar(visits.order_by(Appointment.starts_at).limit(1))


def accept(session: Session, handoff: Handoff, staff: messaging.Staff, minutes: int = 0) -> bool:
    """Take the handoff on, coming in so many minutes, and tell the patient; return whether they know, or are there.

    Whoever it is offered to may accept it, and any other colleague of the clinic; accepting twice is accepting once.
    A patient who is there already, as somebody who had accepted cannot come after all, is told nothing more.
    Raises NotOpen if someone else has.
    """
    standing.lock(session, handoff)
    if handoff.colleague_id == staff.id and handoff.state in machine.TAKEN_ON:
        return handoff.state != "accepted"
    if handoff.state not in machine.WAITING or not staff.active:
        raise NotOpen(handoff.state)
    terms, item, now = _terms(session, handoff), standing.item_of(session, handoff), clock.now()
    offers.answered(session, handoff, staff, "accepted")
    handoff.colleague_id, handoff.accepted_at = staff.id, now
    handoff.start_at = now + timedelta(minutes=minutes)
    standing.move(session, handoff, "accept", terms)
    offers.take_back(session, handoff, offers.TAKEN)
    offers.somebody_comes(handoff, item)
    items.claim(session, item, staff)
    items.acknowledge(session, item, staff, "handled")
    standing.note(session, handoff, audit.Actor.staff(staff.id), "accepted", minutes=str(minutes))
    if handoff.arrived_at is not None:
        standing.move(session, handoff, "arrive", terms)
        return True
    if telling.tell_patient(session, handoff, item, terms):
        standing.move(session, handoff, "tell", terms)
        return True
    bringing.walk_with_them(session, handoff)
    return False


def decline(session: Session, handoff: Handoff, staff: messaging.Staff, why: str | None = None) -> None:
    """Pass the handoff on: where nobody else is being asked, the next is at once. Raises NotOpen once it is accepted.

    `why` is a key of telling.declines.
    """
    standing.lock(session, handoff)
    if handoff.state not in machine.WAITING:
        raise NotOpen(handoff.state)
    standing.note(session, handoff, audit.Actor.staff(staff.id), "declined", why=why)
    was_asked = offers.answered(session, handoff, staff, "declined", why)
    session.flush()
    if was_asked and not offers.open_ones(session, handoff):
        offers.ask_next(session, handoff, _terms(session, handoff))


def release(session: Session, handoff: Handoff, actor: str) -> None:
    """Whoever is coming cannot come after all: the next is asked at once. Raises NotOpen where nobody is coming.

    Who is where they are expected stays so; whoever waits in a video room, or at the phone, waits in another's now.
    """
    standing.lock(session, handoff)
    terms, item = _terms(session, handoff), standing.item_of(session, handoff)
    standing.move(session, handoff, "release", terms)
    gone = session.get(messaging.Staff, handoff.colleague_id) if handoff.colleague_id else None
    if gone is not None:
        offers.answered(session, handoff, gone, offers.RELEASED)
    bringing.settle(session, handoff, actor)
    handoff.colleague_id, handoff.start_at, handoff.accepted_at = None, None, None
    handoff.arrived_at = handoff.arrived_at if handoff.modality == "in_person" else None
    bringing.back_to_the_team(session, item)
    standing.note(session, handoff, actor, "released")
    offers.ask_next(session, handoff, terms)


def arrive(session: Session, handoff: Handoff, actor: str) -> bool:
    """The patient is where they are expected, or has opened the video; whoever comes hears of it. False if not new.

    While the next is asked, as whoever was coming cannot, it is kept for whoever accepts.
    """
    standing.lock(session, handoff)
    asking = _asks_the_next(handoff)
    if not asking and handoff.state not in machine.COMING:
        return False
    handoff.arrived_at = clock.now()
    standing.note(session, handoff, actor, "arrived")
    who: list[UUID | None] = [offer.staff_id for offer in offers.open_ones(session, handoff)]
    if not asking:
        standing.move(session, handoff, "arrive", _terms(session, handoff))
        bringing.settle(session, handoff, actor)
        who = [handoff.colleague_id]
    for staff_id in who:
        telling.tell_colleague(session, handoff, staff_id, actor, "handoff_is_here")
    return True


def _asks_the_next(handoff: Handoff) -> bool:
    """Whether somebody who had accepted cannot come, and the patient, who was told of them, may be there by now."""
    told = handoff.told_at is not None and handoff.modality == "in_person"
    return told and handoff.state in machine.WAITING and handoff.arrived_at is None


def end(session: Session, handoff: Handoff, actor: str, outcome: str, visit: Appointment | None = None) -> bool:
    """Say how it ended (machine.OUTCOMES): the loop is closed, and the requester hears of it. False if not new.

    `visit` is the follow-up that was booked.
    """
    standing.lock(session, handoff)
    if handoff.state in machine.ENDED:
        return False
    terms, now = _terms(session, handoff), clock.now()
    handoff.contact_by = now + terms.contact_time if outcome in machine.OWED_CONTACT else None
    standing.move(session, handoff, outcome, terms)
    handoff.outcome, handoff.ended_at = outcome, now
    handoff.met_at = now if outcome == "met" else handoff.met_at
    handoff.visit_id = visit.id if visit is not None else None
    standing.note(session, handoff, actor, outcome)
    offers.take_back(session, handoff, offers.WITHDRAWN)
    staff = telling.colleague(session, actor)
    if staff is not None:
        bringing.close_all(session, handoff, staff, SAID.get(outcome, "handled"))
    telling.tell_requester(session, handoff, actor, f"handoff_{outcome}")
    return True


def cancel(session: Session, handoff: Handoff, staff: messaging.Staff) -> None:
    """Take one's own request back; whoever was asked or is coming is told. Raises NotOpen once it has ended.

    Raises PermissionError for anybody but who asked.
    """
    if handoff.requested_by != audit.Actor.staff(staff.id):
        raise PermissionError("only who asked may take it back")
    standing.lock(session, handoff)
    standing.move(session, handoff, "cancelled", _terms(session, handoff))
    handoff.outcome, handoff.ended_at = "cancelled", clock.now()
    standing.note(session, handoff, audit.Actor.staff(staff.id), "cancelled")
    offers.take_back(session, handoff, offers.WITHDRAWN)
    bringing.close_all(session, handoff, staff, "handled")
    telling.tell_colleague(session, handoff, handoff.colleague_id, audit.Actor.staff(staff.id), "handoff_cancelled")


def under_way(session: Session, patient: messaging.Patient, *, later: bool) -> bool:
    """Whether somebody has been asked for this patient already and it has not ended: now, or for another day."""
    states = ("referred",) if later else NOW
    rows = select(Handoff.id).where(Handoff.patient_id == patient.id, Handoff.state.in_(states))
    return session.scalar(rows.limit(1)) is not None


def meant(session: Session, patient: messaging.Patient) -> Handoff | None:
    """Return the handoff that a patient speaks of who says that they are here: the one they were told of."""
    told = select(Handoff).where(
        Handoff.patient_id == patient.id,
        Handoff.told_at > clock.now() - STILL_MEANT,
        Handoff.modality == "in_person",
    )
    return session.scalar(told.order_by(Handoff.requested_at.desc()).limit(1))


def expected(session: Session, patient: messaging.Patient) -> Handoff | None:
    """Return the handoff in person that a colleague has taken on and the patient has not come to."""
    coming = select(Handoff).where(
        Handoff.patient_id == patient.id, Handoff.state.in_(machine.COMING), Handoff.modality == "in_person"
    )
    return session.scalar(coming.order_by(Handoff.requested_at.desc()).limit(1))


def _terms(session: Session, handoff: Handoff) -> Terms:
    return decision.of_clinic(session, session.get_one(messaging.Clinic, handoff.clinic_id))
