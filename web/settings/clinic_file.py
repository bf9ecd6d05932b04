"""Everything a clinic decides as one file: to download, to read back into drafts, and its schema."""

import json

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from config import audit, db
from messaging.models import Clinic
from messaging.versions import publishing, toml_positions
from reminders import clinic_file, decision_kinds
from web import layout, permissions, sessions, words
from web.settings import decision_pages

files = layout.room("files", __name__)


@files.get("/settings/file")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the file that holds now, and the form for reading one back."""
    return _page("", [])


@files.get("/settings/file/clinic.toml")
@permissions.signed_in("clinic.look", fresh=True)
def download() -> Response:
    """Hand out the file that holds now."""
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        text = clinic_file.export(session, clinic)
        audit.record(session, clinic.id, layout.the_actor(), "clinic_file.exported", f"clinic:{clinic.id}")
    return _handed(text, "application/toml", "clinic.toml")


@files.get("/settings/file/schema.json")
@permissions.signed_in("clinic.look")
def schema() -> Response:
    """Hand out the JSON Schema of the file."""
    return _handed(json.dumps(clinic_file.schema(), indent=2), "application/schema+json", "schema.json")


@files.post("/settings/file")
@permissions.signed_in("clinic.settings", fresh=True)
def read_in() -> AnyResponse | tuple[str, int]:
    """Make drafts of what a file changes; a mistake is named with its line, and then nothing is kept."""
    try:
        text = _given()
        parsed = clinic_file.parse(text)  # before the transaction: nobody else waits for it
        with db.unit_of_work(sessions.clinic().id) as session:
            clinic = session.get_one(Clinic, sessions.clinic().id)
            drafted = clinic_file.keep(session, clinic, parsed, text, layout.the_actor())
    except UnicodeDecodeError:
        return _page("", [publishing.Problem("file", words.say("clinic_file", "not_text"))]), 422
    except clinic_file.BadFile as wrong:
        return _page(text, wrong.problems), 422
    named = ", ".join(words.say("decisions", name) for name in drafted)
    flash(words.say("clinic_file", "drafted", names=named) if drafted else words.say("clinic_file", "same"))
    return redirect(url_for("files.show"), 303)


def _given() -> str:
    sent = request.files.get("file")
    if sent is not None and sent.filename:
        return sent.stream.read(toml_positions.LONGEST + 1).decode("utf-8-sig")
    return request.form.get("text", "").replace("\r\n", "\n")


def _handed(text: str, kind: str, name: str) -> Response:
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _page(text: str, problems: list[publishing.Problem]) -> str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        drafts = [
            (words.say("decisions", name), decision_pages.EDITORS[name])
            for name in decision_kinds.KINDS
            if name in decision_pages.EDITORS and publishing.draft(session, clinic.id, name) is not None
        ]
        return layout.page(
            session,
            "staff/clinic_file.html",
            here="file",
            text=text,
            problems=problems,
            now=clinic_file.export(session, clinic),
            drafts=drafts,
            edits=layout.may("clinic.settings"),
        )
