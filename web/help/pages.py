"""Shows the help, opened about the page one comes from, and closes hints for good."""

from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from config import audit, db
from messaging.models import Staff
from web import layout, permissions, sessions, words
from web.account import entering
from web.help import texts

help_pages = layout.room("help", __name__)


@help_pages.app_context_processor
def _facts() -> dict[str, Any]:
    return {"help_about": texts.about, "hint_of": _hint_of}


def _hint_of(here: str | None) -> str | None:
    """The name of a page's hint, None if it has none or the reader has closed it."""
    name = here or ""
    return name if name in words.table_of("hints") and name not in layout.the_staff().hints_closed else None


@help_pages.get("/help")
@permissions.signed_in("self")
def contents() -> Response:
    """Go to where the help begins."""
    return redirect(url_for("help.page", name=texts.NAMES[0]), 303)


@help_pages.get("/help/<name>")
@permissions.signed_in("self")
def page(name: str) -> str:
    """Show one page of help beside the list of all."""
    every = texts.every()
    if name not in every:
        abort(404)
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return layout.page(session, "staff/help.html", here="help", name=name, text=every[name], contents=every)


@help_pages.post("/help/hints/<name>/close")
@permissions.signed_in("self")
def close_hint(name: str) -> Response:
    """Show this person the hint no more, in whatever browser."""
    if name not in words.table_of("hints"):
        abort(404)
    with db.unit_of_work(sessions.clinic().id) as session:
        me = session.get_one(Staff, layout.the_staff().id, with_for_update=True)
        if name not in me.hints_closed:
            me.hints_closed = [*me.hints_closed, name]
            audit.record(session, me.clinic_id, layout.the_actor(), "staff.hint_closed", f"staff:{me.id}", hint=name)
    return redirect(entering.safe_next(request.form.get("back")), 303)


@help_pages.post("/help/hints/again")
@permissions.signed_in("self")
def open_hints() -> Response:
    """Show this person every hint again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        me = session.get_one(Staff, layout.the_staff().id, with_for_update=True)
        me.hints_closed = []
        audit.record(session, me.clinic_id, layout.the_actor(), "staff.hints_opened", f"staff:{me.id}")
    return redirect(url_for("help.page", name=texts.NAMES[0]), 303)
