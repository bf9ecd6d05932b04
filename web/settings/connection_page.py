"""The page of an EHR that is asked: how that stands, what it refused and why, its keys, pause, ask now, try out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db, runtime
from interchange import connections
from interchange.connections import MayNot, Wanted
from interchange.models import Feed, FeedConnection, FeedKey
from interchange.polling import asking, keys
from web import layout, permissions, sessions, times, words
from web.settings import feed_page

asked_ehr = layout.room("asked_ehr", __name__)
ACTS: dict[str, Callable[[Session, FeedConnection, Feed, str], None]] = {
    "pause": connections.pause,
    "resume": connections.resume,
    "now": connections.poll_now,
    "anew": connections.read_anew,
}
DONE = {"pause": "paused", "resume": "resumed", "now": "now", "anew": "anew"}
# Without these no visit can be read.
NEEDED = ("Appointment", "Patient")
FIELDS = ("kind", "base_url", "client_id", "practice", "days_ahead", "per_minute")


@dataclass(frozen=True)
class Typed:
    """What stands in the form, and what is wrong with it, by field, in words."""

    values: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A key: its name, its algorithm, whether it signs now or from when, until when it is served, and its origin."""

    kid: str
    algorithm: str
    signs: bool
    signs_from: str
    until: str
    brought: bool


@asked_ehr.get("/feeds/<uuid:feed_id>/asking")
@permissions.signed_in("clinic.settings")
def show(feed_id: UUID) -> str:
    """Show how an EHR is asked, or the form that sets it up."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, feed_page.the_feed(session, feed_id))


@asked_ehr.post("/feeds/<uuid:feed_id>/asking")
@permissions.signed_in("clinic.settings", fresh=True)
def save(feed_id: UUID) -> Response | tuple[str, int]:
    """Set up how an EHR is asked, with a first key, or change it."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    with db.unit_of_work(sessions.clinic().id) as session:
        feed = feed_page.the_feed(session, feed_id, locked=True)
        try:
            connections.save(session, feed, _wanted(typed), layout.the_actor())
        except MayNot as refused:
            said = {name: words.say("connection_problems", why) for name, why in refused.problems.items()}
            return _page(session, feed, Typed(typed, said)), 422
        if not keys.published(session, feed):
            keys.make(session, feed, keys.ALGORITHMS[0], layout.the_actor())
    return _back(feed_id, "saved")


def _wanted(typed: dict[str, str]) -> Wanted:
    numbers = {name: int(typed[name]) if typed[name].isdecimal() and len(typed[name]) < 6 else 0 for name in FIELDS[4:]}
    secret = request.form.get("hub_secret", "").strip()
    return Wanted(
        typed["kind"],
        typed["base_url"],
        typed["client_id"],
        typed["practice"],
        numbers["days_ahead"],
        numbers["per_minute"],
        secret[:200] if secret else None,
    )


@asked_ehr.post("/feeds/<uuid:feed_id>/asking/key")
@permissions.signed_in("clinic.settings", fresh=True)
def key(feed_id: UUID) -> Response | tuple[str, int]:
    """Make the next key that signs, or take one of a file."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed = feed_page.the_feed(session, feed_id, locked=True)
        is_first = not keys.published(session, feed)
        problem, brought = "", request.files.get("file")
        if request.form.get("how") != "file":
            algorithm = request.form.get("algorithm", "")
            if algorithm in keys.ALGORITHMS:
                keys.make(session, feed, algorithm, layout.the_actor())
                return _back(feed_id, "key_first" if is_first else "key_made")
            problem = "key_kinds"
        elif brought is None or not brought.filename:
            problem = "no_file"
        else:
            try:
                keys.bring(session, feed, brought.stream.read(keys.LONGEST_FILE), layout.the_actor())
                return _back(feed_id, "key_brought")
            except keys.BadKey as bad:
                problem = f"key_{bad}"
        return _page(session, feed, key_problem=words.say("connection_problems", problem)), 422


@asked_ehr.post("/feeds/<uuid:feed_id>/asking/<any(pause, resume, now, anew):act>")
@permissions.signed_in("clinic.settings")
def control(feed_id: UUID, act: str) -> Response:
    """Ask nothing for now, or again, or every day anew, or everything as if it had never been read."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed = feed_page.the_feed(session, feed_id)
        row = _asked(connections.of(session, feed, locked=True)) or abort(404)
        ACTS[act](session, row, feed, layout.the_actor())
    return _back(feed_id, DONE[act])


