"""What came of it, said in one step: the outcome for each reason that was shown, the note, and the next contact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import dispositions as sayings
from messaging.inbox import items, notes_and_calls, undoing
from messaging.inbox.models import Contact, InboxItem, ItemEvent
from messaging.models import Clinic, Staff

# How far ahead the next contact may be.
LATEST = timedelta(days=400)


@dataclass(frozen=True)
class Outcome:
    """What was done (`disposition`), the note about it, and when to be in touch next; `once` makes two posts one."""

    disposition: str
    words: str = ""
    next_at: datetime | None = None
    once: UUID | None = None


def record(session: Session, clinic: Clinic, staff: Staff, reasons: Sequence[InboxItem], outcome: Outcome) -> ItemEvent:
    """Acknowledge what belongs together as one act, which is taken back as one.

    `reasons` are items of one patient, the most urgent first, at least one; whoever was not reached is owed still, and
    `next_at` becomes the clock; else it becomes a task (messaging.team.tasks). Raises ValueError for a disposition that
    does not fit all of them, items.Refused without the note that an assessment needs, or without a fitting next try.
    """
    if not all(sayings.fits(item.kind, outcome.disposition) for item in reasons):
        raise ValueError("choose what was done")
    if sayings.needs_note(outcome.disposition) and not outcome.words.strip():
        raise items.Refused("note_owed")
    now = clock.now()
    if outcome.next_at is not None and not now < outcome.next_at <= now + LATEST:
        raise items.Refused("next_unread")
    with session.begin_nested():  # what one of them refuses is refused whole, the note too
        # Before the act, so that nothing has happened to the items after it and it can be taken back.
        note = _note(session, clinic, staff, reasons[0], outcome)
        lines = [items.acknowledge(session, item, staff, outcome.disposition, outcome.next_at) for item in reasons]
        done = undoing.bind(lines)
        if note is not None:
            done.detail = {**done.detail, "note": str(note.id)}
    return done


def _note(session: Session, clinic: Clinic, staff: Staff, item: InboxItem, outcome: Outcome) -> Contact | None:
    next_try = outcome.next_at if sayings.needs_next_try(item.kind, outcome.disposition) else None
    if not outcome.words.strip() and next_try is None:
        return None
    return notes_and_calls.write_note(
        session,
        clinic,
        staff,
        words=outcome.words,
        next_try_at=next_try,
        patient_id=item.patient_id,
        conversation_id=item.conversation_id,
        item_id=item.id,
        once=outcome.once,
    )
