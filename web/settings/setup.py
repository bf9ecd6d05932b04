"""The home of the settings: what is done and what is left before a clinic's patients are texted, each with its way."""

from dataclasses import dataclass
from uuid import uuid4

from flask import abort, current_app, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging import outbox
from messaging.models import Clinic, Staff
from messaging.wording import clinic_names
from web import layout, permissions, sessions, words
from web.ids import uuid_of
from web.settings import checklist, decision_pages

setup = layout.room("setup", __name__)
# Where each step is taken. A decision's page is named by its kind (versions.EDITORS); the first that is there counts.
WAYS = {
    "hours": ("settings.show",),
    "signed_in": ("colleagues.show",),
    "reached": ("settings.show",),
    "languages": ("colleagues.show",),
    "words": ("savedreplies.show",),
    "imported": ("imports.show", "importing.show"),
}


@dataclass(frozen=True)
class Line:
    """One step as it is read: what, its state, how it stands, and where it is taken ("" where nowhere yet)."""

    name: str
    state: str
    title: str
    said: str
    way: str


@setup.get("/settings")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show what is set up and what is not."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@setup.post("/settings/test-text")
@permissions.signed_in("clinic.settings")
def send_test() -> Response | tuple[str, int]:
    """Send one text to the reader's own phone, once for each form."""
    once = uuid_of(request.form.get("once"))
    if once is None:
        abort(400)
    me = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic, staff = session.get_one(Clinic, sessions.clinic().id), session.get_one(Staff, me.id)
        db.load_keys(session, {clinic.key_id})
        body = words.say("setup_words", "test_text", clinic=clinic_names.in_texts(clinic, "en"))
        dedupe = f"{checklist.TEST_TEXT}:{staff.id}:{once}"
        if outbox.text_staff(session, clinic, staff, body=body, dedupe=dedupe) is None:
            return _page(session, problem=words.say("setup_words", "no_number")), 422
        audit.record(session, clinic.id, layout.the_actor(), "staff.test_text", f"staff:{staff.id}")
    flash(words.say("setup_words", "sent"))
    return redirect(url_for("setup.show"), 303)


def _page(session: Session, problem: str = "") -> str:
    clinic = session.get_one(Clinic, sessions.clinic().id)
    lines = [_line(step) for step in checklist.steps(session, clinic, layout.the_staff().id)]
    ready = sum(line.state in ("done", "shipped") for line in lines)
    return layout.page(
        session,
        "staff/setup.html",
        here="setup",
        lines=lines,
        ready=ready,
        whole=ready == len(lines),
        once=uuid4(),
        problem=problem,
        edits=layout.may("clinic.settings"),
    )


def _line(step: checklist.Step) -> Line:
    filled = dict(step.filled)
    if filled.get("languages"):
        filled["languages"] = ", ".join(words.say("languages", language) for language in filled["languages"].split(","))
    return Line(
        name=step.name,
        state=step.state,
        title=words.say("setup", step.name),
        said=words.say("setup_said", f"{step.name}_{step.said}", **filled),
        way=_way(step.name),
    )


def _way(name: str) -> str:
    endpoints = ([decision_pages.EDITORS[name]] if name in decision_pages.EDITORS else []) + list(WAYS.get(name, ()))
    endpoint = next((endpoint for endpoint in endpoints if endpoint in current_app.view_functions), None)
    return url_for(endpoint) if endpoint else ""
