"""The page a clinic works from: what waits, one case, and what can be done with it. Reading is not handling."""

from typing import Any
from uuid import UUID

from flask import abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.inbox import items, views
from messaging.inbox.models import InboxItem
from web import cases, layout, live, permissions, replies, rows, sessions, words

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
        return page(session, the_view(), None)


@inbox.get("/inbox/rows")
@permissions.signed_in("inbox.read")
def fragment() -> str:
    """The list and the views alone, for a page that keeps itself up to date."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return page(session, the_view(), None, template="staff/_live.html")


@inbox.get("/inbox/<uuid:item_id>")
@permissions.signed_in("inbox.read")
def case(item_id: UUID) -> str:
    """Show one case. That it was read is written down; its state does not change."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = the_item(session, item_id)
        staff = layout.the_staff()
        about = f"inbox_item:{item.id}"
        # A page that shows by itself what has come in is read too, and the record says which it was.
        act = "case.refreshed" if "unattended" in request.args else "case.opened"
        audit.record(session, item.clinic_id, f"staff:{staff.id}", act, about, patient=_text(item.patient_id))
        return page(session, the_view(), item)


def the_item(session: Session, item_id: UUID, *, lock: bool = False) -> InboxItem:
    """Return the clinic's item, or answer that there is none."""
    found = cases.find(session, sessions.clinic(), item_id, lock=lock)
    if found is None:
        abort(404)
    return found


def the_view() -> str:
    """Return the view that was asked for."""
    wanted = request.values.get("view", "mine")
    if wanted not in views.VIEWS:
        abort(404)
    return wanted


def page(
    session: Session,
    view: str,
    item: InboxItem | None,
    *,
    template: str = "staff/inbox.html",
    problem: str | None = None,
    draft: replies.Draft | None = None,
) -> str:
    """Render the inbox: a view, and one case if there is one."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    news = live.arrive(session, clinic, staff, item)
    readable = layout.may("inbox.words")
    listed = rows.page(session, clinic, staff, view, _after(), readable=readable)
    facts: dict[str, Any] = {
        "view": view,
        "view_words": words.say("views", view),
        "listed": listed,
        "news": news,
        "present": news.here(),
        "safety": live.open_safety(session),
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
