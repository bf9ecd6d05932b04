"""Which feed a frame belongs to: who sends it (MSH-3 and MSH-4), over a connection that may speak for that feed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from interchange import feeds
from interchange.accepting import Sender
from interchange.hl7 import er7
from interchange.models import Feed
from messaging.models import Clinic
from webhooks import receipts


@dataclass(frozen=True)
class Door:
    """A feed that takes messages by MLLP: of whom, over whose certificate ("" none), and how they are kept."""

    application: str
    certificate: str
    sender: Sender


def sender_of(body: bytes, names: frozenset[str] | None) -> Sender | None:
    """Return whose messages these are, None where no feed takes all of them over this connection.

    `names` are those of the client's certificate, None on a plain connection of this machine. What cannot be read is
    the only feed's that may be meant.
    """
    doors = [door for door in _doors() if names is None or door.certificate in names]
    try:
        said = {message.sender for message in er7.read(body, "8859/1").messages}
    except er7.Unreadable:
        said = {doors[0].application} if len(doors) == 1 else set()
    # A frame of two clinics' messages would be one clinic's.
    meant = [door for door in doors if said == {door.application}]
    return meant[0].sender if len(meant) == 1 else None


def _doors() -> Sequence[Door]:
    return receipts.remembered("webhooks.mllp", "doors", _read) or ()


def _read(session: Session) -> tuple[Door, ...]:
    rows = session.execute(
        select(Feed, Clinic).join(Clinic, Clinic.id == Feed.clinic_id).where(Feed.mllp_sender.is_not(None))
    )
    return tuple(
        Door(
            feed.mllp_sender or "",
            feed.mllp_certificate,
            Sender(feeds.whose(session, feed, clinic), feeds.profile_of(feed.profile, clinic.zone)),
        )
        for feed, clinic in rows
    )
