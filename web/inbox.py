"""The page a clinic works from: what waits, one case, and what can be done with it. Reading is not handling."""

from typing import Any
from uuid import UUID

from flask import abort, flash, jsonify, redirect, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.inbox import items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Conversation, Staff
from web import cases, layout, permissions, replies, rows, sessions, threads, words

inbox = layout.room("inbox", __name__)


@inbox.get("/")
@permissions.signed_in("self")
def home() -> Response:
    """Go to the first page that is open to this role."""
    return redirect(url_for("inbox.show" if layout.may("inbox.read") else "handoffs.show"), 303)


@inbox.get("/inbox")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show a view: its list, and no case."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, _view(), None)


@inbox.get("/inbox/rows")
@permissions.signed_in("inbox.read")
def fragment() -> str:
    """The list and the views alone, for a page that keeps itself up to date."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, _view(), None, template="staff/_live.html")


@inbox.get("/inbox/poll")
@permissions.signed_in("inbox.read")
def poll() -> Response:
    """Say whether anything has changed: 304, or a version, the number of open safety items, the last text read."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        newest = select(ItemEvent.id).where(ItemEvent.clinic_id == clinic.id)
        version = session.scalar(newest.order_by(ItemEvent.id.desc()).limit(1))
        said = _last_said(session, request.args.get("conversation"))
        etag = f"{version}.{said}"
        if etag in request.if_none_match:
            return Response(status=304)
        response = jsonify(version=str(version), safety=open_safety(session), said=str(said or ""))
    response.set_etag(etag)
    return response


def _last_said(session: Session, wanted: str | None) -> UUID | None:
    try:
        conversation = session.get(Conversation, UUID(wanted or ""))
    except ValueError:
        return None
    ours = conversation is not None and conversation.clinic_id == sessions.clinic().id
    return threads.latest(session, conversation.id) if conversation is not None and ours else None


def open_safety(session: Session) -> int:
    """Return how many safety items of the clinic nobody has acknowledged."""
    unseen = select(func.count()).where(
        InboxItem.clinic_id == sessions.clinic().id,
        InboxItem.state.in_(("open", "claimed")),
        InboxItem.urgency == 0,
        InboxItem.acknowledged_at.is_(None),
    )
    return session.scalar(unseen) or 0


@inbox.get("/inbox/<uuid:item_id>")
@permissions.signed_in("inbox.read")
def case(item_id: UUID) -> str:
    """Show one case. That it was read is written down; its state does not change."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _item(session, item_id)
        staff = layout.the_staff()
        about = f"inbox_item:{item.id}"
        audit.record(
            session, item.clinic_id, f"staff:{staff.id}", "case.opened", about, patient=_text(item.patient_id)
        )
        return _page(session, _view(), item)


@inbox.post("/inbox/<uuid:item_id>/claim")
@permissions.signed_in("inbox.work")
def claim(item_id: UUID) -> Response:
    """Take the item."""
    with db.unit_of_work(sessions.clinic().id) as session:
        items.claim(session, _item(session, item_id, lock=True), layout.the_staff())
    return _back(item_id, "claimed")


@inbox.post("/inbox/<uuid:item_id>/acknowledge")
@permissions.signed_in("inbox.work")
def acknowledge(item_id: UUID) -> Response | tuple[str, int]:
    """Say what was done; without that there is no acknowledgement."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _item(session, item_id, lock=True)
        if item.state == "done":
            return _refused(session, item, "already_done")
        if request.form.get("disposition", "") not in items.dispositions():
            return _refused(session, item, "disposition")
        items.acknowledge(session, item, layout.the_staff(), request.form["disposition"])
    return _back(item_id, "acknowledged")


