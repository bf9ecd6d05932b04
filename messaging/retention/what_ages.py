"""What grows old in this room, emptied a batch at a time: words of texts and of items long done, pictures, notes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from config import clock, db, keys
from messaging.inbox import dispositions
from messaging.inbox.models import Contact, InboxItem
from messaging.media import attachments
from messaging.models import Clinic, Conversation, Media, Message, Patient, PatientNumber
from messaging.retention import rules
from messaging.team.models import ColleagueNote, Task, TeamFile

Row = TypeVar("Row", Conversation, Patient)
Aging = Sequence[Message] | Sequence[InboxItem] | Sequence[Contact]
# A batch is one transaction, and on SQLite the only one that writes.
BATCH = 100
# What is queued, being sent or in doubt is not over, however old it is.
OVER = ("received", "sent", "delivered", "undelivered", "failed", "held", "cancelled")


@dataclass(frozen=True)
class Terms:
    """What holds for one batch: what is older than `before` goes, but not of whoever, `today`, has not been of age for
    `years`."""

    before: datetime
    today: date
    years: int


@dataclass(frozen=True)
class Batch:
    """What a batch came to: up to which id was looked, how many rows were emptied, whether more may wait."""

    upto: UUID
    emptied: int
    more: bool


# Looks at the rows of one kind that come after an id, and empties those whose time is over.
Shelf = Callable[[Session, Clinic, Terms, UUID], Batch]


def older(clinic_id: UUID, before: datetime) -> ColumnElement[bool]:
    """Return the condition for texts of a clinic that are older than `before` and still have their words."""
    return (
        (Message.clinic_id == clinic_id)
        & (Message.id < db.first_id(before))
        & (Message.created_at < before)
        & Message.emptied_at.is_(None)
        & Message.state.in_(OVER)
        & has_key(Message)
    )


def has_key(model: type[db.SealedRow]) -> ColumnElement[bool]:
    """Return the condition for rows whose key is there: with a key that was deleted, the words are gone already."""
    return exists().where(db.DataKey.id == model.key_id)


def texts(session: Session, clinic: Clinic, terms: Terms, after: UUID) -> Batch:
    """Empty texts and delete what came with them; time, way and state stay."""
    old = select(Message).where(older(clinic.id, terms.before), Message.id > after)
    rows = session.scalars(old.order_by(Message.id).limit(BATCH)).all()
    waits = _held(session, clinic, terms, rows) | _unforgotten(session, rows)
    over = [row for row in rows if row.id not in waits]
    db.load_keys(session, (row.key_id for row in over))
    session.execute(delete(Media).where(Media.message_id.in_([row.id for row in over])))
    now = clock.now()
    for row in over:
        db.empty(row, "body")
        row.reading, row.media, row.emptied_at = [], [], now
    return _done(rows, over, after)


def items(session: Session, clinic: Clinic, terms: Terms, after: UUID) -> Batch:
    """Empty the summaries of items that are done; who did what and when stays."""
    old = select(InboxItem).where(
        InboxItem.clinic_id == clinic.id,
        InboxItem.id > after,
        InboxItem.id < db.first_id(terms.before),
        InboxItem.state == "done",
        InboxItem.done_at < terms.before,
        func.length(InboxItem.summary_ct) > keys.NOTHING,
        has_key(InboxItem),
    )
    rows = session.scalars(old.order_by(InboxItem.id).limit(BATCH)).all()
    waits = _held(session, clinic, terms, rows)
    over = [row for row in rows if row.id not in waits]
    db.load_keys(session, (row.key_id for row in over))
    for row in over:
        db.empty(row, "summary")
        row.findings_ct = None
    _of_colleagues(session, [row.id for row in over if row.kind in dispositions.OF_TEAM])
    return _done(rows, over, after)


def _of_colleagues(session: Session, item_ids: Sequence[UUID]) -> None:
    """Empty what a task or a note of one colleague to another says, with the item it was."""
    asked = [
        *session.scalars(select(Task).where(Task.item_id.in_(item_ids))),
        *session.scalars(select(ColleagueNote).where(ColleagueNote.item_id.in_(item_ids))),
    ]
    db.load_keys(session, (row.key_id for row in asked))
    for row in asked:
        db.empty(row, "words")


def notes(session: Session, clinic: Clinic, terms: Terms, after: UUID) -> Batch:
    """Empty what colleagues wrote down, and delete the files beside it; a pinned fact holds, and stays."""
    old = select(Contact).where(
        Contact.clinic_id == clinic.id,
        Contact.id > after,
        Contact.id < db.first_id(terms.before),
        Contact.at < terms.before,
        Contact.pinned_at.is_(None),
        func.length(Contact.words_ct) > keys.NOTHING,
        has_key(Contact),
    )
    rows = session.scalars(old.order_by(Contact.id).limit(BATCH)).all()
    waits = _held(session, clinic, terms, rows)
    over = [row for row in rows if row.id not in waits]
    db.load_keys(session, (row.key_id for row in over))
    session.execute(delete(TeamFile).where(TeamFile.contact_id.in_([row.id for row in over])))
    for row in over:
        db.empty(row, "words")
    return _done(rows, over, after)


def _done(rows: Sequence[db.ClinicRow], over: Sequence[db.ClinicRow], after: UUID) -> Batch:
    return Batch(rows[-1].id if rows else after, len(over), len(rows) == BATCH)


def _held(session: Session, clinic: Clinic, terms: Terms, rows: Aging) -> set[UUID]:
    """Which rows stay: where anybody whose number it is has an item that is not done, was a child too lately, or is
    under legal hold.

    A number may be a family's: what is said on it counts as said by each of them.
    """
    talks = _by_id(session, Conversation, (row.conversation_id for row in rows))
    named = {talk.number_index for talk in talks.values()}
    owners: dict[bytes, set[UUID]] = {}
    numbers = select(PatientNumber.number_index, PatientNumber.patient_id).where(
        PatientNumber.clinic_id == clinic.id, PatientNumber.number_index.in_(named)
    )
    for index, patient_id in session.execute(numbers):
        owners.setdefault(index, set()).add(patient_id)
    whose: dict[UUID, set[UUID]] = {}
    for row in rows:
        talk = talks.get(row.conversation_id) if row.conversation_id else None
        named_by = (row.patient_id, talk.patient_id if talk else None)
        shared = owners.get(talk.number_index, set()) if talk else set()
        whose[row.id] = shared | {owner_id for owner_id in named_by if owner_id is not None}
    everybody = set().union(*whose.values())
    stays = kept_longer(session, terms, everybody) | _waiting(session, clinic, everybody, set(talks))
    waiting_about = waited_for(session, clinic, rows)
    return {
        row.id
        for row in rows
        if row.id in waiting_about or row.conversation_id in stays or not stays.isdisjoint(whose[row.id])
    }


def kept_longer(session: Session, terms: Terms, patient_ids: set[UUID]) -> set[UUID]:
    """Return whose words are kept for longer: a legal hold is on them, or they were a child too lately."""
    patients = _by_id(session, Patient, patient_ids)
    db.load_keys(session, (patient.key_id for patient in patients.values()))
    return {
        patient.id
        for patient in patients.values()
        if patient.legal_hold_at is not None or rules.still_a_childs(_born(patient), terms.today, terms.years)
    }


def _born(patient: Patient) -> date | None:
    try:
        born = patient.birth_date
    except keys.WrongKey:  # the key was deleted, and with it whatever could be read of this patient
        return None
    return date.fromisoformat(born[:10]) if born else None


def _waiting(session: Session, clinic: Clinic, patient_ids: set[UUID], talk_ids: set[UUID]) -> set[UUID]:
    """The patients and conversations that an item speaks of which is not done."""
    waiting = select(InboxItem.patient_id, InboxItem.conversation_id).where(
        InboxItem.clinic_id == clinic.id,
        InboxItem.state != "done",
        or_(InboxItem.patient_id.in_(patient_ids), InboxItem.conversation_id.in_(talk_ids)),
    )
    return {row_id for pair in session.execute(waiting) for row_id in pair if row_id is not None}


def waited_for(session: Session, clinic: Clinic, rows: Sequence[Any]) -> set[UUID]:
    """Return which of these rows an item is about that is not done."""
    about = {f"{row.__tablename__}:{row.id}": row.id for row in rows}
    waiting = select(InboxItem.about).where(
        InboxItem.clinic_id == clinic.id, InboxItem.state != "done", InboxItem.about.in_(about)
    )
    return {about[subject] for subject in session.scalars(waiting)}


def _unforgotten(session: Session, rows: Sequence[Message]) -> set[UUID]:
    """The texts whose pictures are still owed to us, or still have to be deleted at the carrier."""
    owed = select(Media.message_id).where(attachments.DUE, Media.message_id.in_([row.id for row in rows]))
    return set(session.scalars(owed))


def _by_id(session: Session, model: type[Row], ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    wanted = {row_id for row_id in ids if row_id is not None}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))}
