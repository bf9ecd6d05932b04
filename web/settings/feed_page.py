"""The page of one feed: its profile, tried on a message before it is saved; its secret, its pause, its messages."""

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db, runtime
from interchange import attention, connections, explaining, profiles, sources
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic
from web import layout, permissions, sessions, times, words
from web.presenters import feed_acts

# Not below /settings/: a pasted message is about a patient, and must never come back to whoever was signed out.
one_feed = layout.room("one_feed", __name__)
LONGEST_MESSAGE = 256 * 1024


@dataclass(frozen=True)
class Sheet:
    """What the form holds and what came of it: `edition` is the profile it was made from, `problem` is in words."""

    profile: str
    edition: str
    message: str = ""
    problem: str = ""
    field: str = ""
    told: feed_acts.Told | None = None
    secret: str = ""


@one_feed.get("/feeds/<uuid:feed_id>")
@permissions.signed_in("clinic.settings")
def show(feed_id: UUID) -> str:
    """Show one feed."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        feed = the_feed(session, feed_id)
        return page(session, feed, fresh(feed))


@one_feed.post("/feeds/<uuid:feed_id>/try")
@permissions.signed_in("clinic.settings")
def attempt(feed_id: UUID) -> str | tuple[str, int]:
    """Say what would be done with a message, read by the profile that was typed; nothing is kept."""
    request.max_content_length = request.max_form_memory_size = 4 * LONGEST_MESSAGE
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        feed = the_feed(session, feed_id)
        sheet = _tried(feed, request.form.get("message", ""), sessions.clinic().zone)
        return page(session, feed, sheet), 422 if sheet.problem else 200


@one_feed.post("/feeds/<uuid:feed_id>")
@permissions.signed_in("clinic.settings", fresh=True)
def save(feed_id: UUID) -> Response | tuple[str, int]:
    """Read the feed by the profile that was typed from now on."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed = the_feed(session, feed_id, locked=True)
        typed, edition = request.form.get("profile", ""), request.form.get("edition", "")
        try:
            profile = sources.understood(typed, sessions.clinic().zone)
        except profiles.BadProfile as bad:
            wrong = Sheet(typed, edition, problem=words.say("feeds", "bad_profile", why=bad), field="profile")
            return page(session, feed, wrong), 422
        if edition != _edition(feed):
            rival = Sheet(typed, _edition(feed), problem=words.say("feeds", "rival"), field="profile")
            return page(session, feed, rival), 409
        sources.save_profile(session, feed, profile, layout.the_actor())
    return _back(feed_id, "feed_saved")


@one_feed.post("/feeds/<uuid:feed_id>/pause")
@permissions.signed_in("clinic.settings")
def pause(feed_id: UUID) -> Response:
    """Work on nothing of it for now."""
    with db.unit_of_work(sessions.clinic().id) as session:
        sources.pause(session, the_feed(session, feed_id, locked=True), layout.the_actor())
    return _back(feed_id, "feed_paused")


@one_feed.post("/feeds/<uuid:feed_id>/resume")
@permissions.signed_in("clinic.settings")
def resume(feed_id: UUID) -> Response:
    """Work on it again, and on what has come meanwhile."""
    with db.unit_of_work(sessions.clinic().id) as session:
        sources.resume(session, the_feed(session, feed_id, locked=True), layout.the_actor())
    return _back(feed_id, "feed_resumed")


@one_feed.post("/feeds/<uuid:feed_id>/secret")
@permissions.signed_in("clinic.settings", fresh=True)
def renew(feed_id: UUID) -> str:
    """Show another secret, this once."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed = the_feed(session, feed_id, locked=True)
        db.load_keys(session, [feed.key_id])
        secret = sources.renew_secret(session, feed, layout.the_actor())
        return page(session, feed, fresh(feed, secret))


def the_feed(session: Session, feed_id: UUID, *, locked: bool = False) -> Feed:
    """Return the clinic's feed of this id, else there is no such page."""
    feed = session.get(Feed, feed_id, with_for_update=locked or None)
    if feed is None or feed.clinic_id != sessions.clinic().id:
        abort(404)
    return feed


def fresh(feed: Feed, secret: str = "") -> Sheet:
    """Return a feed's form as it stands."""
    return Sheet(sources.written(feed.profile), _edition(feed), secret=secret)


def _tried(feed: Feed, message: str, zone: str) -> Sheet:
    typed = request.form.get("profile", sources.written(feed.profile))
    edition = request.form.get("edition") or _edition(feed)
    try:
        profile = {"zone": zone} | sources.understood(typed, zone)
    except profiles.BadProfile as bad:
        return Sheet(typed, edition, message, words.say("feeds", "bad_profile", why=bad), "profile")
    if not message.strip() or len(message) > LONGEST_MESSAGE:
        return Sheet(typed, edition, message, words.say("feeds", "no_message"), "message")
    if not message.lstrip().startswith("{"):
        explained = explaining.hl7({"message": message, "profile": profile})
    else:
        try:
            resource = json.loads(message)
        except (ValueError, RecursionError):
            return Sheet(typed, edition, message, words.say("feeds", "no_json"), "message")
        explained = explaining.fhir({"resource": resource, "profile": profile})
    return Sheet(typed, edition, message, told=feed_acts.told(explained, zone))


def _edition(feed: Feed) -> str:
    return hashlib.sha256(json.dumps(feed.profile, sort_keys=True).encode()).hexdigest()[:16]


def _back(feed_id: UUID, notice: str) -> Response:
    flash(words.say("notices", notice), "done")
    return redirect(url_for("one_feed.show", feed_id=feed_id), 303)


def page(session: Session, feed: Feed, sheet: Sheet) -> str:
    """Render the page of a feed."""
    clinic = session.get_one(Clinic, feed.clinic_id)
    standing = next(each for each in attention.standings(session, clinic) if each.feed.id == feed.id)
    now, zone = clock.now(), clinic.zone
    return layout.page(
        session,
        "staff/feed.html",
        here="feeds",
        feed=feed,
        sheet=sheet,
        standing=standing,
        heard=standing.heard_at and times.moment(standing.heard_at, now, zone),
        waits=standing.oldest and times.lasted(now - standing.oldest),
        connection=connections.of(session, feed),
        paused=feed.paused_at and times.moment(feed.paused_at, now, zone, running=True),
        address=f"{runtime.settings().public_url}/webhooks/ehr/{feed.name}",
        rows=[_row(row, times.moment(row.received_at, now, zone)) for row in attention.latest(session, feed)],
        most=attention.SHOWN,
        keys=words.table_of("feed_keys"),
        default=profiles.default_text(),
    )


def _row(row: FeedMessage, when: str) -> tuple[str, str, str, str, str]:
    why = " ".join(problem.words for problem in attention.why(row))
    return when, row.kind, words.say("feed_states", row.state), _took(row), why


def _took(row: FeedMessage) -> str:
    return times.lasted(row.processed_at - row.received_at) if row.processed_at else ""
