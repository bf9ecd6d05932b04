"""A note of one colleague to another, about no patient: an item of theirs, with a receipt, answered or read."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import dispositions, items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Staff
from messaging.team import asking, readers
from messaging.team.models import ColleagueNote

LONGEST, SHOWN = 2000, 40
READ, ANSWERED = dispositions.OF_TEAM["note"]


class Refused(ValueError):
    """This note cannot be sent: `why` is a key of the page's refusals, `field` where it was typed."""

    def __init__(self, why: str, field: str) -> None:
        super().__init__(why)
        self.why, self.field = why, field


def send(
    session: Session,
    clinic: Clinic,
    author: Staff,
    to: Staff | None,
    words: str,
    *,
    answers: ColleagueNote | None = None,
    once: UUID | None = None,
) -> ColleagueNote:
    """Send a note, and close what it answers; `once` makes two posts of one form one note.

    Raises Refused without words or for somebody it cannot reach.
    """
    if to is None or to.id == author.id or to.clinic_id != clinic.id or not readers.may_be_asked(to, patient=False):
        raise Refused("note_to", "to")
    if not words.strip():
        raise Refused("note_empty", "words")
    db.load_keys(session, {clinic.key_id})
    words = words.strip()[:LONGEST]
    sent = session.get(ColleagueNote, once) if once else None
    if sent is not None and (sent.from_id, sent.to_id, sent.words) == (author.id, to.id, words):
        return sent  # the same form, sent twice
    note = _keep(session, clinic, author, to, words, once if once and sent is None else db.new_id())
    if answers is not None:
        note.answers_id = answers.id
        close(session, answers, author, ANSWERED)
    return note


def _keep(session: Session, clinic: Clinic, author: Staff, to: Staff, words: str, note_id: UUID) -> ColleagueNote:
    item = asking.open_for(
        session,
        clinic,
        to,
        kind="note",
        about=f"colleague_note:{note_id}",
        dedupe=f"note:{note_id}",
        summary=items.words()["summaries"]["note_from"].format(who=author.name),
    )
    session.flush()
    facts = {"clinic_id": clinic.id, "key_id": clinic.key_id, "from_id": author.id, "to_id": to.id, "item_id": item.id}
    note = ColleagueNote(id=note_id, **facts, words=words, at=clock.now())
    session.add(note)
    session.flush()
    actor = audit.Actor.staff(author.id)
    audit.record(session, clinic.id, actor, "colleague_note.sent", f"colleague_note:{note.id}", to=str(to.id))
    return note


def may_read(note: ColleagueNote, item: InboxItem, staff: Staff) -> bool:
    """Whether this colleague may read it: who wrote it, whom it is for, and who has it in their place."""
    return staff.id in (note.from_id, note.to_id, item.owner_id)


def find(session: Session, staff: Staff, note_id: UUID | None) -> tuple[ColleagueNote, InboxItem] | None:
    """Return a note that this colleague may read, with its item."""
    note = session.get(ColleagueNote, note_id) if note_id else None
    item = session.get(InboxItem, note.item_id) if note is not None else None
    if note is None or item is None or note.clinic_id != staff.clinic_id or not may_read(note, item, staff):
        return None
    db.load_keys(session, {note.key_id})
    return note, item


def of_item(session: Session, item: InboxItem) -> ColleagueNote | None:
    """Return the note an item is about, its key loaded."""
    note = session.scalar(select(ColleagueNote).where(ColleagueNote.item_id == item.id))
    if note is not None:
        db.load_keys(session, {note.key_id})
    return note


def listing(session: Session, staff: Staff) -> list[tuple[ColleagueNote, InboxItem]]:
    """Return the last notes to, from and in the care of a colleague, the latest first."""
    rows = (
        select(ColleagueNote, InboxItem)
        .join(InboxItem, InboxItem.id == ColleagueNote.item_id)
        .where(
            ColleagueNote.clinic_id == staff.clinic_id,
            or_(ColleagueNote.from_id == staff.id, ColleagueNote.to_id == staff.id, InboxItem.owner_id == staff.id),
        )
        .order_by(ColleagueNote.at.desc(), ColleagueNote.id.desc())
        .limit(SHOWN)
    )
    listed = [(note, item) for note, item in session.execute(rows)]
    db.load_keys(session, (note.key_id for note, _ in listed))
    return listed


def read(session: Session, note: ColleagueNote, item: InboxItem, staff: Staff) -> None:
    """Write down that a note was read, by who it is for or by who has it in their place."""
    if note.read_at is None and staff.id in (note.to_id, item.owner_id):
        note.read_at, note.read_by = clock.now(), staff.id
        about = f"colleague_note:{note.id}"
        audit.record(session, note.clinic_id, audit.Actor.staff(staff.id), "colleague_note.read", about)


def close(session: Session, note: ColleagueNote, staff: Staff, disposition: str = READ) -> None:
    """Let a note wait for nobody any more: said by whom it is for, or by who has it. Raises items.Refused."""
    item = session.get_one(InboxItem, note.item_id, with_for_update=True)
    read(session, note, item, staff)
    if staff.id == note.to_id:
        item.owner_id = staff.id  # theirs, though somebody covers for them
    items.resolve(session, item, staff, disposition)
