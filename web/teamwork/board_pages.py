"""The clinic's board: what everybody here should know until a set hour, and who has read it."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from flask import abort, current_app, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox import snooze_times
from messaging.team import board
from web import ids, layout, permissions, sessions, times, words
from web.presenters import board_view

boardpages = layout.room("boardpages", __name__)


@boardpages.get("/announcements")
@permissions.signed_in("self")
def show() -> str:
    """Show what stands on the board, and what stood there last."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@boardpages.post("/announcements")
@permissions.signed_in("board.post")
def announce() -> Response | tuple[str, int]:
    """Put something on the board (`words`) until an hour (`ends`)."""
    clinic, form = sessions.clinic(), request.form
    try:
        with db.unit_of_work(clinic.id) as session:
            once = ids.uuid_of(form.get("once"))
            board.announce(session, clinic, layout.the_staff(), form.get("words", ""), _ends(), once)
    except board.Refused as why:
        with db.unit_of_work(clinic.id, read_only=True) as session:
            return _page(session, {why.field: words.say("team_refusals", why.why)}), 422
    flash(words.say("team_notices", "announced"))
    return redirect(url_for("boardpages.show"), 303)


def _ends() -> datetime | None:
    typed, zone = request.form.get("ends_at", "").strip(), sessions.clinic().zone
    if typed:
        return snooze_times.typed(typed, zone)
    return dict(_offered()).get(request.form.get("ends", ""))


def _offered() -> list[tuple[str, datetime]]:
    """The hours that the form offers, each only while it is to come."""
    now, zone = clock.now(), sessions.clinic().zone
    moments = snooze_times.ends_of_days(now, zone)
    return list(moments.items())


@boardpages.post("/announcements/<uuid:row_id>/read")
@permissions.signed_in("self")
def read(row_id: UUID) -> Response:
    """Say that one has read it; it leaves the strip of this reader."""
    with db.unit_of_work(sessions.clinic().id) as session:
        row = board.find(session, sessions.clinic().id, row_id) or abort(404)
        board.read(session, row, layout.the_staff())
    return redirect(_back(), 303)


@boardpages.post("/announcements/<uuid:row_id>/end")
@permissions.signed_in("board.post")
def take_down(row_id: UUID) -> Response:
    """Take something down before its hour."""
    with db.unit_of_work(sessions.clinic().id) as session:
        row = board.find(session, sessions.clinic().id, row_id) or abort(404)
        board.take_down(session, row, layout.the_staff())
    flash(words.say("team_notices", "taken_down"))
    return redirect(url_for("boardpages.show"), 303)


def _back() -> str:
    """The page it was read on, if it is one of ours that can be looked at again."""
    here = urlsplit(request.referrer or "")
    ours = here.netloc == request.host and current_app.create_url_adapter(request)
    if not ours or not ours.test(here.path, method="GET"):
        return url_for("boardpages.show")
    return f"{here.path}?{here.query}" if here.query else here.path


def _page(session: Session, problems: dict[str, str] | None = None) -> str:
    clinic, staff, now = sessions.clinic(), layout.the_staff(), clock.now()
    return layout.page(
        session,
        "staff/announcements.html",
        here="announcements",
        standing=board_view.posted(session, clinic, staff, board.standing(session, clinic.id)),
        ended=board_view.posted(session, clinic, staff, board.ended(session, clinic.id)),
        ends=[(name, times.named(words.say("team", name), at, now, clinic.zone)) for name, at in _offered()],
        posts=layout.may("board.post"),
        typed=request.form,
        problems=problems or {},
        longest=board.LONGEST,
        once=ids.uuid_of(request.form.get("once")) or uuid4(),
    )
