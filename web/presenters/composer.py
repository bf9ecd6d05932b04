"""Whether and how somebody can be texted back, what a text may not carry, and what was said since a page was opened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from config import db
from messaging import contactability, outbox, phone, reachable
from messaging.contactability import Refusal
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from messaging.people import directory
from messaging.reachable import Reach
from messaging.wording import proofreading, text_templates
from web import words


@dataclass(frozen=True)
class Composer:
    """Whether this conversation can be answered: `closed` says why not, in words, with the number to call."""

    closed: str | None
    call: str | None
    call_words: str | None
    to: str
    language: str


@dataclass(frozen=True)
class Flag:
    """A word that may not leave by text: the word, why, and what to do instead."""

    word: str
    why: str
    instead: str


@dataclass(frozen=True)
class Proof:
    """A text as it would be sent: its flags, its pieces (words, flagged), its cost, a cheaper spelling or ""."""

    text: str
    flags: list[Flag]
    pieces: list[tuple[str, bool]]
    cost: str
    cheaper: str


def latest(session: Session, conversation_id: UUID) -> UUID | None:
    """Return the id of the text filed last in a conversation; ids are in the order of filing."""
    # A text may be filed after others that came later, so the last few by the clock are compared by id.
    recent = (
        select(Message.id)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(50)
        .subquery()
    )
    return session.scalar(select(recent.c.id).order_by(recent.c.id.desc()).limit(1))


def since(session: Session, conversation: Conversation, staff: Staff, seen: UUID | None) -> list[Message]:
    """Return what the patient or a colleague has written since the text `seen` was the last, the oldest first.

    None: nothing had been said when the page was opened. At most the latest five.
    """
    query = select(Message).where(
        Message.conversation_id == conversation.id,
        or_(
            Message.direction == "in",
            and_(Message.author_id.is_not(None), Message.author_id != staff.id, Message.state != "cancelled"),
        ),
    )
    if seen is not None:
        query = query.where(Message.id > seen)
    messages = list(session.scalars(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(5)))
    db.load_keys(session, (message.key_id for message in messages))
    return messages[::-1]


def sharing(session: Session, clinic: Clinic, number: str | None) -> list[Patient]:
    """Return the patients who share a phone, none if it is one person's: their names must not stand in a text to it."""
    patients = directory.patients_with_number(session, clinic, number) if number else []
    return patients if len(patients) > 1 else []


def proofread(body: str, sharing: Sequence[Patient] = ()) -> Proof:
    """Read what was typed as the server will before it sends it."""
    names = [name or "" for patient in sharing for name in (patient.first_name, patient.last_name)]
    return marked(body, lambda text: proofreading.proof(text, names))


def marked(body: str, problems: Callable[[str], Sequence[text_templates.Problem]]) -> Proof:
    """Return a text with what `problems` finds in it, marked at the word, and what it costs."""
    text = proofreading.tidy(body)
    flagged = problems(text)
    pieces, at = [], 0
    for problem in flagged:
        if problem.start >= at:
            pieces += [(text[at : problem.start], False), (text[problem.start : problem.end], True)]
            at = problem.end
    plain, counted = proofreading.plainer(text), text_templates.segments(text)
    cheaper = plain if text_templates.segments(plain).segments < counted.segments else ""
    return Proof(text, [_flag(problem) for problem in flagged], [*pieces, (text[at:], False)], cost(counted), cheaper)


def _flag(problem: text_templates.Problem) -> Flag:
    return Flag(
        problem.word,
        words.table_of("lint_reasons").get(problem.rule, problem.message),
        words.table_of("lint_instead").get(problem.rule, ""),
    )


def cost(counted: text_templates.Segments) -> str:
    """Return what a text costs in words: "1 segment", "2 segments (á makes it 70 characters each)"."""
    several = "segment" if counted.segments == 1 else "segments"
    why = f" ({' '.join(counted.costly[:3])} makes it 70 characters each)" if counted.costly else ""
    return f"{counted.segments} {several}{why}"


def composer(
    session: Session,
    conversation: Conversation | None,
    patient: Patient | None,
    reach: Reach | None = None,
    said_in: str | None = None,
) -> Composer:
    """Return whether and how this person can be answered by text; `reach` is the patient's, where it has been read.

    `said_in` is the language they wrote in, where it is another than their record's: they are answered in it.
    """
    number = number_of(session, conversation, patient)
    reason = refusal(session, conversation, patient, reach)
    name = (patient.first_name or "") if patient else ""
    return Composer(
        closed=words.say("closed", reason.key) if reason else None,
        call=number,
        call_words=phone.display(number) if number else None,
        to=f"{name}'s phone {phone.mask(number)}" if name and number else phone.mask(number or ""),
        language=_language(patient, said_in),
    )


def _language(patient: Patient | None, said_in: str | None) -> str:
    recorded = words.say("languages", patient.language) if patient else ""
    if said_in is None:
        return recorded
    spoken = words.say("languages", said_in)
    return words.say("answered_in", "as_they_wrote" if patient else "as_sent", said_in=spoken, recorded=recorded)


def number_of(session: Session, conversation: Conversation | None, patient: Patient | None) -> str | None:
    """Return the number a text would go to, or the one to call: the conversation's, else the patient's latest."""
    if conversation is not None:
        return conversation.number
    number = directory.textable_number(session, patient) if patient else None
    number = number or (next(iter(patient.numbers), None) if patient else None)
    return number.number if number else None


def refusal(
    session: Session, conversation: Conversation | None, patient: Patient | None, reach: Reach | None = None
) -> Refusal | None:
    """Return why this person cannot be written to now, on the page and again as the text is sent."""
    if conversation is not None:
        known = reach.of_number(conversation.number_index) if reach else None
        if known is not None:
            return outbox.closed_by(known, conversation)
        return outbox.closed(session, conversation, patient_id=patient.id if patient else None)
    if patient is None:
        return Refusal.NO_NUMBER
    return contactability.refusal((reach or reachable.reach_of(session, patient)).facts, "care_team")
