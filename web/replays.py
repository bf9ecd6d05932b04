"""Last month's items against the draft of the rules: what would have gone elsewhere, from whom to whom, and why."""

from flask import redirect, url_for
from werkzeug.wrappers import Response

from config import clock, db
from messaging.editions import publishing as verbs
from messaging.inbox import publishing, replay
from messaging.models import Clinic
from reminders.decisions import RULES
from web import layout, permissions, routes, sessions, times, words

replays = layout.room("replays", __name__)


@replays.get("/settings/replay")
@permissions.signed_in("clinic.look")
def show() -> str | Response:
    """Show what the draft would change of the last thirty days; without a draft there is nothing to compare."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        draft = verbs.draft(session, clinic.id, RULES.name)
        if draft is None:
            return redirect(url_for("settings.show"), 303)
        found = replay.of_draft(session, clinic, publishing.read(draft.definition))
        now = clock.now()
        return layout.page(
            session,
            "staff/replay.html",
            here="ladder",
            found=found,
            most=replay.MOST_ITEMS,
            rows=[
                (
                    words.say("kinds", one.kind),
                    times.moment(one.at, now, clinic.zone),
                    one.was or words.say("ladder", "nobody"),
                    one.becomes or words.say("ladder", "nobody"),
                    "; ".join(routes.reason_words(each) for each in one.why),
                )
                for one in found.shown
            ],
        )
