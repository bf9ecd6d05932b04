"""How an open page learns that something has changed: a poll that mostly answers 304."""

from uuid import UUID

from flask import jsonify, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Conversation
from web import composer, layout, permissions, sessions

live = layout.room("live", __name__)


@live.get("/inbox/poll")
@permissions.signed_in("inbox.read")
def poll() -> Response:
    """Say whether anything has changed: 304, or a version, the number of open safety items, the last text read."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        newest = select(ItemEvent.id).where(ItemEvent.clinic_id == clinic.id)
        version = session.scalar(newest.order_by(ItemEvent.id.desc()).limit(1))
        said = _last_said(session, request.args.get("conversation"))
        etag = f"{version}.{said}"
        if etag in request.if_none_match:
            return Response(status=304)
        response = jsonify(version=str(version), safety=open_safety(session), said=str(said or ""))
    response.set_etag(etag)
    return response


def _last_said(session: Session, wanted: str | None) -> UUID | None:
    try:
        conversation = session.get(Conversation, UUID(wanted or ""))
    except ValueError:
        return None
    ours = conversation is not None and conversation.clinic_id == sessions.clinic().id
    return composer.latest(session, conversation.id) if conversation is not None and ours else None


def open_safety(session: Session) -> int:
    """Return how many safety items of the clinic nobody has acknowledged."""
    unseen = select(func.count()).where(
        InboxItem.clinic_id == sessions.clinic().id,
        InboxItem.state.in_(("open", "claimed")),
        InboxItem.urgency == 0,
        InboxItem.acknowledged_at.is_(None),
    )
    return session.scalar(unseen) or 0
