"""The page of the feeds: how each EHR stands, what waits and why, its words behind a button, and a replay."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from interchange import attention
from interchange.models import FeedMessage
from messaging.models import Clinic
from web import layout, permissions, sessions, times, words

feeds = layout.room("ehr_feeds", __name__)


@dataclass(frozen=True)
class Waiting:
    """A message that waits: when it came, from which feed, of which kind, how it stands, and why in words."""

    id: UUID
    when: str
    feed: str
    kind: str
    state: str
    why: list[str]


@feeds.get("/settings/feeds")
@permissions.signed_in("clinic.settings")
def show() -> str:
    """Show how each feed stands, and what waits for a person."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@feeds.post("/settings/feeds/<uuid:message_id>/words")
@permissions.signed_in("clinic.settings", fresh=True)
def read(message_id: UUID) -> str:
    """Show one message word for word, and write down that it was read."""
    with db.unit_of_work(sessions.clinic().id) as session:
        row = _the_message(session, message_id)
        return _page(session, row.id, attention.opened(session, row, layout.the_actor()))


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


def _page(session: Session, opened: UUID | None = None, lines: list[str] | None = None) -> str:
    clinic = session.get_one(Clinic, sessions.clinic().id)
    standings = attention.standings(session, clinic)
    names = {standing.feed.id: standing.feed.name for standing in standings}
    now, rows = clock.now(), attention.waiting(session, clinic)
    return layout.page(
        session,
        "staff/feeds.html",
        here="feeds",
        feeds=[(each, each.heard_at and times.moment(each.heard_at, now, clinic.zone)) for each in standings],
        waiting=[_shown(row, names, times.moment(row.received_at, now, clinic.zone)) for row in rows],
        most=attention.SHOWN,
        opened=opened,
        lines=lines or [],
    )


def _shown(row: FeedMessage, names: Mapping[UUID, str], when: str) -> Waiting:
    why = [f"{problem.words} ({problem.where})" if problem.where else problem.words for problem in attention.why(row)]
    return Waiting(row.id, when, names.get(row.feed_id, ""), row.kind, words.say("feed_states", row.state), why)
