"""Last month's items against the draft of the rules: what would have gone elsewhere, from whom to whom, and why."""

from flask import redirect, url_for
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox import policy_replay
from messaging.inbox.routing import policy_definition
from messaging.models import Clinic
from messaging.versions import publishing as verbs
from reminders.decision_kinds import RULES
from web import layout, permissions, sessions, times, words
from web.presenters import assignment

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
        replay = policy_replay.of_draft(session, clinic, policy_definition.read(draft.definition))
        now = clock.now()
        return layout.page(
            session,
            "staff/replay.html",
            here="ladder",
            found=replay,
            most=policy_replay.MOST_ITEMS,
            rows=[
                (
                    words.say("kinds", change.kind),
                    times.moment(change.at, now, clinic.zone),
                    change.was or words.say("ladder", "nobody"),
                    change.becomes or words.say("ladder", "nobody"),
                    "; ".join(assignment.reason_words(reason) for reason in change.why),
                )
                for change in replay.shown
            ],
        )
