"""A patient's thread among colleagues: notes, answers, pinned facts; struck or corrected, never changed, never sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact
from messaging.models import Clinic, Conversation, Patient, Staff
from messaging.team import files, mentions, readers

PAGE = 30
MOST_PINNED = 8


class Refused(ValueError):
    """This cannot be done with a note: `why` is a key of the page's refusals."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Draft:
    """What somebody writes: words, whom they ask to look, files; `once` makes two posts of one form one note."""

    words: str
    people: Sequence[Staff] = ()
    uploads: Sequence[files.Upload] = ()
    pinned: bool = False
    once: UUID | None = None
    item_id: UUID | None = None


@dataclass(frozen=True)
class Posts:
    """A page of a thread, the latest first: each note with its answers, oldest first; whether there are older ones."""

    notes: list[tuple[Contact, list[Contact]]] = field(default_factory=list)
    more: bool = False

    def every(self) -> list[Contact]:
        """Return all of them."""
        return [each for note, answers in self.notes for each in (note, *answers)]


def write(
    session: Session,
    clinic: Clinic,
    author: Staff,
    patient: Patient,
    draft: Draft,
    *,
    answers: Contact | None = None,
    corrects: Contact | None = None,
) -> Contact:
    """Write a note; it opens an item for each who is asked to look, and answers what asked its author.

    Raises Refused without words, readers.MayNotSee for somebody who may not read it, files.Refused: with nothing kept.
    """
    _check(session, clinic, author, draft)
    above = answers.answers_id or answers.id if answers else None
    before = session.get(Contact, draft.once) if draft.once else None
    note = notes_and_calls.write_note(
        session,
        clinic,
        author,
        words=draft.words,
        patient_id=patient.id,
        item_id=draft.item_id,
        once=draft.once,
        answers_id=above,
        corrects_id=corrects.id if corrects else None,
    )
    if before is not None and note.id == before.id:
        return note  # the same form, sent twice
    files.keep(session, note, author, draft.uploads)
    mentions.ask(session, clinic, note, author, draft.people)
    if draft.pinned:
        pin(session, note, author)
    if above is not None:
        mentions.answer(session, author, _branch(session, above))
    return note


def _branch(session: Session, head_id: UUID) -> list[UUID]:
    """The note at the head and its answers: whoever writes below it answers all that asked them to look there."""
    return [head_id, *session.scalars(select(Contact.id).where(Contact.answers_id == head_id))]


def _check(session: Session, clinic: Clinic, author: Staff, draft: Draft) -> None:
    if not draft.words.strip():
        raise Refused("note_empty")
    colleagues = list(session.scalars(select(Staff).where(Staff.clinic_id == clinic.id, Staff.active)))
    readers.refuse_strangers(draft.people, colleagues, author)
    files.check(draft.uploads)


def retract(session: Session, note: Contact, author: Staff) -> None:
    """Strike one's own note within the day; what it asked of others is asked no more. Raises MayNotStrike."""
    notes_and_calls.strike(session, note, author)
    mentions.withdraw(session, author, note.id)


def correct(session: Session, clinic: Clinic, author: Staff, note: Contact, draft: Draft) -> Contact:
    """Write a note in the place of one's own, which stays readable as struck; whoever was asked is asked anew. The same
    form sent twice corrects once.

    Raises as `write` does, and MayNotStrike for somebody else's note or one that was struck before.
    """
    written = session.get(Contact, draft.once) if draft.once else None
    if written is not None and (written.corrects_id, written.staff_id) == (note.id, author.id):
        return written
    if note.staff_id != author.id or note.struck_at is not None or note.kind != "note" or note.patient_id is None:
        raise notes_and_calls.MayNotStrike
    patient = session.get_one(Patient, note.patient_id)
    asked = [session.get_one(Staff, mention.staff_id) for mention in mentions.of_contacts(session, [note.id])[note.id]]
    still = [each for each in asked if readers.may_read_threads(each)]
    above = session.get(Contact, note.answers_id) if note.answers_id else None
    fresh = Draft(draft.words, list(dict.fromkeys([*still, *draft.people])), (), note.pinned_at is not None, draft.once)
    with session.begin_nested():
        # First, so that its pin gives its place to the new one's.
        notes_and_calls.put_through(session, note, author, "corrected")
        mentions.withdraw(session, author, note.id)
        written = write(session, clinic, author, patient, fresh, answers=above, corrects=note)
        files.follow(session, note, written)
    return written


