"""Tells the clinic's administrator that an EHR has not taken something: one open item a feed, however much it is."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from interchange.models import Feed
from messaging.ehr_outbox.models import EhrWrite
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import roster
from messaging.models import Clinic, Staff
from records.fhir import phrases

ABOUT = "feed_writing"


def tell(session: Session, feed: Feed) -> None:
    """Open the item unless it is open."""
    if _open(session, feed):
        return
    clinic = session.get_one(Clinic, feed.clinic_id)
    db.load_keys(session, [clinic.key_id])
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=f"{ABOUT}:{feed.id}",
        dedupe=f"{ABOUT}:{feed.id}:{db.new_id()}",
        summary=(phrases.say("items", "not_taken") or "").replace("{feed}", feed.name),
        owner_id=roster.administrator(session, clinic),
    )


def settle(session: Session, feed: Feed, staff: Staff) -> None:
    """End the item in the name of who saw to the last thing that was refused."""
    session.flush()
    left = select(EhrWrite.id).where(EhrWrite.feed_id == feed.id, EhrWrite.state == "refused").limit(1)
    if session.scalar(left) is None:
        for item in _open(session, feed):
            items.resolve(session, item, staff, "handled")


def _open(session: Session, feed: Feed) -> Sequence[InboxItem]:
    waiting = select(InboxItem).where(InboxItem.clinic_id == feed.clinic_id, InboxItem.state != "done")
    return session.scalars(waiting.where(InboxItem.about == f"{ABOUT}:{feed.id}")).all()
