"""Tells the clinic's administrator that an endpoint is not reached, or was switched off: an item of their inbox."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.event_webhooks.models import WebhookEndpoint
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import roster
from messaging.models import Clinic

ABOUT = "webhook_endpoint"


def failing(session: Session, endpoint: WebhookEndpoint) -> None:
    """Say that nothing gets through to an endpoint, unless that stands there already and nobody has ended it."""
    waiting = select(InboxItem.id).where(
        InboxItem.clinic_id == endpoint.clinic_id, InboxItem.about == _about(endpoint), InboxItem.state != "done"
    )
    if session.scalar(waiting.limit(1)) is None:
        _tell(session, endpoint, "webhook_failing")


def switched_off(session: Session, endpoint: WebhookEndpoint) -> None:
    """Say that an endpoint was switched off."""
    _tell(session, endpoint, "webhook_off")


def _tell(session: Session, endpoint: WebhookEndpoint, summary: str) -> None:
    clinic = session.get_one(Clinic, endpoint.clinic_id)
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=_about(endpoint),
        dedupe=f"{_about(endpoint)}:{db.new_id()}",
        summary=items.words()["summaries"][summary].replace("{name}", endpoint.name),
        owner_id=roster.administrator(session, clinic),
    )


def _about(endpoint: WebhookEndpoint) -> str:
    return f"{ABOUT}:{endpoint.id}"
