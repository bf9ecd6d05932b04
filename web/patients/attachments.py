"""A picture or file that came with a text, for those who may read what patients write: shown, never run."""

from uuid import UUID

from flask import Response, abort
from sqlalchemy.orm import Session

from config import audit, db
from messaging.media import file_types
from messaging.models import Conversation, Media, Message
from web import layout, permissions, sessions

attachments = layout.room("attachments", __name__)
# The browser gets bytes and nothing that could act: no script, no plugin, no frame, no origin of ours.
POLICY = "default-src 'none'; img-src 'self'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@attachments.get("/attachments/<uuid:media_id>")
@permissions.signed_in("inbox.words")
def show(media_id: UUID) -> Response:
    """Send the bytes as what they are by their content; whatever is no picture is only ever saved."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        media = session.get(Media, media_id)
        if media is None or media.clinic_id != clinic.id or media.state not in ("held", "kept"):
            abort(404)
        if not layout.reads(_whose(session, media)):
            abort(403)
        db.load_keys(session, [media.key_id])
        content = media.content or b""
        kind = file_types.kind_of(content)
        audit.record(session, clinic.id, audit.Actor.staff(staff.id), "media.read", f"media:{media.id}")
    return sent(content, kind, f"from-patient-{media_id.hex[-8:]}")


def _whose(session: Session, media: Media) -> UUID | None:
    """Return the patient who sent it, None where the phone is nobody's or several people's."""
    message = session.get_one(Message, media.message_id)
    talk = session.get(Conversation, message.conversation_id) if message.conversation_id else None
    return talk.patient_id if talk is not None else None


def sent(content: bytes, kind: file_types.Kind, name: str) -> Response:
    """Return bytes as a picture to look at, or as a file to save under a name of ours, whatever they were called."""
    answer = Response(content, content_type=kind.type if kind.picture else file_types.UNKNOWN.type)
    way = "inline" if kind.picture else "attachment"
    answer.headers["Content-Disposition"] = f'{way}; filename="{name}.{kind.ending}"'
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


show.policy = POLICY  # type: ignore[attr-defined]
