"""What can be done with a case: every act is a named person's, and answers with the case as it stands then."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from web import inbox, layout, permissions, sessions, words

acts = layout.room("acts", __name__)


@acts.post("/inbox/<uuid:item_id>/claim")
@permissions.signed_in("inbox.work")
def claim(item_id: UUID) -> Response:
    """Take the item."""
    with db.unit_of_work(sessions.clinic().id) as session:
        items.claim(session, inbox.the_item(session, item_id, lock=True), layout.the_staff())
    return _back(item_id, "claimed")


@acts.post("/inbox/<uuid:item_id>/acknowledge")
@permissions.signed_in("inbox.work")
def acknowledge(item_id: UUID) -> Response | tuple[str, int]:
    """Say what was done; without that there is no acknowledgement."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox.the_item(session, item_id, lock=True)
        if item.state == "done":
            return _refused(session, item, "already_done")
        if request.form.get("disposition", "") not in items.dispositions():
            return _refused(session, item, "disposition")
        items.acknowledge(session, item, layout.the_staff(), request.form["disposition"])
    return _back(item_id, "acknowledged")


@acts.post("/inbox/<uuid:item_id>/resolve")
@permissions.signed_in("inbox.work")
def resolve(item_id: UUID) -> Response | tuple[str, int]:
    """Settle the item, unless a person is still owed."""
    wanted = request.form.get("disposition") or None
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox.the_item(session, item_id, lock=True)
        if wanted is not None and wanted not in items.dispositions():
            return _refused(session, item, "disposition")
        try:
            items.resolve(session, item, layout.the_staff(), wanted)
        except items.NotYet:
            return _refused(session, item, "not_yet")
    return _back(item_id, "resolved")


@acts.post("/inbox/<uuid:item_id>/reopen")
@permissions.signed_in("inbox.work")
def reopen(item_id: UUID) -> Response:
    """Take a settlement back."""
    with db.unit_of_work(sessions.clinic().id) as session:
        items.reopen(session, inbox.the_item(session, item_id, lock=True), layout.the_staff())
    return _back(item_id, "reopened")


@acts.post("/inbox/<uuid:item_id>/handover")
@permissions.signed_in("inbox.assign")
def hand_over(item_id: UUID) -> Response | tuple[str, int]:
    """Give the item to a colleague, with its clock."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox.the_item(session, item_id, lock=True)
        to = _colleague(session, request.form.get("to", ""))
        if to is None:
            return _refused(session, item, "nobody")
        items.hand_over(session, item, layout.the_staff(), to)
    return _back(item_id, "handed_over")


def _colleague(session: Session, wanted: str) -> Staff | None:
    try:
        found = session.get(Staff, UUID(wanted))
    except ValueError:
        return None
    ours = found is not None and found.clinic_id == sessions.clinic().id and found.active
    return found if ours and found is not None and permissions.may(found.role, "inbox.work") else None


def _back(item_id: UUID, notice: str) -> Response:
    flash(words.say("notices", notice))
    return redirect(url_for("inbox.case", item_id=item_id, view=inbox.the_view()), 303)


def _refused(session: Session, item: InboxItem, why: str) -> tuple[str, int]:
    return inbox.page(session, inbox.the_view(), item, problem=words.say("refusals", why)), 422