def pin(session: Session, note: Contact, staff: Staff) -> None:
    """Let a note stand on top of the thread, on the patient's page and on each case. Raises Refused."""
    if note.struck_at is not None or note.patient_id is None:
        raise Refused("pin_struck")
    if note.pinned_at is None and len(pinned(session, note.patient_id)) >= MOST_PINNED:
        raise Refused("pin_many")
    note.pinned_at, note.pinned_by = clock.now(), staff.id
    audit.record(session, note.clinic_id, audit.Actor.staff(staff.id), "note.pinned", f"contact:{note.id}")


def unpin(session: Session, note: Contact, staff: Staff) -> None:
    """Let a pinned note stand in the thread alone."""
    note.pinned_at, note.pinned_by = None, None
    audit.record(session, note.clinic_id, audit.Actor.staff(staff.id), "note.unpinned", f"contact:{note.id}")


def pinned(session: Session, patient_id: UUID) -> list[Contact]:
    """Return the pinned facts of a patient, in the order they were pinned, with their keys loaded."""
    rows = select(Contact).where(
        Contact.patient_id == patient_id, Contact.pinned_at.is_not(None), Contact.struck_at.is_(None)
    )
    notes = list(session.scalars(rows.order_by(Contact.pinned_at, Contact.id)))
    db.load_keys(session, (note.key_id for note in notes))
    return notes


def page(session: Session, patient: Patient, before: UUID | None = None) -> Posts:
    """Return a page of the notes about a patient, older than the note `before`, with their answers; keys are loaded."""
    first = select(Contact).where(*_notes_of(patient), Contact.answers_id.is_(None))
    last = session.get(Contact, before) if before else None
    if last is not None:
        first = first.where(Contact.at <= last.at, or_(Contact.at < last.at, Contact.id < last.id))
    rows = list(session.scalars(first.order_by(Contact.at.desc(), Contact.id.desc()).limit(PAGE + 1)))
    shown = rows[:PAGE]
    answers = (
        select(Contact).where(Contact.answers_id.in_([note.id for note in shown])).order_by(Contact.at, Contact.id)
    )
    by_note: dict[UUID | None, list[Contact]] = {note.id: [] for note in shown}
    for answer in session.scalars(answers) if shown else ():
        by_note[answer.answers_id].append(answer)
    posts = Posts([(note, by_note[note.id]) for note in shown], len(rows) > PAGE)
    db.load_keys(session, (note.key_id for note in posts.every()))
    return posts


def corrected(session: Session, note_ids: Collection[UUID]) -> set[UUID | None]:
    """Return which of these notes were struck by a correction, wherever in the thread that stands."""
    written = select(Contact.corrects_id).where(Contact.corrects_id.in_(note_ids))
    return set(session.scalars(written)) if note_ids else set()


def _notes_of(patient: Patient) -> Sequence[ColumnElement[bool]]:
    """Notes about the patient, and about a number that is theirs alone, from before anybody knew whose it was."""
    theirs = exists().where(Conversation.id == Contact.conversation_id, Conversation.patient_id == patient.id)
    of_number = and_(Contact.patient_id.is_(None), theirs)
    ours = Contact.clinic_id == patient.clinic_id
    return (ours, Contact.kind == "note", or_(Contact.patient_id == patient.id, of_number))
