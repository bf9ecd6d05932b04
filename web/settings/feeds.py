"""The page of the feeds: how each EHR stands, what waits and why, its words behind a button, and a replay."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from interchange import attention, sources
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic
from web import layout, permissions, sessions, times, words
from web.settings import feed_page

feeds = layout.room("ehr_feeds", __name__)
SEGMENT = re.compile(r"\b[A-Z][A-Z0-9]{2}\b")


@dataclass(frozen=True)
class Waiting:
    """A message that waits: when it came, from which feed, of which kind, how it stands, and why in words."""

    id: UUID
    when: str
    feed: str
    feed_id: UUID
    kind: str
    state: str
    why: list[str]


@dataclass(frozen=True)
class Opened:
    """A message that is shown word for word: its lines, each with whether a problem is in it."""

    id: UUID
    lines: list[tuple[str, bool]]


@feeds.get("/settings/feeds")
@permissions.signed_in("clinic.settings")
def show() -> str:
    """Show how each feed stands, and what waits for a person."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@feeds.post("/settings/feeds")
@permissions.signed_in("clinic.settings", fresh=True)
def add() -> str | tuple[str, int]:
    """Add a feed, and show its secret on its own page, this once."""
    name = request.form.get("name", "").strip()
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        db.load_keys(session, [clinic.key_id])
        try:
            secret = sources.add(session, clinic, name, {}, layout.the_actor())
        except sources.Refused as refused:
            return _page(session, name=name, problem=words.say("feeds", str(refused))), 422
        session.flush()
        feed = session.scalars(select(Feed).where(Feed.name == name)).one()
        return feed_page.page(session, feed, feed_page.fresh(feed, secret))


@feeds.post("/settings/feeds/<uuid:message_id>/words")
@permissions.signed_in("clinic.settings", fresh=True)
def read(message_id: UUID) -> str:
    """Show one message word for word, and write down that it was read."""
    with db.unit_of_work(sessions.clinic().id) as session:
        row = _the_message(session, message_id)
        lines = attention.opened(session, row, layout.the_actor())
        meant = {name for problem in attention.why(row) for name in SEGMENT.findall(problem.where)}
        return _page(session, Opened(row.id, [(line, line[:3] in meant) for line in lines]))


@feeds.post("/settings/feeds/<uuid:message_id>/replay")
@permissions.signed_in("clinic.settings")
def replay(message_id: UUID) -> Response:
    """Have a message worked on again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        attention.replay(session, _the_message(session, message_id), layout.the_staff())
    return _back("feed_replayed")


@feeds.post("/settings/feeds/<uuid:message_id>/aside")
@permissions.signed_in("clinic.settings")
def aside(message_id: UUID) -> Response:
    """Let a message wait no longer."""
    with db.unit_of_work(sessions.clinic().id) as session:
        attention.set_aside(session, _the_message(session, message_id), layout.the_staff())
    return _back("feed_aside")


def _back(notice: str) -> Response:
    flash(words.say("notices", notice), "done")
    return redirect(url_for("ehr_feeds.show"), 303)


def _the_message(session: Session, message_id: UUID) -> FeedMessage:
    row = session.get(FeedMessage, message_id, with_for_update=True)
    if row is None or row.clinic_id != sessions.clinic().id:
        abort(404)
    return row


def _page(session: Session, opened: Opened | None = None, *, name: str = "", problem: str = "") -> str:
    clinic = session.get_one(Clinic, sessions.clinic().id)
    standings = attention.standings(session, clinic)
    names = {standing.feed.id: standing.feed.name for standing in standings}
    now, rows = clock.now(), attention.waiting(session, clinic)
    return layout.page(
        session,
        "staff/feeds.html",
        here="feeds",
        feeds=[_standing(each, now, clinic.zone) for each in standings],
        waiting=[_shown(row, names, times.moment(row.received_at, now, clinic.zone)) for row in rows],
        most=attention.SHOWN,
        opened=opened,
        name=name,
        problem=problem,
    )


def _standing(each: attention.Standing, now: datetime, zone: str) -> tuple[attention.Standing, str, str]:
    """How a feed stands, when it was last heard, and for how long its oldest message has waited for us."""
    heard = times.moment(each.heard_at, now, zone) if each.heard_at else words.say("feeds", "never")
    return each, heard, times.lasted(now - each.oldest) if each.oldest else ""


def _shown(row: FeedMessage, names: Mapping[UUID, str], when: str) -> Waiting:
    why = [f"{problem.words} ({problem.where})" if problem.where else problem.words for problem in attention.why(row)]
    return Waiting(
        row.id, when, names.get(row.feed_id, ""), row.feed_id, row.kind, words.say("feed_states", row.state), why
    )