@asked_ehr.post("/feeds/<uuid:feed_id>/asking/try")
@permissions.signed_in("clinic.settings")
def attempt(feed_id: UUID) -> str:
    """Ask once, keep nothing, and say what came of it."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        feed = feed_page.the_feed(session, feed_id)
        row = _asked(connections.of(session, feed)) or abort(404)
        trial = connections.trial(session, row, feed)
    tried = connections.tried(trial)  # with no transaction open: the other side may be slow
    if tried.refused:
        said = words.say("connections", "tried_refused", why=words.say("connection_refused", tried.refused))
    else:
        which = "tried_queue" if trial.practice else "tried"
        said = words.say("connections", which, visits=tried.visits, new=tried.new)
    warned = [words.say("connection_warnings", code) for code in tried.warns]
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, feed_page.the_feed(session, feed_id), told=" ".join([said, *warned]))


def _back(feed_id: UUID, notice: str) -> Response:
    flash(words.say("connections", notice), "done")
    return redirect(url_for("asked_ehr.show", feed_id=feed_id), 303)


def _page(session: Session, feed: Feed, typed: Typed | None = None, *, key_problem: str = "", told: str = "") -> str:
    row, at, zone = _asked(connections.of(session, feed)), clock.now(), sessions.clinic().zone
    shown = {name: times.moment(moment, at, zone) for name, moment in _moments(row) if moment is not None}
    return layout.page(
        session,
        "staff/connection.html",
        here="feeds",
        feed=feed,
        row=row,
        typed=typed or Typed(_written(row)),
        standing=connections.standing(session, row, feed) if row else None,
        shown=shown,
        refused=words.say("connection_refused", row.refused) if row and row.refused else "",
        warned=[words.say("connection_warnings", code) for code in row.notes] if row else [],
        lacking=[kind for kind in NEEDED if row and not asking.grants(row.granted or "", kind)],
        without_stays=bool(row and row.kind == "fhir" and not asking.grants(row.granted or "", "Encounter")),
        keys=_keys(keys.published(session, feed), at, zone),
        key_problem=key_problem,
        told=told,
        jwks=f"{runtime.settings().public_url}/webhooks/ehr/{feed.name}/jwks.json",
        address=f"{runtime.settings().public_url}/webhooks/ehr/{feed.name}",
    )


def _asked(row: FeedConnection | None) -> FeedConnection | None:
    """The connection of an EHR that is asked; the interface engine of one that sends is told, on a page of its own."""
    return row if row is not None and row.kind in connections.KINDS else None


def _moments(row: FeedConnection | None) -> list[tuple[str, datetime | None]]:
    names = ("heard_at", "complete_at", "refused_at", "try_after")
    return [(name, getattr(row, name)) for name in names] if row else []


def _written(row: FeedConnection | None) -> dict[str, str]:
    if row is None:
        return {"kind": "fhir", "days_ahead": "60", "per_minute": "60"}
    return {name: str(getattr(row, name)) for name in FIELDS}


def _keys(served: Sequence[FeedKey], at: datetime, zone: str) -> list[Shown]:
    """Keys as the page shows them, the newest first: the first whose time has come signs now."""
    signing = next((each.id for each in served if each.signs_from <= at), None)
    shown = []
    for each in served:
        ahead = times.moment(each.signs_from, at, zone, running=True) if each.signs_from > at else ""
        until = times.moment(each.published_until, at, zone) if each.published_until else ""
        shown.append(Shown(each.kid, each.algorithm, each.id == signing, ahead, until, each.origin == "file"))
    return shown
