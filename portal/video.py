"""The patient's way into the clinic's video room: a page with one button, so that a preview never joins."""

from typing import Any

from flask import Blueprint, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db, keys
from intake_links import frame, rendering
from messaging.models import Clinic, Patient
from portal import words
from reminders import handoffs
from reminders.handoff import machine, telling
from reminders.models import Handoff

video = Blueprint("video", __name__, url_prefix=telling.DOOR, template_folder="templates")
video.before_request(frame.only_from_here)
video.after_request(frame.seal_the_page)


@video.get("/<token>")
def show(token: str) -> Response:
    """Show the button; nothing happens, and the room's address is not on the page."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        handoff = _opened_by(session, token)
        if handoff is None:
            return frame.dead_end(session, rendering.language_for(None), None, 404)
        return _page(session, handoff, action=url_for("video.join", token=token))


@video.post("/<token>")
def join(token: str) -> Response:
    """Note that they are there, and show the way into the room."""
    with db.unit_of_work(db.EVERY) as session:
        handoff = _opened_by(session, token)
        if handoff is None:
            return frame.dead_end(session, rendering.language_for(None), None, 404)
        handoffs.arrive(session, handoff, audit.Actor.patient(handoff.patient_id))
        return _page(session, handoff, room=handoff.door)


def _opened_by(session: Session, token: str) -> Handoff | None:
    """The handoff whose link this is, None where it has ended or goes on by phone."""
    handoff = session.scalar(select(Handoff).where(Handoff.door_hash == keys.token_hash(token)))
    # While somebody waits there, or is there already: whoever fell out of the call comes in again.
    opens = handoff is not None and handoff.modality == "video" and handoff.state in machine.TAKEN_ON
    return handoff if opens else None


def _page(session: Session, handoff: Handoff, **facts: Any) -> Response:
    clinic = session.get_one(Clinic, handoff.clinic_id)
    patient = session.get_one(Patient, handoff.patient_id)
    language = rendering.language_for(patient.language)
    return rendering.page("own/video", language, clinic, o=words.texts(language), own=True, **facts)
