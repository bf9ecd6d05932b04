"""The lane of handoffs: what follows when the time of a step has come, read again from the rows each time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging import models as messaging
from messaging.inbox.models import Contact, InboxItem
from reminders import handoffs
from reminders.handoff import bringing, decision, machine, offers, standing, telling
from reminders.handoff.terms import Terms
from reminders.models import Appointment, Handoff

DUE = Handoff.follows.is_not(None)
# What was said of its item in the inbox, where somebody closed it there: they did not meet, else they did.
NOT_MET = ("could_not_reach", "wrong_person")


def drain() -> int:
    """Work the lane off."""
    return db.work_off(Handoff, DUE, follow, give_up=give_up, batch=50)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest step that is due waits."""
    return db.oldest(session, Handoff, DUE, now)


def follow(session: Session, rows: Sequence[Handoff]) -> None:
    """Do what is due for each of these, unless somebody has acted meanwhile."""
    for handoff in rows:
        if handoff.follows is None or handoff.try_after > clock.now():
            continue  # answered between the claim and now
        clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
        terms = decision.of_clinic(session, clinic)
        settled = _settled(session, handoff)
        step = machine.follows(standing.of(handoff), terms)
        if settled or step is None or step.at > clock.now():
            standing.plan(session, handoff, terms)
        else:
            _STEPS[step.follows](session, handoff, step, terms)


def _settled(session: Session, handoff: Handoff) -> bool:
    """Take over what somebody has done in the inbox instead of here; whether that was anything."""
    if handoff.state in machine.ENDED or handoff.item_id is None:
        return False
    standing.hold_items(session, handoff)
    item = standing.item_of(session, handoff)
    if item.state == "done" and (handoff.state != "referred" or item.disposition == "in_person"):
        _closed(session, handoff, item)
        return True
    owner = session.get(messaging.Staff, item.owner_id) if item.owner_id else None
    if handoff.state in machine.WAITING and item.state == "claimed" and owner is not None and owner.active:
        handoffs.accept(session, handoff, owner)  # somebody has made it their own in the inbox: that is a yes
        return True
    return _gone(session, handoff)


def _closed(session: Session, handoff: Handoff, item: InboxItem) -> None:
    """Its item was closed in the inbox: before anybody was coming it is taken back, after that it is how it ended.

    Of a referral that is only said of who has met them: else it still waits for a first contact.
    """
    actor = audit.Actor.staff(item.done_by) if item.done_by else standing.SYSTEM
    if handoff.state in machine.WAITING and item.disposition not in ("in_person", *NOT_MET):
        handoffs.end(session, handoff, actor, "cancelled")
        return
    handoffs.end(session, handoff, actor, "left" if item.disposition in NOT_MET else "met")


def _gone(session: Session, handoff: Handoff) -> bool:
    """Ask the next where whoever is coming, or whoever was asked, does not work here any more."""
    coming = session.get(messaging.Staff, handoff.colleague_id) if handoff.colleague_id else None
    # Who has been asked how it ended is no longer awaited; until then the patient sits there and nobody may come.
    awaited = handoff.state in machine.COMING or (handoff.state == "arrived" and handoff.stage == 0)
    if awaited and coming is not None and not coming.active:
        handoffs.release(session, handoff, standing.SYSTEM)
        return True
    asked = [session.get_one(messaging.Staff, offer.staff_id) for offer in offers.open_ones(session, handoff)]
    if handoff.state == "offered" and not any(staff.active for staff in asked):
        clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
        offers.ask_next(session, handoff, decision.of_clinic(session, clinic))
        return True
    return False


def _next(session: Session, handoff: Handoff, _step: machine.Step, terms: Terms) -> None:
    offers.ask_next(session, handoff, terms)


