"""A file beside a note, for those who read the thread: shown if it is a picture by its bytes, else only ever saved."""

from uuid import UUID

from flask import Response, abort

from config import audit, db
from messaging.inbox.models import Contact
from messaging.media import file_types
from messaging.team.models import TeamFile
from web import layout, permissions, sessions
from web.patients import attachments

teamfiles = layout.room("teamfiles", __name__)


@teamfiles.get("/team/files/<uuid:file_id>")
@permissions.signed_in("team.read")
def show(file_id: UUID) -> Response:
    """Send the bytes as what they are by their content; that they were read is written down."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        row = session.get(TeamFile, file_id)
        if row is None or row.clinic_id != clinic.id:
            abort(404)
        note = session.get_one(Contact, row.contact_id)
        if not layout.may("team.read", note.patient_id):
            abort(403)
        db.load_keys(session, [row.key_id])
        content = row.content or b""
        audit.record(session, clinic.id, layout.the_actor(), "team_file.read", f"team_file:{row.id}")
    return attachments.sent(content, file_types.kind_of(content), f"from-a-colleague-{file_id.hex[-8:]}")


show.policy = attachments.POLICY  # type: ignore[attr-defined]
