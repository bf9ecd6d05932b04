"""Files beside a note, sealed under the patient's key and known by their bytes alone."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox.models import Contact
from messaging.media import file_types, scanning
from messaging.models import Staff
from messaging.team.models import TeamFile

LARGEST, MOST, LONGEST_NAME = file_types.LARGEST, 5, 120


@dataclass(frozen=True)
class Upload:
    """A file as it was chosen: what it is called there, and its bytes."""

    name: str
    content: bytes


class Refused(ValueError):
    """A file cannot be kept: `why` is file_large | file_empty | file_many | file_harmful | file_unknown."""

    def __init__(self, why: str, name: str = "") -> None:
        super().__init__(why)
        self.why, self.name = why, name


def check(uploads: Sequence[Upload]) -> None:
    """Raise Refused for the first file that cannot be kept."""
    if len(uploads) > MOST:
        raise Refused("file_many")
    for upload in uploads:
        if len(upload.content) > LARGEST:
            raise Refused("file_large", upload.name)
        if not upload.content:
            raise Refused("file_empty", upload.name)


def scan(uploads: Sequence[Upload]) -> None:
    """Raise Refused for the first file that would do harm (file_harmful), or of which nobody can say (file_unknown).

    Before any transaction, as the operator's scanner may take its time. What `check` refuses is not scanned.
    """
    check(uploads)
    for upload in uploads:
        try:
            scanning.refuse_harm(upload.content)
        except scanning.NotClean as found:
            raise Refused("file_unknown" if found.unknown else "file_harmful", upload.name) from None


def keep(session: Session, contact: Contact, staff: Staff, uploads: Sequence[Upload]) -> None:
    """Keep files beside a note; what each is, its bytes say. The note must have been checked and written."""
    for place, upload in enumerate(uploads):
        row = TeamFile(
            clinic_id=contact.clinic_id,
            key_id=contact.key_id,
            contact_id=contact.id,
            place=place,
            name=_shown(upload.name),
            type=file_types.kind_of(upload.content).type,
            size=len(upload.content),
            content=upload.content,
            created_at=clock.now(),
        )
        session.add(row)
        about, actor = f"team_file:{row.id}", audit.Actor.staff(staff.id)
        audit.record(session, contact.clinic_id, actor, "team_file.kept", about, size=row.size)


def _shown(name: str) -> str:
    """Return a file's name without signs that are not seen: one that turns the rest around hides its ending."""
    return "".join(sign for sign in name if sign.isprintable()).strip()[:LONGEST_NAME] or "file"


def follow(session: Session, old: Contact, new: Contact) -> None:
    """Let the files of a corrected note stand beside the one in its place, which brings none itself."""
    for row in of_contacts(session, [old.id])[old.id]:
        row.contact_id = new.id
    session.flush()


def of_contacts(session: Session, contact_ids: Collection[UUID]) -> dict[UUID, list[TeamFile]]:
    """Return the files beside each of these notes, in their order, without the bytes."""
    by_contact: dict[UUID, list[TeamFile]] = defaultdict(list)
    if contact_ids:
        rows = select(TeamFile).where(TeamFile.contact_id.in_(contact_ids)).order_by(TeamFile.place)
        for row in session.scalars(rows):
            by_contact[row.contact_id].append(row)
    return by_contact