@inbox.post("/inbox/<uuid:item_id>/resolve")
@permissions.signed_in("inbox.work")
def resolve(item_id: UUID) -> Response | tuple[str, int]:
    """Settle the item, unless a person is still owed."""
    wanted = request.form.get("disposition") or None
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _item(session, item_id, lock=True)
        if wanted is not None and wanted not in items.dispositions():
            return _refused(session, item, "disposition")
        try:
            items.resolve(session, item, layout.the_staff(), wanted)
        except items.NotYet:
            return _refused(session, item, "not_yet")
    return _back(item_id, "resolved")


@inbox.post("/inbox/<uuid:item_id>/reopen")
@permissions.signed_in("inbox.work")
def reopen(item_id: UUID) -> Response:
    """Take a settlement back."""
    with db.unit_of_work(sessions.clinic().id) as session:
        items.reopen(session, _item(session, item_id, lock=True), layout.the_staff())
    return _back(item_id, "reopened")


@inbox.post("/inbox/<uuid:item_id>/handover")
@permissions.signed_in("inbox.assign")
def hand_over(item_id: UUID) -> Response | tuple[str, int]:
    """Give the item to a colleague, with its clock."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _item(session, item_id, lock=True)
        to = _colleague(session, request.form.get("to", ""))
        if to is None:
            return _refused(session, item, "nobody")
        items.hand_over(session, item, layout.the_staff(), to)
    return _back(item_id, "handed_over")


@inbox.post("/inbox/<uuid:item_id>/reply")
@permissions.signed_in("inbox.text")
def reply(item_id: UUID) -> Response | tuple[str, int]:
    """Send a text, once; whatever is refused stays in the box."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _item(session, item_id, lock=True)
        notice, refused = replies.send(session, sessions.clinic(), layout.the_staff(), item, request.form)
        if refused is not None:
            return _page(session, _view(), item, draft=refused), 422
    return _back(item_id, notice or "sent")


def _item(session: Session, item_id: UUID, *, lock: bool = False) -> InboxItem:
    item = cases.find(session, sessions.clinic(), item_id, lock=lock)
    if item is None:
        abort(404)
    return item


def _colleague(session: Session, wanted: str) -> Staff | None:
    try:
        found = session.get(Staff, UUID(wanted))
    except ValueError:
        return None
    ours = found is not None and found.clinic_id == sessions.clinic().id and found.active
    return found if ours and found is not None and permissions.may(found.role, "inbox.work") else None


def _view() -> str:
    wanted = request.values.get("view", "mine")
    if wanted not in items.VIEWS:
        abort(404)
    return wanted


def _back(item_id: UUID, notice: str) -> Response:
    flash(words.say("notices", notice))
    return redirect(url_for("inbox.case", item_id=item_id, view=_view()), 303)


def _refused(session: Session, item: InboxItem, why: str) -> tuple[str, int]:
    return _page(session, _view(), item, problem=words.say("refusals", why)), 422


def _page(
    session: Session,
    view: str,
    item: InboxItem | None,
    *,
    template: str = "staff/inbox.html",
    problem: str | None = None,
    draft: replies.Draft | None = None,
) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    readable = layout.may("inbox.words")
    listed = rows.page(session, clinic, staff, view, _after(), readable=readable)
    facts: dict[str, Any] = {
        "view": view,
        "view_words": words.say("views", view),
        "listed": listed,
        "safety": open_safety(session),
        "selected": item.id if item else _selected(),
        "case": cases.read(session, clinic, staff, item, readable=readable) if item else None,
        "dispositions": items.dispositions(),
        "problem": problem,
        "draft": draft or replies.fresh(),
        "cost": replies.cost(draft.body if draft else ""),
        "readable": readable,
        "works": layout.may("inbox.work"),
        "assigns": layout.may("inbox.assign"),
        "texts": layout.may("inbox.text"),
    }
    return layout.page(session, template, here=view, **facts)


def _after() -> UUID | None:
    return _uuid(request.args.get("after"))


def _selected() -> UUID | None:
    return _uuid(request.args.get("item"))


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _text(one: UUID | None) -> str | None:
    return str(one) if one else None
