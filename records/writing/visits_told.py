"""What an EHR that speaks HL7 is told of a visit: the newest message in which it has said it, said back."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from interchange import feeds
from interchange.hl7 import er7, telling
from interchange.models import Feed, FeedMessage, FeedVisit
from messaging.ehr_outbox.models import EhrWrite
from messaging.models import Clinic
from records.writing import contents
from records.writing.contents import Part
from reminders.models import Appointment

# The states of a visit that come of what its patient says.
SAID = ("confirmed", "change_asked")


def part(session: Session, row: EhrWrite, visit: Appointment) -> Part | None:
    """Return what is said of a visit as it stands; None where no message of the EHR's is kept that says it."""
    told = select(FeedMessage).join(FeedVisit, FeedVisit.message_id == FeedMessage.id)
    mine = told.where(FeedVisit.feed_id == row.feed_id, FeedVisit.external_id == visit.external_id)
    kept = session.scalars(mine).first()
    if kept is None:
        return None
    db.load_keys(session, [kept.key_id])
    feed, clinic = session.get_one(Feed, row.feed_id), session.get_one(Clinic, row.clinic_id)
    profile = feeds.profile_of(feed.profile, clinic.zone)
    try:
        message = er7.read(kept.raw or "").messages[0]
    except er7.Unreadable:  # emptied by now, or a resource of FHIR
        return None
    how, control_id = profile.tells[visit.state], telling.control_id(row.id.hex, row.edition)  # type: ignore[index]
    said = telling.segments(message, how, visit.confirmed_at or visit.updated_at, control_id)
    return contents.message(f"SIU^{how.event}", control_id, said, profile.charset or message.header.part(18))
