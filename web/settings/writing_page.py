"""The page of what goes back to an EHR: what it is written, what waits, what it refused and why, a dry run, replays."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from interchange import connections
from interchange.models import Feed, FeedConnection
from messaging.ehr_outbox import part_two
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from records.writing import choosing, contents, standing
from records.writing.choosing import MayNot, Wanted
from records.writing.standing import Sent
from web import layout, permissions, sessions, times, words
from web.settings import feed_page

written_ehr = layout.room("written_ehr", __name__)


@dataclass(frozen=True)
class Row:
    """One thing that an EHR is owed, in words: when it came up, what it is, how it stands and why."""

    id: UUID
    when: str
    kind: str
    state: str
    why: str
    again: bool
    refused: bool


@dataclass(frozen=True)
class Shown:
    """What the page says beside how it stands: what is ticked, what is wrong by field, what a dry run came to."""

    ticked: dict[str, list[str]]
    problems: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str, list[tuple[str, str]]]] | None = None
    problem: str = ""


@written_ehr.get("/feeds/<uuid:feed_id>/writing")
@permissions.signed_in("clinic.settings")
def show(feed_id: UUID) -> str:
    """Show what goes back to an EHR."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        feed, connection = _the(session, feed_id)
        return _page(session, feed, connection)


@written_ehr.post("/feeds/<uuid:feed_id>/writing")
@permissions.signed_in("clinic.settings", fresh=True)
def save(feed_id: UUID) -> Response | tuple[str, int]:
    """Decide what an EHR is written."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed, connection = _the(session, feed_id)
        ticked = {name: request.form.getlist(name) for name in ("kinds", "forms", "allows", "labels")}
        labels = {f"{each}_part_two": each in ticked["labels"] for each in ("feed", "clinic")}
        wanted = Wanted(ticked["kinds"], ticked["forms"], ticked["allows"], **labels)
        try:
            choosing.save(session, feed, connection, wanted, layout.the_actor())
        except MayNot as refused:
            said = {name: words.say("writing_problems", why) for name, why in refused.problems.items()}
            return _page(session, feed, connection, Shown(ticked, said)), 422
    return _back(feed_id, "saved")


@written_ehr.post("/feeds/<uuid:feed_id>/writing/<any(pause,resume):act>")
@permissions.signed_in("clinic.settings")
def halt(feed_id: UUID, act: str) -> Response:
    """Write nothing for now, or write again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed, _ = _the(session, feed_id)
        row = choosing.of(session, feed, locked=True) or abort(404)
        {"pause": choosing.pause, "resume": choosing.resume}[act](session, row, feed, layout.the_actor())
    return _back(feed_id, f"{act}d")


