"""What a patient's answer does to a visit: which visit is meant, what changes, and what a human must see."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import conversations, outbox
from messaging import models as messaging
from messaging.inbox import items
from messaging.people import directory
from messaging.reading import read_reply
from messaging.wording import clinic_words
from reminders import appointments, phrasing, same_moment, withdrawing
from reminders.models import Appointment
from reminders.sending import composing


@dataclass(frozen=True)
class Outcome:
    """What became of an answer. Unless `handled`, a human reads the text; `reply_key` names the text that answers it.

    `day_ends` is when the day that `variables` may name becomes another (see phrasing.day_ends).
    """

    handled: bool
    reply_key: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    day_ends: datetime | None = None


A_HUMAN = Outcome(False)
# These answers make an item about their text, so that a human reads all of it anyway.
SEEN_BY_A_HUMAN = ("change", "late", "wrong_person")
# Whoever says Y again on another day is thanked again.
JUST_THANKED = timedelta(hours=12)


@dataclass(frozen=True)
class _Answer:
    """An inbound text from one known patient, and what was read in it."""

    session: Session
    clinic: messaging.Clinic
    conversation: messaging.Conversation
    patient: messaging.Patient
    reading: read_reply.Reading
    message: messaging.Message
    now: datetime

    @property
    def actor(self) -> str:
        return audit.Actor.patient(self.patient.id)


def understand(
    session: Session,
    clinic: messaging.Clinic,
    conversation: messaging.Conversation,
    patient: messaging.Patient | None,
    reading: read_reply.Reading,
    message: messaging.Message,
) -> Outcome:
    """Do what the answer says, if it is clear who says it of which visit; else leave it to a human.

    Words beyond the answer are a human's too: then the answer is done, and `handled` is False all the same, unless it
    has made an item of its own. A text read as a crisis is never handled here.
    """
    if reading.crisis or reading.answer is None or patient is None:
        return A_HUMAN
    given = _Answer(session, clinic, conversation, patient, reading, message, clock.now())
    if reading.consent == "stop":
        return _stopped(given)
    outcome = _ANSWERS[reading.answer](given)
    seen = outcome.handled and (reading.answer in SEEN_BY_A_HUMAN or not reading.content)
    return replace(outcome, handled=seen)


def body(session: Session, outcome: Outcome, patient: messaging.Patient) -> str | None:
    """Return the text that answers, in the patient's language and as open as the patient wants; None if there is none."""
    if outcome.reply_key is None:
        return None
    own = clinic_words.of(session, patient.clinic_id)
    return phrasing.say(own, outcome.reply_key, patient, outcome.variables)


def until(session: Session, outcome: Outcome, patient: messaging.Patient) -> datetime | None:
    """Return until when the text that answers names the day rightly, None where it names none."""
    if outcome.reply_key is None:
        return None
    own = clinic_words.of(session, patient.clinic_id)
    return phrasing.said_until(own, outcome.reply_key, patient, outcome.variables, outcome.day_ends)


def quiet(
    session: Session,
    clinic: messaging.Clinic,
    conversation: messaging.Conversation,
    patient: messaging.Patient,
    reading: read_reply.Reading,
    message: messaging.Message,
) -> bool:
    """Text no more about the one visit that "not about this visit" can mean; False where it is not certain which."""
    given = _Answer(session, clinic, conversation, patient, reading, message, clock.now())
    visit = _meant(given, "confirmed", "change_asked")
    if visit is not None:
        withdrawing.quiet(session, visit, given.actor)
    return visit is not None


def _confirm(given: _Answer) -> Outcome:
    visit = _meant(given, "confirmed")
    if visit is None:
        return A_HUMAN
    if visit.confirmed_at is not None and given.now - visit.confirmed_at < JUST_THANKED:
        return Outcome(True)  # a thumbs-up to our thank-you is no second answer
    appointments.confirm(given.session, visit, given.actor)
    return _reply(given, "confirmed", visit)


def _change(given: _Answer) -> Outcome:
    visit = _meant(given, "confirmed", "change_asked")
    if visit is None:
        return A_HUMAN
    appointments.ask_change(given.session, visit, given.actor)
    _open(given, "change_asked", visit)
    return _reply(given, "change_requested", visit)


def _arrived(given: _Answer) -> Outcome:
    visit = _of_today(given)
    if visit is None:
        return A_HUMAN
    appointments.arrive(given.session, visit, given.actor)
    return _reply(given, "arrived", visit)


