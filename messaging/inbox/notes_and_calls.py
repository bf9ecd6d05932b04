"""What colleagues write down for each other: notes, and the calls they made. Nothing here can be sent to anybody."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import items
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Conversation, Patient, Staff

# Long enough to notice a slip at the end of a shift, short enough that a record stays a record.
STRIKE_WITHIN = timedelta(hours=24)
LONGEST = 4000
# After these the line itself is known to be no use for texting; see messaging.people.directory.learn_line.
LINES = {"wrong_number": "wrong_person", "out_of_service": "dead"}
Cursor = tuple[datetime, UUID]


class MayNotStrike(Exception):
    """Only its author strikes a line, and only within a day."""


def outcomes() -> Mapping[str, str]:
    """Return how a call can have ended, in words by key."""
    return items.words()["calls"]


def write_note(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    *,
    words: str,
    next_try_at: datetime | None = None,
    patient_id: UUID | None = None,
    conversation_id: UUID | None = None,
    item_id: UUID | None = None,
    once: UUID | None = None,
    **threaded: UUID | None,
) -> Contact:
    """Keep a note about a patient, a number or an item; `once` makes two posts of one form one note.

    `next_try_at` is when its author means to be in touch next, `threaded` what it answers or corrects
    (Contact.answers_id, Contact.corrects_id). Raises ValueError for a note that says neither words nor a next try.
    """
    trimmed = words.strip()[:LONGEST] or None
    if trimmed is None and next_try_at is None:
        raise ValueError("a note needs words")
    about = (patient_id, conversation_id, item_id)
    return _keep(session, clinic, staff, "note", about, once, words=trimmed, next_try_at=next_try_at, **threaded)


def log_call(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    *,
    patient_id: UUID | None,
    conversation_id: UUID | None = None,
    item_id: UUID | None = None,
    outcome: str,
    minutes: int | None = None,
    words: str | None = None,
    next_try_at: datetime | None = None,
    once: UUID | None = None,
) -> Contact:
    """Keep that somebody called and how it ended. It moves no item: what follows from it is said by a person.

    `minutes` how long it was, `next_try_at` when it is to be tried again. Raises ValueError for an unknown outcome.
    """
    if outcome not in outcomes():
        raise ValueError("choose how the call ended")
    about = (patient_id, conversation_id, item_id)
    trimmed = (words or "").strip()[:LONGEST] or None
    facts = {"outcome": outcome, "minutes": minutes, "next_try_at": next_try_at, "words": trimmed}
    return _keep(session, clinic, staff, "call", about, once, **facts)


def _keep(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    kind: str,
    about: tuple[UUID | None, UUID | None, UUID | None],
    once: UUID | None,
    **facts: object,
) -> Contact:
    patient_id, conversation_id, item_id = about
    existing = session.get(Contact, once) if once else None
    if existing is not None and _same(existing, clinic, staff, kind, facts):
        return existing
    key_id = _key(session, clinic, patient_id, conversation_id)
    contact = Contact(
        id=once if once and existing is None else db.new_id(),
        clinic_id=clinic.id,
        key_id=key_id,
        kind=kind,
        patient_id=patient_id,
        conversation_id=conversation_id,
        item_id=item_id,
        staff_id=staff.id,
        at=clock.now(),
        **facts,
    )
    session.add(contact)
    session.flush()
    item = session.get(InboxItem, item_id) if item_id else None
    if item is not None:
        detail = {"outcome": contact.outcome} if contact.outcome else {}
        event = "noted" if kind == "note" else "called"
        items.note_event(session, item, audit.Actor.staff(staff.id), event, **detail)
    _note(session, contact, staff, "written" if kind == "note" else "logged", outcome=contact.outcome)
    return contact


def _same(existing: Contact, clinic: Clinic, staff: Staff, kind: str, facts: Mapping[str, object]) -> bool:
    # Somebody who goes back and changes what they wrote has written something new.
    ours = existing.clinic_id == clinic.id and existing.staff_id == staff.id and existing.kind == kind
    return ours and all(getattr(existing, name) == value for name, value in facts.items())


def _key(session: Session, clinic: Clinic, patient_id: UUID | None, conversation_id: UUID | None) -> UUID:
    """The patient's key, so that their words go when it goes; else the number's, else the clinic's."""
    for model, row_id in ((Patient, patient_id), (Conversation, conversation_id)):
        row = session.get(model, row_id) if row_id else None
        if isinstance(row, Patient | Conversation) and row.clinic_id == clinic.id:
            db.load_keys(session, {row.key_id})
            return row.key_id
    db.load_keys(session, {clinic.key_id})
    return clinic.key_id


