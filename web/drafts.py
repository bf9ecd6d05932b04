"""What somebody has begun to write: one draft for each person and thread, that nobody but its author clears."""

from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock
from messaging.models import Clinic, Message, Staff
from messaging.wording import proofreading
from web.models import Draft

LONGEST = 4_000


class NewerDraft(Exception):
    """The same person has written something else here meanwhile, in another window; `draft` is it."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("a newer draft")
        self.draft = draft


def find(session: Session, staff: Staff, thread: str) -> Draft | None:
    """Return the draft of `staff` in a thread (InboxItem.thread), if there is one."""
    return session.scalar(select(Draft).where(Draft.staff_id == staff.id, Draft.thread == thread))


def threads(session: Session, staff: Staff) -> set[str]:
    """Return the threads in which `staff` has begun to write something."""
    return set(session.scalars(select(Draft.thread).where(Draft.staff_id == staff.id)))


def version(draft: Draft | None) -> str:
    """Return what a page says to have seen of a draft, "" for none."""
    return draft.updated_at.isoformat() if draft is not None else ""


def keep(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    thread: str,
    body: str,
    *,
    compose_id: UUID,
    seen_id: UUID | None = None,
    known: str | None = None,
) -> Draft | None:
    """Keep what was typed; nothing typed clears it, and then None is returned.

    `known` is the version the page has seen, None if it does not matter. Raises NewerDraft where another window of
    the same person has kept other words since. A text that has been sent takes its id with it: words typed after it
    are another text.
    """
    body = body[:LONGEST]
    present = find(session, staff, thread)
    if present is not None and known is not None and version(present) != known and present.body != body:
        raise NewerDraft(present)
    sent = _sent(session, clinic, compose_id)
    if not body.strip() or sent == proofreading.tidy(body):
        clear(session, staff, thread)
        return None
    compose_id = compose_id if sent is None else uuid4()
    draft = present or _begin(session, clinic, staff, thread, body, compose_id)
    draft.body, draft.compose_id, draft.seen_id = body, compose_id, seen_id
    draft.updated_at = clock.now()
    session.flush()
    return draft


def _begin(session: Session, clinic: Clinic, staff: Staff, thread: str, body: str, compose_id: UUID) -> Draft:
    draft = Draft(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        staff_id=staff.id,
        thread=thread,
        body=body,
        compose_id=compose_id,
        updated_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(draft)
    except IntegrityError:  # another window has begun one at this very moment
        other = find(session, staff, thread)
        if other is None:
            raise
        raise NewerDraft(other) from None
    return draft


def _sent(session: Session, clinic: Clinic, compose_id: UUID) -> str | None:
    """The words that have gone out under this id already, if any have."""
    sent = select(Message).where(Message.clinic_id == clinic.id, Message.dedupe == dedupe(compose_id))
    message = session.scalar(sent)
    return message.body or "" if message is not None else None


def dedupe(compose_id: UUID | str) -> str:
    """Return the key under which what is composed becomes one text, however often it is sent."""
    return f"compose:{compose_id}"


def clear(session: Session, staff: Staff, thread: str) -> None:
    """Clear the draft of `staff` in a thread: they sent it, emptied it, or discarded it."""
    session.execute(delete(Draft).where(Draft.staff_id == staff.id, Draft.thread == thread))


def follow(session: Session, old: str, new: str) -> None:
    """Let what was begun in one thread stand in another; where the same person has begun there too, both stay."""
    for draft in session.scalars(select(Draft).where(Draft.thread == old)).all():
        there = session.scalar(select(Draft).where(Draft.staff_id == draft.staff_id, Draft.thread == new))
        if there is None:
            draft.thread = new
        else:
            there.body = "\n".join(filter(None, [there.body, draft.body]))
            session.delete(draft)
