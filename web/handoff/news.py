"""How an open page hears that something has changed, where its reader does not read the inbox."""

import json

from flask import request
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from config import db, live
from messaging.models import Clinic
from reminders.models import Handoff
from web import layout, permissions, sessions

news = layout.room("handoff_news", __name__)


@news.get("/handoffs/poll")
@permissions.signed_in("handoffs.read")
def poll() -> Response:
    """Say whether any list of the clinic has changed; nothing of the inbox, and nobody who is in it."""
    staff = layout.the_staff()
    version = _version(sessions.clinic())
    if version in request.if_none_match:
        return Response(status=304)
    told = {"list": version, "talk": "", "here": {}, "rows": False, "me": str(staff.id)}
    response = Response(json.dumps(told), mimetype="application/json")
    response.set_etag(version)
    return response


@news.get("/handoffs/news")
@permissions.signed_in("handoffs.read")
def parts() -> str:
    """What every page keeps up to date: alarms, without saying who, and the counts; `here` is the page that asks."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return layout.page(session, "staff/_news.html", here=request.args.get("here"), safety=0)


def _version(clinic: Clinic) -> str:
    seen = live.look(clinic.id, ["list"], {})
    if seen is not None:
        return f"list-{seen.versions[0]}"
    # While Redis is silent: what happened last to any handoff.
    with db.unit_of_work(clinic.id, read_only=True) as session:
        moments = (func.max(Handoff.state_at), func.max(Handoff.ended_at), func.count())
        last = session.execute(select(*moments).where(Handoff.clinic_id == clinic.id)).one()
    return "handoffs-" + "-".join("".join(filter(str.isdigit, str(moment))) for moment in last)