def _late(given: _Answer) -> Outcome:
    visit = _of_today(given)
    if visit is None:
        return A_HUMAN
    _open(given, "late", visit)
    return _reply(given, "late", visit)


def _wrong_person(given: _Answer) -> Outcome:
    """The number is somebody else's: nothing of this patient goes there any more, and a human looks for the right one."""
    session, number = given.session, given.conversation.number or ""
    if not _asked_here(given, None):
        return A_HUMAN
    text = messaging.Message
    unsent = select(text.id).where(
        text.conversation_id == given.conversation.id,
        text.direction == "out",
        text.state == "queued",
        text.kind.in_(("reminder", "handoff")),
    )
    outbox.cancel(session, session.scalars(unsent).all())
    directory.learn_line(session, given.clinic, number, "wrong_person", given.actor)
    _open(given, "wrong_person", None)
    conversations.attribute(session, given.clinic, number)
    return _reply(given, "wrong_person", None)


def _stopped(given: _Answer) -> Outcome:
    """The texts end and the answer holds: a yes is noted, and a human calls about a visit that a CANCEL may have meant.

    Nothing answers it: whoever has said stop is told that it was heard, and nothing else.
    """
    if given.reading.answer == "confirm":
        return replace(_confirm(given), reply_key=None)
    if given.reading.answer != "change":
        return A_HUMAN
    visit = _meant(given, "confirmed", "change_asked")
    if visit is not None:
        appointments.ask_change(given.session, visit, given.actor, "keyword")
    _open(given, "change_by_stop" if visit else "change_by_stop_unknown", visit)
    return Outcome(True)


_ANSWERS = {
    "confirm": _confirm,
    "change": _change,
    "arrived": _arrived,
    "late": _late,
    "wrong_person": _wrong_person,
}


def _meant(given: _Answer, *answered: str) -> Appointment | None:
    visit = _said_of(given, *answered)
    return visit if visit is not None and _asked_here(given, visit) else None


def _asked_here(given: _Answer, visit: Appointment | None) -> bool:
    """Whether the number that answers is the one that was asked: of the visit last, else the one that would be.

    Any other number of the patient's may be a stranger's by now: a human reads what it says, and nothing answers it.
    """
    asked = appointments.asked_in(given.session, visit) if visit is not None else None
    if asked is not None:
        return asked == given.conversation.id
    number = directory.textable_number(given.session, given.patient)
    return number is None or number.number_index == given.conversation.number_index


def _said_of(given: _Answer, *answered: str) -> Appointment | None:
    """The visit the answer is about, None where that is not certain.

    It is one that waits for an answer; if none does, or a code says so, one already `answered` (these states), or one
    of which the patient wants no texts.
    """
    visits = appointments.texted(given.session, given.patient.id, given.now)
    waiting = same_moment.one_each(visit for visit in visits if visit.state == "booked" and visit.quiet_at is None)
    known = [*waiting, *(visit for visit in visits if visit.state in (*answered, "booked"))]
    others = same_moment.one_each(known)[len(waiting) :]
    code = given.reading.code
    if code is not None and composing.gave_codes(given.session, given.patient.id):
        meant = composing.coded(given.session, given.patient.id, code)
        possible = [*waiting, *others] if meant else []
        return next((visit for visit in possible if meant and same_moment.same(visit, meant)), None)
    # No text of ours had codes: "Y1" about the only visit is clear all the same.
    possible = waiting or others
    return possible[0] if len(possible) == 1 and code in (None, 1) else None


def _of_today(given: _Answer) -> Appointment | None:
    visits = appointments.today(given.session, given.patient.id, given.now)
    return visits[0] if len(visits) == 1 and _asked_here(given, visits[0]) else None


def _open(given: _Answer, summary: str, visit: Appointment | None) -> None:
    spoken = phrasing.staff_words(given.clinic, given.patient, visit, given.now) if visit else {}
    items.open_item(
        given.session,
        given.clinic,
        kind="reply",
        about=f"message:{given.message.id}",
        dedupe=f"answer:{given.message.id}",
        summary=phrasing.texts("en")["staff"][summary].format(**spoken),
        patient_id=given.patient.id,
        conversation_id=given.conversation.id,
    )


def _reply(given: _Answer, key: str, visit: Appointment | None) -> Outcome:
    if visit is None:
        return Outcome(True, key, phrasing.about_clinic(given.clinic, given.patient))
    said = phrasing.words(given.clinic, given.patient, visit, given.now)
    return Outcome(True, key, said, phrasing.day_ends(given.patient, visit, given.now))
