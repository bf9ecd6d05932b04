"""Ways of looking at the list that somebody has named: kept, named anew and let go. No item is touched by it."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.models import Staff
from web import layout, permissions, sessions, words
from web.inbox import inbox_page
from web.models import SavedFilter
from web.presenters import filters

savedfilters = layout.room("savedfilters", __name__)
LONGEST = 40


@savedfilters.post("/inbox/filters")
@permissions.signed_in("inbox.read")
def keep() -> Response | tuple[str, int]:
    """Keep the view and the filter of `back` under a name of one's own."""
    with db.unit_of_work(sessions.clinic().id) as session:
        name, refused = _name(session)
        if refused is None and _count(session) >= filters.SAVED:
            refused = "too_many_filters"
        if refused is not None:
            return _refused(session, refused)
        row = SavedFilter(
            clinic_id=sessions.clinic().id,
            key_id=sessions.clinic().key_id,
            staff_id=layout.the_staff().id,
            name=name,
            query=_wanted(),
            created_at=clock.now(),
        )
        session.add(row)
        session.flush()
        _record(session, row, "saved")
    return _said("filter_saved")


@savedfilters.post("/inbox/filters/<uuid:filter_id>/rename")
@permissions.signed_in("inbox.read")
def rename(filter_id: UUID) -> Response | tuple[str, int]:
    """Give a filter another name."""
    with db.unit_of_work(sessions.clinic().id) as session:
        row = _mine(session, filter_id)
        name, refused = _name(session, besides=row.id)
        if refused is not None:
            return _refused(session, refused)
        row.name = name
        _record(session, row, "renamed")
    return _said("filter_renamed")


@savedfilters.post("/inbox/filters/<uuid:filter_id>/delete")
@permissions.signed_in("inbox.read")
def delete(filter_id: UUID) -> Response:
    """Let a filter go; the page has asked before."""
    with db.unit_of_work(sessions.clinic().id) as session:
        row = _mine(session, filter_id)
        _record(session, row, "deleted")
        session.delete(row)
    return _said("filter_deleted")


def _mine(session: Session, filter_id: UUID) -> SavedFilter:
    row = session.get(SavedFilter, filter_id)
    if row is None or row.staff_id != layout.the_staff().id:
        abort(404)
    return row


def _name(session: Session, besides: UUID | None = None) -> tuple[str, str | None]:
    """Return the name that was given and, if it cannot be used, why."""
    name = " ".join(request.form.get("name", "").split())
    if not 0 < len(name) <= LONGEST or not name.isprintable():
        return name, "filter_name"
    # Two presses at once: the second waits here for the first, since no index can tell that sealed names are the same.
    session.execute(select(Staff.id).where(Staff.id == layout.the_staff().id).with_for_update())
    mine = session.scalars(select(SavedFilter).where(SavedFilter.staff_id == layout.the_staff().id))
    taken = any((row.name or "").lower() == name.lower() for row in mine if row.id != besides)
    return name, "filter_taken" if taken else None


def _count(session: Session) -> int:
    mine = select(func.count()).where(SavedFilter.staff_id == layout.the_staff().id)
    return session.scalar(mine) or 0


def _wanted() -> dict[str, str]:
    """Return the view and the filter of the page that was looked at, as far as they can be read."""
    query = dict(parse_qsl(urlsplit(request.form.get("back", "")).query))
    view, narrowed = filters.of_query(query, readable=layout.may("inbox.words"))
    return {"view": view, **narrowed.args()}


def _record(session: Session, row: SavedFilter, act: str) -> None:
    audit.record(session, row.clinic_id, audit.Actor.staff(row.staff_id), f"filter.{act}", f"saved_filter:{row.id}")


def _refused(session: Session, why: str) -> tuple[str, int]:
    view = _wanted()["view"]
    return inbox_page.page(session, view, None, list_problem=words.say("refusals", why)), 422


def _said(notice: str) -> Response:
    flash(words.say("notices", notice))
    wanted: dict[str, Any] = _wanted()
    return redirect(url_for("inbox.show", **wanted), 303)
