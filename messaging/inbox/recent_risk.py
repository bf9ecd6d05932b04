"""Whoever was at risk lately is answered sooner: no rule finds every crisis that is meant and not said."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox.models import InboxItem

# Policy, not law: so long after somebody spoke of a crisis or answered a self-harm item positively.
LATELY = timedelta(days=30)


def at_risk_lately(session: Session, conversation_id: UUID, patient_ids: Collection[UUID]) -> bool:
    """Whether there was an item of patient safety about this conversation or any of these patients, settled or not."""
    alerts = select(InboxItem.id).where(
        InboxItem.kind == "safety",
        InboxItem.created_at >= clock.now() - LATELY,
        or_(InboxItem.conversation_id == conversation_id, InboxItem.patient_id.in_(patient_ids)),
    )
    return bool(session.scalar(select(exists(alerts))))
