"""Which lines of the clinic's safety protocol were done for a case: ticked by name, and never an acknowledgement."""

from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from config import db
from messaging.inbox import protocol, views
from web import layout, permissions, sessions, words
from web.presenters import case_view

ticks = layout.room("ticks", __name__)


@ticks.post("/inbox/<uuid:item_id>/protocol")
@permissions.signed_in("inbox.work")
def tick(item_id: UUID) -> Response:
    """Note that a line was done (`done` is the line), or take that back (`undo`)."""
    form, clinic = request.form, sessions.clinic()
    line = form.get("done", "") or form.get("undo", "")
    with db.unit_of_work(clinic.id) as session:
        item = case_view.find(session, clinic, item_id)
        if item is None or item.kind != "safety":
            abort(404)
        try:
            protocol.tick(session, clinic, item, layout.the_staff(), line, done="done" in form)
        except ValueError:
            flash(words.say("refusals", "protocol_line"), "refused")
    wanted = form.get("view", "")
    view = wanted if wanted in views.VIEWS else "mine"
    return redirect(url_for("inbox.case", item_id=item_id, view=view, _anchor="protocol"), 303)