def strike(session: Session, contact: Contact, staff: Staff) -> None:
    """Strike a line one has written oneself within the day: it stays readable, as struck. Raises MayNotStrike."""
    if not may_strike(contact, staff, clock.now()):
        raise MayNotStrike
    put_through(session, contact, staff, "struck")


def put_through(session: Session, contact: Contact, staff: Staff, act: str) -> None:
    """Strike a line, whoever may: `act` (struck | corrected) is what the audit log says."""
    contact.struck_at, contact.struck_by = clock.now(), staff.id
    contact.pinned_at, contact.pinned_by = None, None
    _note(session, contact, staff, act)


def may_strike(contact: Contact, staff: Staff, now: datetime) -> bool:
    """Whether `staff` may strike this line at this moment."""
    return contact.staff_id == staff.id and contact.struck_at is None and now - contact.at < STRIKE_WITHIN


def of_thread(
    session: Session,
    clinic: Clinic,
    *,
    patient_id: UUID | None,
    conversation_id: UUID | None,
    item_id: UUID | None = None,
    before: Cursor | None = None,
    limit: int = 40,
) -> list[Contact]:
    """Return the latest `limit` lines before the moment and id of `before`, the newest first, with their keys loaded.

    On a phone that several share, what was written about one of them is not shown beside another.
    """
    contacts = select(Contact).where(Contact.clinic_id == clinic.id, _about(patient_id, conversation_id, item_id))
    if before is not None:
        at, last = before
        contacts = contacts.where(Contact.at <= at, or_(Contact.at < at, Contact.id < last))
    rows = list(session.scalars(contacts.order_by(Contact.at.desc(), Contact.id.desc()).limit(limit)))
    db.load_keys(session, (row.key_id for row in rows))
    return rows


def _about(patient_id: UUID | None, conversation_id: UUID | None, item_id: UUID | None) -> ColumnElement[bool]:
    of_nobody = Contact.patient_id.is_(None)
    number = and_(of_nobody, Contact.conversation_id == conversation_id)
    if patient_id is not None:
        return or_(Contact.patient_id == patient_id, number) if conversation_id else Contact.patient_id == patient_id
    if conversation_id is not None:
        return number
    return and_(of_nobody, Contact.conversation_id.is_(None), Contact.item_id == item_id)


def last_call(session: Session, item: InboxItem) -> Contact | None:
    """Return the last call logged on this item since it came in that was not struck."""
    thread = (
        Contact.patient_id == item.patient_id if item.patient_id else Contact.conversation_id == item.conversation_id
    )
    return session.scalar(
        select(Contact)
        .where(
            thread,
            Contact.item_id == item.id,
            Contact.kind == "call",
            Contact.struck_at.is_(None),
        )
        .order_by(Contact.at.desc(), Contact.id.desc())
        .limit(1)
    )


def _note(session: Session, contact: Contact, staff: Staff, act: str, **detail: str | None) -> None:
    about = f"contact:{contact.id}"
    facts = {"patient": str(contact.patient_id) if contact.patient_id else None, **detail}
    audit.record(session, contact.clinic_id, audit.Actor.staff(staff.id), f"{contact.kind}.{act}", about, **facts)
