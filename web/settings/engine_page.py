"""The page of an EHR's interface engine: where what patients say of visits goes back by HL7, what proves both ends."""

from dataclasses import dataclass, field
from uuid import UUID

from cryptography import x509
from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from interchange import connections, engines
from interchange.connections import MayNot
from interchange.engines import PEMS, Wanted
from interchange.models import Feed, FeedConnection
from web import layout, permissions, sessions, times, words
from web.settings import feed_page

told_ehr = layout.room("told_ehr", __name__)


@dataclass(frozen=True)
class Typed:
    """What stands in the form, and what is wrong with it, by field, in words."""

    host: str = ""
    port: str = ""
    tls: bool = True
    problems: dict[str, str] = field(default_factory=dict)


@told_ehr.get("/feeds/<uuid:feed_id>/engine")
@permissions.signed_in("clinic.settings")
def show(feed_id: UUID) -> str:
    """Show where an EHR is told, or the form that sets it up."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, feed_page.the_feed(session, feed_id))


@told_ehr.post("/feeds/<uuid:feed_id>/engine")
@permissions.signed_in("clinic.settings", fresh=True)
def save(feed_id: UUID) -> Response | tuple[str, int]:
    """Set up where an EHR is told, or change it."""
    host, port, tls = (request.form.get(name, "").strip() for name in ("host", "port", "tls"))
    number = int(port) if port.isdecimal() and len(port) < 6 else 0
    pems = {name: _brought(name) for name in PEMS}
    with db.unit_of_work(sessions.clinic().id) as session:
        feed = feed_page.the_feed(session, feed_id, locked=True)
        try:
            engines.save(session, feed, Wanted(host, number, tls == "on", **pems), layout.the_actor())
        except MayNot as refused:
            said = {name: words.say("connection_problems", why) for name, why in refused.problems.items()}
            return _page(session, feed, Typed(host, port, tls == "on", said)), 422
    flash(words.say("connections", "engine_saved"), "done")
    return redirect(url_for("told_ehr.show", feed_id=feed_id), 303)


def _brought(name: str) -> str | None:
    """A PEM that was brought, "" where it is taken away, None where it stays as it is."""
    if name in request.form.getlist("without"):
        return ""
    return request.form.get(name, "").strip() or None


@told_ehr.post("/feeds/<uuid:feed_id>/engine/try")
@permissions.signed_in("clinic.settings")
def attempt(feed_id: UUID) -> str:
    """Connect to the engine, say nothing, and tell what came of it."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        row = _row(session, feed_page.the_feed(session, feed_id)) or abort(404)
        db.load_keys(session, [row.key_id])
        engine = engines.of(row)
    why = engines.tried(engine)  # with no transaction open: the other side may be slow
    said = words.say("connections", "engine_tried")
    if why:
        own = words.table_of("engine_refused").get(why) or words.say("connection_refused", why)
        said = words.say("connections", "engine_not_tried", why=own)
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, feed_page.the_feed(session, feed_id), told=said)


def _row(session: Session, feed: Feed) -> FeedConnection | None:
    row = connections.of(session, feed)
    return row if row is not None and row.kind == engines.KIND else None


def _page(session: Session, feed: Feed, typed: Typed | None = None, *, told: str = "") -> str:
    row = _row(session, feed)
    pems = dict.fromkeys(PEMS, "")
    if row is not None:
        db.load_keys(session, [row.key_id])
        pems = {name: _shown(getattr(row, name) or "") for name in PEMS}
        host, port, tls = engines.parts(row)
        typed = typed or Typed(host, port, tls)
    asked = row is None and connections.of(session, feed) is not None
    return layout.page(
        session, "staff/engine.html", here="feeds", feed=feed, row=row, typed=typed or Typed(), pems=pems, told=told,
        asked=asked,
    )  # fmt: skip


def _shown(pem: str) -> str:
    """Whose certificate this is and until when it is good; of several the first. The key beside it is never shown."""
    if not pem:
        return ""
    first, now, zone = x509.load_pem_x509_certificates(pem.encode())[0], clock.now(), sessions.clinic().zone
    name = first.subject.rfc4514_string()
    return words.say(
        "connections", "certificate", name=name, until=times.moment(first.not_valid_after_utc, now, zone, running=True)
    )
