"""What a patient's answer does to a visit: which visit is meant, what changes, and what a human must see."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import conversations, outbox
from messaging import models as messaging
from messaging.inbox import items, triage
from messaging.people import directory
from messaging.reading import read_reply
from messaging.wording import clinic_words
from reminders import appointments, handoff_words, phrasing, same_moment, withdrawing
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
    answer = _Answer(session, clinic, conversation, patient, reading, message, clock.now())
    if reading.consent == "stop":
        return _stopped(answer)
    if reading.answer in handoff_words.OF_A_VISIT_OR_THIS and handoff_words.answers_it(session, patient, conversation):
        return A_HUMAN
    outcome = _ANSWERS[reading.answer](answer)
    seen = outcome.handled and (reading.answer in SEEN_BY_A_HUMAN or not reading.content)
    return replace(outcome, handled=seen, reply_key=None if _more_follows(reading) else outcome.reply_key)


def _more_follows(reading: read_reply.Reading) -> bool:
    """Whether thanks would pass over what was said: "I am here but the door is locked", "yes, how much is it?"."""
    return (reading.answer == "arrived" and reading.content) or (reading.answer == "confirm" and bool(reading.topics))


def body(session: Session, outcome: Outcome, patient: messaging.Patient) -> str | None:
    """Return the text that answers, in the patient's language
    and as open as the patient wants; None if there is none."""
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
    answer = _Answer(session, clinic, conversation, patient, reading, message, clock.now())
    visit = _meant(answer, "confirmed", "change_asked")
    if visit is not None:
        withdrawing.quiet(session, visit, answer.actor)
    return visit is not None


def _confirm(answer: _Answer) -> Outcome:
    visit = _meant(answer, "confirmed")
    if visit is None:
        return A_HUMAN
    if visit.confirmed_at is not None and answer.now - visit.confirmed_at < JUST_THANKED:
        return Outcome(True)  # a thumbs-up to our thank-you is no second answer
    appointments.confirm(answer.session, visit, answer.actor)
    return _reply(answer, "confirmed", visit)


def _change(answer: _Answer) -> Outcome:
    visit = _meant(answer, "confirmed", "change_asked")
    if visit is None:
        return A_HUMAN
    appointments.ask_change(answer.session, visit, answer.actor)
    _open(answer, "change_asked", visit)
    return _reply(answer, "change_requested", visit)


def _arrived(answer: _Answer) -> Outcome:
    if handoff_words.here(answer.session, answer.patient, answer.conversation, answer.actor):
        return Outcome(True, "handoff_here", phrasing.about_clinic(answer.clinic, answer.patient))
    visit = _of_today(answer)
    if visit is None:
        return A_HUMAN
    appointments.arrive(answer.session, visit, answer.actor)
    return _reply(answer, "arrived", visit)


def _late(answer: _Answer) -> Outcome:
    visit = _of_today(answer)
    if visit is None:
        return A_HUMAN
    _open(answer, "late", visit)
    return _reply(answer, "late", visit)


def _wrong_person(answer: _Answer) -> Outcome:
    """The number is somebody else's: nothing of this patient goes there any more,
    and a human looks for the right one."""
    session, number = answer.session, answer.conversation.number or ""
    if not _asked_here(answer, None):
        return A_HUMAN
    text = messaging.Message
    unsent = select(text.id).where(
        text.conversation_id == answer.conversation.id,
        text.direction == "out",
        text.state == "queued",
        text.kind.in_(("reminder", "handoff")),
    )
    outbox.cancel(session, session.scalars(unsent).all())
    directory.learn_line(session, answer.clinic, number, "wrong_person", answer.actor)
    _open(answer, "wrong_person", None)
    conversations.attribute(session, answer.clinic, number)
    return _reply(answer, "wrong_person", None)


def _stopped(answer: _Answer) -> Outcome:
    """The texts end and the answer holds: a yes is noted, and a human calls about a visit that a CANCEL may have meant.

    Nothing answers it: whoever has said stop is told that it was heard, and nothing else.
    """
    if answer.reading.answer == "confirm":
        return replace(_confirm(answer), reply_key=None)
    if answer.reading.answer != "change":
        return A_HUMAN
    visit = _meant(answer, "confirmed", "change_asked")
    if visit is not None:
        appointments.ask_change(answer.session, visit, answer.actor, "keyword")
    _open(answer, "change_by_stop" if visit else "change_by_stop_unknown", visit)
    return Outcome(True)


_ANSWERS = {
    "confirm": _confirm,
    "change": _change,
    "arrived": _arrived,
    "late": _late,
    "wrong_person": _wrong_person,
}


def _meant(answer: _Answer, *answered: str) -> Appointment | None:
    visit = _said_of(answer, *answered)
    return visit if visit is not None and _asked_here(answer, visit) else None


def _asked_here(answer: _Answer, visit: Appointment | None) -> bool:
    """Whether the number that answers is the one that was asked: of the visit last, else the one that would be.

    Any other number of the patient's may be a stranger's by now: a human reads what it says, and nothing answers it.
    """
    conversation_id = appointments.asked_in(answer.session, visit) if visit is not None else None
    if conversation_id is not None:
        return conversation_id == answer.conversation.id
    number = directory.textable_number(answer.session, answer.patient)
    return number is None or number.number_index == answer.conversation.number_index


def _said_of(answer: _Answer, *answered: str) -> Appointment | None:
    """The visit the answer is about, None where that is not certain.

    It is one that waits for an answer; if none does, or a code says so, one already `answered` (these states), or one
    of which the patient wants no texts.
    """
    visits = appointments.texted(answer.session, answer.patient.id, answer.now)
    waiting = same_moment.one_each(visit for visit in visits if visit.state == "booked" and visit.quiet_at is None)
    candidates = [*waiting, *(visit for visit in visits if visit.state in (*answered, "booked"))]
    others = same_moment.one_each(candidates)[len(waiting) :]
    code = answer.reading.code
    if code is not None and composing.gave_codes(answer.session, answer.patient.id):
        meant = composing.coded(answer.session, answer.patient.id, code)
        possible = [*waiting, *others] if meant else []
        return next((visit for visit in possible if meant and same_moment.same(visit, meant)), None)
    # No text of ours had codes: "Y1" about the only visit is clear all the same.
    possible = waiting or others
    return possible[0] if len(possible) == 1 and code in (None, 1) else None


def _of_today(answer: _Answer) -> Appointment | None:
    visits = appointments.today(answer.session, answer.patient.id, answer.now)
    return visits[0] if len(visits) == 1 and _asked_here(answer, visits[0]) else None


def _open(answer: _Answer, summary: str, visit: Appointment | None) -> None:
    spoken = phrasing.staff_words(answer.clinic, answer.patient, visit, answer.now) if visit else {}
    items.open_item(
        answer.session,
        answer.clinic,
        kind="reply",
        about=f"message:{answer.message.id}",
        dedupe=f"answer:{answer.message.id}",
        summary=phrasing.texts("en")["staff"][summary].format(**spoken),
        patient_id=answer.patient.id,
        conversation_id=answer.conversation.id,
        reason=triage.reasons(answer.session, answer.conversation.id, [answer.patient], answer.reading.topics),
    )


def _reply(answer: _Answer, key: str, visit: Appointment | None) -> Outcome:
    if visit is None:
        return Outcome(True, key, phrasing.about_clinic(answer.clinic, answer.patient))
    variables = phrasing.words(answer.clinic, answer.patient, visit, answer.now)
    return Outcome(True, key, variables, phrasing.day_ends(answer.patient, visit, answer.now))
