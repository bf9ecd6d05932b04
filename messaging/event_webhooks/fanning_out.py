"""Makes a delivery of each event for each endpoint that hears of its kind, in the order of the clinic's list.

An endpoint remembers up to which event that was done, in the transaction of the deliveries: none is left out and none
made twice, whoever is killed when.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from config import clock, db
from config.audit import Actor, AuditEntry, AuditHead
from messaging.event_webhooks.models import WebhookDelivery, WebhookEndpoint
from messaging.programs import events

BATCH = 500


def fan_out() -> int:
    """Make the deliveries that are to be made; return how many."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        behind = session.scalars(_behind(WebhookEndpoint.id)).all()
    made = 0
    for endpoint_id in behind:
        with db.unit_of_work(db.EVERY) as session:
            made += _of_endpoint(session, endpoint_id)
    return made


def oldest(session: Session, _now: datetime) -> datetime | None:
    """Return since when the oldest event waits that was not looked at yet for an endpoint."""
    first = and_(AuditEntry.clinic_id == WebhookEndpoint.clinic_id, AuditEntry.seq == WebhookEndpoint.seq + 1)
    since: datetime | None = session.scalar(_behind(func.min(AuditEntry.at)).join(AuditEntry, first))
    return since


def _behind(what: Any) -> Select[Any]:
    heads = AuditHead.clinic_id == WebhookEndpoint.clinic_id
    there = select(what).select_from(WebhookEndpoint).join(AuditHead, heads)
    return there.where(WebhookEndpoint.state == "on", AuditHead.seq > WebhookEndpoint.seq)


def _of_endpoint(session: Session, endpoint_id: UUID) -> int:
    endpoint = session.get_one(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if endpoint.state != "on":
        return 0
    newest = events.newest(session, endpoint.clinic_id)
    found = events.after(session, endpoint.clinic_id, endpoint.seq, kinds=endpoint.kinds, limit=BATCH)
    now = clock.now()
    rows = [
        {
            "id": new,
            "clinic_id": endpoint.clinic_id,
            "endpoint_id": endpoint.id,
            "seq": entry.seq,
            "type": entry.act,
            "subject": entry.about,
            "by": Actor(entry.actor).kind,
            "at": entry.at,
            "state": "waiting",
            "try_after": now,
            "attempts": 0,
            "fence": 0,
        }
        for new, entry in zip(db.new_ids(len(found)), found, strict=True)
    ]
    db.write_rows(session, WebhookDelivery, rows)
    # Where more is left, the last of these is how far we are; else at least as far as the list was before it was read.
    last = (found[-1].seq or 0) if found else 0
    endpoint.seq = last if len(found) == BATCH else max(newest, endpoint.seq, last)
    return len(rows)
