"""What somebody is texted about at once, and what only waits in their list: each for themselves, safety excepted."""

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from config import audit, db
from messaging.inbox.staff import roster
from messaging.models import Staff
from web import layout, permissions, sessions, words

notices = layout.room("notices", __name__)


@notices.app_context_processor
def _facts() -> dict[str, Any]:
    return {"notices_of_mine": _mine}


def _mine() -> list[tuple[str, str, bool]]:
    """Kind, its words, and whether I am texted: for those that may be chosen."""
    me = layout.the_staff()
    return [(kind, words.say("kinds", kind), roster.wants_text(me, kind)) for kind in roster.NOTIFIED]


@notices.post("/preferences/notices")
@permissions.signed_in("self")
def save() -> Response:
    """Remember the choices with the person: they hold in every browser."""
    with db.unit_of_work(sessions.clinic().id) as session:
        me = session.get_one(Staff, layout.the_staff().id, with_for_update=True)
        me.notify = {
            kind: request.form[kind] for kind in roster.NOTIFIED if request.form.get(kind) in ("text", "inbox")
        }
        audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.notices", f"staff:{me.id}", **me.notify)
    flash(words.say("notices_saved", "saved"))
    return redirect(url_for("preferences.show"), 303)
