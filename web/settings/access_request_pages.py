"""The page of what waits for a second person: agreeing, saying no, taking back."""

from uuid import UUID

from flask import abort, flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox.staff import coverage_guard, staffing
from messaging.models import Clinic
from web import layout, permissions, sessions, words
from web.models import AccessRequest
from web.settings import access_request_view, access_requests, granting

accessrequests = layout.room("accessrequests", __name__)


@accessrequests.get(access_requests.PATH)
@permissions.signed_in("self")
def show() -> str:
    """Show what waits, to everybody who works here: each of them may know that nobody of this name was hired."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@accessrequests.post(access_requests.PATH + "/<uuid:request_id>/agree")
@permissions.signed_in("clinic.agree", fresh=True)
def agree(request_id: UUID) -> Response | str:
    """Agree, so that it happens now."""
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            row, clinic = _row(session, request_id), _clinic(session)
            name, what = row.facts.get("name", ""), row.what
            made = access_requests.agree(session, clinic, row, layout.the_actor())
    except access_requests.Refused as refused:
        return _back(words.say("access_request_refusals", refused.why), "refused")
    except staffing.MayNot as refused:
        return _back(" ".join(words.say("colleague_refusals", why) for why in refused.problems.values()), "refused")
    except coverage_guard.MakesGap as gap:
        return _back(words.say("colleagues", "hole", when=gap.when), "refused")
    if made is None:
        return _back(words.say("access_requests", f"agreed_{what}", name=name))
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, made)


@accessrequests.post(access_requests.PATH + "/<uuid:request_id>/refuse")
@permissions.signed_in("self")
def refuse(request_id: UUID) -> Response:
    """Say no, or take one's own request back: nothing happens."""
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            row = _row(session, request_id)
            name = row.facts.get("name", "")
            own = access_requests.end(session, _clinic(session), row, layout.the_actor())
    except access_requests.Refused as refused:
        return _back(words.say("access_request_refusals", refused.why), "refused")
    return _back(words.say("access_requests", "withdrawn" if own else "refused", name=name))


def _row(session: Session, request_id: UUID) -> AccessRequest:
    row = session.get(AccessRequest, request_id)
    if row is None or row.clinic_id != sessions.clinic().id:
        abort(404)
    return row


def _clinic(session: Session) -> Clinic:
    return session.get_one(Clinic, sessions.clinic().id)


def _back(said: str, kind: str = "message") -> Response:
    flash(said, kind)
    return redirect(url_for("accessrequests.show"), 303)


def _page(session: Session, made: granting.Link | None = None) -> str:
    return layout.page(
        session,
        "staff/access_requests.html",
        here="people",
        requests=access_request_view.cards(session, _clinic(session)),
        made=made,
        days=granting.VALID.days,
        lists=layout.may("clinic.look"),
    )
