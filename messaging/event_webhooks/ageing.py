"""Forgets deliveries that have been over for as long as they are kept, with every try."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.event_webhooks import schedule
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery

BATCH = 500


def drain() -> int:
    """Forget what is kept no longer; return how many deliveries that were."""
    with db.unit_of_work(db.EVERY) as session:
        over = WebhookDelivery.ended_at < clock.now() - schedule.shipped().kept
        old = session.scalars(select(WebhookDelivery.id).where(over).limit(BATCH)).all()
        session.execute(delete(WebhookAttempt).where(db.among(session, WebhookAttempt.delivery_id, old)))
        session.execute(delete(WebhookDelivery).where(db.among(session, WebhookDelivery.id, old)))
    return len(old)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a delivery should be forgotten."""
    kept = schedule.shipped().kept
    ended = session.scalar(select(func.min(WebhookDelivery.ended_at)).where(WebhookDelivery.ended_at < now - kept))
    return ended + kept if ended else None
