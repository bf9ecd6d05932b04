"""A campaign halts by itself: where too many of the last texts of a kind failed, its brake is pulled."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, logging
from messaging.delivery.brakes import braking
from messaging.delivery.brakes.models import Brake
from messaging.models import Attempt, Message

# What the service writes to many. A colleague's own words to one person are no campaign.
CAMPAIGNS = ("reminder", "automatic")
FAILED, CONCLUDED = ("failed", "undelivered"), ("sent", "delivered", "failed", "undelivered")
# More than this share of the last texts, once there are enough to say; older ones say nothing of now.
SHARE, LEAST, LAST = 0.15, 20, 100
# Of the newest tries of all clinics so many are looked through for those of one: no more, however large the table.
NEWEST = 5000
HALT = audit.Actor.system("halt")


def learn(session: Session, message: Message) -> None:
    """A text has failed for good: pull the brake of its kind if too many have."""
    if message.kind not in CAMPAIGNS:
        return
    failed, out_of = last_sends(session, message.clinic_id, message.kind)
    if out_of < LEAST or failed <= SHARE * out_of:
        return
    if braking.pull(session, message.clinic_id, message.kind, HALT, failed=failed, out_of=out_of):
        logging.logger().error("a campaign halted", clinic_id=message.clinic_id, kind=message.kind)


def last_sends(session: Session, clinic_id: UUID, kind: str) -> tuple[int, int]:
    """Return how many of the clinic's last texts of `kind` failed, and out of how many; a release begins anew."""
    newest = (
        select(Attempt.id, Attempt.message_id, Attempt.clinic_id, Attempt.started_at)
        .order_by(Attempt.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    ours = (
        select(newest.c.message_id, Message.state)
        .join(Message, Message.id == newest.c.message_id)
        .where(newest.c.clinic_id == clinic_id, Message.kind == kind, Message.state.in_(CONCLUDED))
        .order_by(newest.c.id.desc())
    )
    released = _released_at(session, clinic_id, kind)
    if released is not None:
        ours = ours.where(newest.c.started_at > released)
    by_text: dict[UUID, str] = dict(session.execute(ours).all())  # a text that was tried twice counts once
    last = list(by_text.values())[:LAST]
    return sum(state in FAILED for state in last), len(last)


def _released_at(session: Session, clinic_id: UUID, kind: str) -> datetime | None:
    return session.scalar(select(func.max(Brake.released_at)).where(Brake.clinic_id == clinic_id, Brake.kind == kind))
