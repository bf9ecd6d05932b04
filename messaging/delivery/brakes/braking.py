"""Pulling and releasing a brake, and which texts it holds.

What is held stays queued: nothing of it is lost. When the brake is released it leaves, or is dropped as its own time
is over; that also happens while the brake is pulled, so that nobody waits for a text that has become untrue.
"""

from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, db, queue
from messaging import outbox
from messaging.delivery.brakes.models import Brake
from messaging.inbox.models import InboxItem
from messaging.models import Message

# What can be held. Never: alerts to colleagues, answers to a crisis, handoffs, and the word that follows STOP.
KINDS = ("reminder", "automatic", "reply")


@cache  # asked for each alert: to build it takes longer than to run it
def free() -> ColumnElement[bool]:
    """Return the condition for messages that no brake holds.

    A reply goes through where its patient has a safety item that is not done.
    """
    pulled = exists().where(
        Brake.clinic_id == Message.clinic_id, Brake.kind == Message.kind, Brake.released_at.is_(None)
    )
    about = or_(
        InboxItem.conversation_id == Message.conversation_id,
        InboxItem.patient_id == Message.patient_id,
    )
    in_danger = exists().where(InboxItem.urgency == 0, InboxItem.state != "done", about)
    return or_(
        Message.kind.not_in(KINDS),
        ~pulled,
        Message.expires_at <= db.at(lambda: clock.now()),
        (Message.kind == "reply") & in_danger,
    )


def is_free(session: Session, message_id: UUID) -> bool:
    """Whether no brake holds this text now."""
    return session.scalar(select(Message.id).where(Message.id == message_id, free())) is not None


def pulled(session: Session, clinic_id: UUID) -> dict[str, Brake]:
    """Return the clinic's brakes that are pulled, by kind."""
    rows = session.scalars(select(Brake).where(Brake.clinic_id == clinic_id, Brake.released_at.is_(None)))
    return {row.kind: row for row in rows}


def history(session: Session, clinic_id: UUID, limit: int = 20) -> list[Brake]:
    """Return the clinic's brakes that were pulled last, also those released since, the newest first."""
    rows = select(Brake).where(Brake.clinic_id == clinic_id).order_by(Brake.pulled_at.desc(), Brake.id.desc())
    return list(session.scalars(rows.limit(limit)))


def held(session: Session, clinic_id: UUID) -> dict[str, int]:
    """Return how many texts each of the clinic's brakes holds."""
    kinds = list(pulled(session, clinic_id))
    waiting = (
        select(Message.kind, func.count())
        .where(Message.clinic_id == clinic_id, Message.state == "queued", Message.kind.in_(kinds), ~free())
        .group_by(Message.kind)
    )
    return dict.fromkeys(kinds, 0) | (dict(session.execute(waiting).all()) if kinds else {})


def everywhere(session: Session) -> dict[str, int]:
    """Return in how many clinics each kind is held back."""
    counted = select(Brake.kind, func.count()).where(Brake.released_at.is_(None)).group_by(Brake.kind)
    return dict.fromkeys(KINDS, 0) | dict(session.execute(counted).all())


def pull(
    session: Session, clinic_id: UUID, kind: str, actor: str, *, failed: int | None = None, out_of: int | None = None
) -> bool:
    """Hold a kind of the clinic's texts back; False where it is held back already. ValueError for what never is."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is never held back")
    brake = Brake(
        clinic_id=clinic_id, kind=kind, pulled_at=clock.now(), pulled_by=actor, failed=failed, out_of=out_of,
        released_at=None, released_by=None,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(brake)
    except IntegrityError:  # somebody has, at this very moment or before
        return False
    audit.record(session, clinic_id, actor, "brake.pulled", f"brake:{kind}", failed=failed, out_of=out_of)
    return True


def release(session: Session, clinic_id: UUID, kind: str, actor: str) -> bool:
    """Let a kind of the clinic's texts go again; False where it was not held back."""
    pulled_now = select(Brake).where(Brake.clinic_id == clinic_id, Brake.kind == kind, Brake.released_at.is_(None))
    brake = session.scalar(pulled_now.with_for_update())
    if brake is None:
        return False
    brake.released_at, brake.released_by = clock.now(), actor
    audit.record(session, clinic_id, actor, "brake.released", f"brake:{kind}")
    for lane in outbox.LANES.values():
        queue.ring(session, lane)
    return True
