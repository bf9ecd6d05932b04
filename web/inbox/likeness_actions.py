"""What a colleague says of a text that may be a crisis, in one press."""

from uuid import UUID

from flask import abort, request

from config import db
from messaging.second_reading import keeping, verdicts
from web import layout, permissions, sessions
from web.inbox import actions, after_action

likenesses = layout.room("likenesses", __name__)


@likenesses.post("/inbox/<uuid:item_id>/likeness")
@permissions.signed_in("inbox.work")
def say(item_id: UUID) -> actions.Answer:
    """Say that it is a crisis, a worry, neither, or that one cannot tell (`verdict`); see verdicts.give."""
    clinic, staff, verdict = sessions.clinic(), layout.the_staff(), request.form.get("verdict", "")
    with db.unit_of_work(clinic.id) as session:
        item = actions.held(session, item_id)
        reading = keeping.of_item(session, item)
        if reading is None or not layout.may("inbox.words"):
            abort(404)
        try:
            verdicts.give(session, clinic, staff, item, reading, verdict)
        except ValueError:
            return actions.refused(session, item, "verdict")
    return after_action.to_case(item_id, f"read_{verdict}", None)