@written_ehr.post("/feeds/<uuid:feed_id>/writing/dry")
@permissions.signed_in("clinic.settings", fresh=True)
def dry(feed_id: UUID) -> str:
    """Show what would be sent, and send nothing."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed, connection = _the(session, feed_id)
        writer = choosing.of(session, feed) or abort(404)
        sent = standing.dry_run(session, feed, writer, connection, layout.the_actor())
        told = [_would_be_sent(each) for each in sent]
        return _page(session, feed, connection, Shown(_ticked(session, feed, writer), told=told))


@written_ehr.post("/feeds/<uuid:feed_id>/writing/<any(replay,aside):act>/<uuid:write_id>")
@permissions.signed_in("clinic.settings")
def again(feed_id: UUID, act: str, write_id: UUID) -> Response:
    """Have one thing written again, or let it wait no longer."""
    with db.unit_of_work(sessions.clinic().id) as session:
        feed, _ = _the(session, feed_id)
        row = session.get(EhrWrite, write_id, with_for_update=True)
        if row is None or row.feed_id != feed.id:
            abort(404)
        {"replay": standing.replay, "aside": standing.set_aside}[act](session, feed, row, layout.the_staff())
    return _back(feed_id, "replayed" if act == "replay" else "set_aside")


@written_ehr.post("/feeds/<uuid:feed_id>/writing/replay")
@permissions.signed_in("clinic.settings")
def replay(feed_id: UUID) -> Response | tuple[str, int]:
    """Have everything of some days written again that was not."""
    first, last = (times.day_of(request.form.get(name, "")) for name in ("first", "last"))
    with db.unit_of_work(sessions.clinic().id) as session:
        feed, connection = _the(session, feed_id)
        if first is None or last is None or last < first:
            shown = Shown(_ticked(session, feed, choosing.of(session, feed)), problem=words.say("writing", "no_days"))
            return _page(session, feed, connection, shown), 422
        zone = ZoneInfo(sessions.clinic().zone)
        start, end = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
        count = standing.replay_since(session, feed, start, end, layout.the_staff())
    flash(words.say("writing", "replayed_many", count=count), "done")
    return redirect(url_for("written_ehr.show", feed_id=feed_id), 303)


def _the(session: Session, feed_id: UUID) -> tuple[Feed, FeedConnection]:
    feed = feed_page.the_feed(session, feed_id)
    return feed, connections.of(session, feed) or abort(404)


def _back(feed_id: UUID, notice: str) -> Response:
    flash(words.say("writing", notice), "done")
    return redirect(url_for("written_ehr.show", feed_id=feed_id), 303)


def _ticked(session: Session, feed: Feed, writer: EhrWriter | None) -> dict[str, list[str]]:
    """What is ticked as it stands; of what was never decided nothing but the forms an EHR usually takes."""
    abouts = {"feed": part_two.about("feed", feed.id), "clinic": part_two.about("clinic", feed.clinic_id)}
    labels = [name for name, what in abouts.items() if part_two.is_labelled(session, feed.clinic_id, [what])]
    if writer is None:
        return {"kinds": [], "forms": [contents.RESPONSE, contents.OBSERVATIONS], "allows": [], "labels": labels}
    return {"kinds": writer.kinds, "forms": writer.forms, "allows": writer.allows, "labels": labels}


def _page(session: Session, feed: Feed, connection: FeedConnection, shown: Shown | None = None) -> str:
    writer, at, zone = choosing.of(session, feed), clock.now(), sessions.clinic().zone
    how = standing.standing(session, feed)
    moments = {name: getattr(writer, name, None) for name in ("written_at", "refused_at", "try_after")}
    return layout.page(
        session,
        "staff/writing.html",
        here="feeds",
        feed=feed,
        connection=connection,
        writer=writer,
        shown=shown or Shown(_ticked(session, feed, writer)),
        counts=how.counts,
        waits=how.oldest and times.lasted(at - how.oldest),
        moments={name: times.moment(moment, at, zone) for name, moment in moments.items() if moment},
        refused=words.say("connection_refused", writer.refused) if writer and writer.refused else "",
        kinds=[(each, words.say("writing_kinds", each)) for each in choosing.CAN[connection.kind]],
        forms=[(each, words.say("writing_forms", each)) for each in choosing.TAKES[connection.kind]],
        allows=[(each, words.say("writing_allows", each)) for each in choosing.ALLOWS[connection.kind]],
        rows=_rows(standing.latest(session, feed), at, zone),
        most=standing.SHOWN,
        today=at.astimezone(ZoneInfo(zone)).date().isoformat(),
    )


def _rows(rows: Sequence[EhrWrite], at: datetime, zone: str) -> list[Row]:
    return [
        Row(
            row.id,
            times.moment(row.created_at, at, zone),
            words.say("writing_kinds", row.kind),
            words.say("writing_states", row.state),
            _why(row.state, row.refused, row.code),
            row.state in standing.ENDED,
            row.state == "refused",
        )
        for row in rows
    ]


def _why(state: str, why: str | None, code: str | None) -> str:
    if not why:
        return ""
    said = words.say("writing_refused", why) + (f" ({code})" if code else "")
    return words.say("writing", "but", why=said) if state == "written" else said


def _would_be_sent(sent: Sent) -> tuple[str, str, list[tuple[str, str]]]:
    """A row's dry run: what it is, why nothing would be sent where that is so, and each part as it would leave."""
    why = sent.state and words.say("writing_states", sent.state) + (f": {_why('', sent.why, None)}" if sent.why else "")
    reads = sent.patient_id is not None and layout.reads(sent.patient_id)
    bodies = [(kind, body if reads else contents.without_answers(body)) for kind, body in sent.parts]
    parts = [(kind, json.dumps(body, indent=2, ensure_ascii=False)) for kind, body in bodies]
    return words.say("writing_kinds", sent.row.kind), why, parts