def _look(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    if not offers.ask_whoever_is_there(session, handoff, terms):
        standing.ran_out(session, handoff, step, terms)


def _nudge(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    """They are not there: both colleagues hear of it, and the patient reads one kind text."""
    standing.ran_out(session, handoff, step, terms)
    # Who has written is not told to take their time: somebody answers what they have said.
    silent = not standing.unread_words(session, [handoff])
    if handoff.told_at is not None and silent and telling.say_more(session, handoff, "handoff_nudge", terms):
        handoff.nudged_at = clock.now()
    telling.tell_requester(session, handoff, standing.SYSTEM, "handoff_not_there")
    telling.tell_colleague(session, handoff, handoff.colleague_id, standing.SYSTEM, "handoff_not_there")
    standing.note(session, handoff, standing.SYSTEM, "not_there")


def _warn(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    bringing.before_they_leave(session, handoff)
    standing.ran_out(session, handoff, step, terms)
    standing.note(session, handoff, standing.SYSTEM, "before_leaving")


def _lose(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    """They may have left without having met anybody: counted as lost, and a human is asked to call."""
    handoff.contact_by = clock.now() + terms.contact_time
    standing.ran_out(session, handoff, step, terms)
    handoff.outcome, handoff.ended_at = "lost", clock.now()
    standing.note(session, handoff, standing.SYSTEM, "lost")
    bringing.settle(session, handoff, standing.SYSTEM, keep=bringing.lost(session, handoff))
    telling.tell_requester(session, handoff, standing.SYSTEM, "handoff_lost")


def _call(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    """They did not come to the video: the colleague calls instead, and the patient reads so."""
    standing.ran_out(session, handoff, step, terms)
    telling.say_more(session, handoff, "handoff_call_instead", terms)
    bringing.call_instead(session, handoff)
    standing.note(session, handoff, standing.SYSTEM, "call_instead")


def _ask(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    bringing.how_it_ended(session, handoff)
    standing.ran_out(session, handoff, step, terms)
    standing.note(session, handoff, standing.SYSTEM, "how_it_ended")


def _contact(session: Session, handoff: Handoff, step: machine.Step, terms: Terms) -> None:
    """See whether anybody was in touch since; if nobody was, somebody is asked to. A referral has ended with that."""
    referral = handoff.state == "referred"
    since = handoff.ended_at or handoff.requested_at
    handoff.contact_at = first_contact(session, handoff, since)
    if handoff.contact_at is None:
        bringing.without_contact(session, handoff)
        standing.note(session, handoff, standing.SYSTEM, "no_contact")
    if referral and handoff.contact_at is not None:
        standing.move(session, handoff, "contact", terms)
        telling.tell_requester(session, handoff, standing.SYSTEM, "handoff_contacted")
    else:
        standing.ran_out(session, handoff, step, terms)
    if referral:
        handoff.outcome, handoff.ended_at = handoff.state, clock.now()


def first_contact(session: Session, handoff: Handoff, since: datetime) -> datetime | None:
    """Return when a colleague first reached this patient after `since`: by text, by a call, or at a visit."""
    patient_id = handoff.patient_id
    text, call, visit = messaging.Message, Contact, Appointment
    moments = (
        select(text.created_at).where(
            text.patient_id == patient_id, text.direction == "out", text.author_id.is_not(None),
            text.created_at > since, text.state.not_in(telling.NOT_REACHED),
        ).order_by(text.created_at),
        select(call.at).where(
            call.patient_id == patient_id, call.kind == "call", call.at > since, call.struck_at.is_(None),
            call.outcome == "reached",
        ).order_by(call.at),
        select(visit.arrived_at).where(visit.patient_id == patient_id, visit.arrived_at > since)
        .order_by(visit.arrived_at),
    )  # fmt: skip
    firsts = [at for rows in moments if (at := session.scalar(rows.limit(1))) is not None]
    return min(firsts, default=None)


_STEPS: Mapping[str, Callable[[Session, Handoff, machine.Step, Terms], None]] = {
    "next": _next,
    "look": _look,
    "nudge": _nudge,
    "warn": _warn,
    "lose": _lose,
    "call": _call,
    "ask": _ask,
    "contact": _contact,
}


def give_up(session: Session, handoff: Handoff) -> None:
    """What cannot be worked on rests with a human: its item is everyone's, and escalates."""
    handoff.follows = None
    if handoff.item_id is None:
        return
    standing.hold_items(session, handoff)
    item = standing.item_of(session, handoff)
    if item.state != "done":
        bringing.back_to_the_team(session, item)
    else:
        bringing.lost(session, handoff)
