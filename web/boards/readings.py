"""What the second reader found, month by month, and the weekly sample of what it did not, for a person to read."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message
from messaging.second_reading import counting, sampling, verdicts, watching
from messaging.second_reading.models import SecondReading
from web import layout, permissions, sessions, times, words

readings = layout.room("readings", __name__)


@dataclass(frozen=True)
class Row:
    """One language of a month; shares in percent with one decimal, empty where there is nothing to divide by."""

    language: str
    texts: int
    crisis: str
    worry: str
    neither: str
    judged: int
    off: int


@readings.get("/second-reading")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show a month (`month`, such as "2026-11"; this one without it), its samples, and what has drifted."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        first = _month(request.args.get("month", ""), clinic)
        begin, end = _bounds(first, clinic.zone)
        counts = counting.by_language(session, clinic, begin, end)
        return layout.page(
            session,
            "staff/readings.html",
            here="readings",
            month=words.say("months", str(first.month)) + f" {first.year}",
            before=_step(first, -1).strftime("%Y-%m"),
            after=_step(first, 1).strftime("%Y-%m") if end <= clock.now() else "",
            rows=[_row(count) for count in counts if count.texts],
            sample=_sample(counting.sampled(session, clinic, begin, end)),
            waiting=sampling.to_read(session, clinic)[1],
            drifts=_drifts(session, clinic),
            reads=layout.may("inbox.words") and layout.may("inbox.work"),
            settles=layout.may("clinic.settings") or layout.may("inbox.work"),
        )


@readings.post("/second-reading/drift/<uuid:item_id>")
@permissions.signed_in("inbox.read")
def looked_at(item_id: UUID) -> Response:
    """Settle what was said of drift, in the name of whoever has looked at it."""
    if not (layout.may("clinic.settings") or layout.may("inbox.work")):
        abort(403)
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        item = session.get(InboxItem, item_id, with_for_update=True)
        if item is None or item.clinic_id != clinic.id or not item.about.startswith(watching.ABOUT):
            abort(404)
        items.resolve(session, item, layout.the_staff(), "handled")
    flash(words.say("notices", "drift_looked_at"), "done")
    return redirect(url_for("readings.show"), 303)


@readings.get("/second-reading/sample")
@permissions.signed_in("inbox.work")
def sample() -> str:
    """Show the next text of the samples that nobody has read."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        reading, count = sampling.to_read(session, clinic)
        text = session.get_one(Message, reading.message_id) if reading else None
        if text is not None:
            db.load_keys(session, {text.key_id})
        return layout.page(
            session,
            "staff/sample.html",
            here="readings",
            reading=reading,
            text=(text.body or words.say("keeping", "emptied")) if text else "",
            at=times.moment(text.created_at, clock.now(), clinic.zone, running=True) if text else "",
            count=count,
            choices=[(key, words.say("verdicts", key)) for key in verdicts.VERDICTS],
            works=layout.may("inbox.work"),
        )


@readings.post("/second-reading/sample/<uuid:reading_id>")
@permissions.signed_in("inbox.work")
def judge(reading_id: UUID) -> Response:
    """Keep what this person says of a text of a sample (`verdict`). What was missed is put before the care team."""
    clinic, staff, verdict = sessions.clinic(), layout.the_staff(), request.form.get("verdict", "")
    with db.unit_of_work(clinic.id) as session:
        reading = session.get(SecondReading, reading_id, with_for_update=True)
        if reading is None or reading.clinic_id != clinic.id or reading.drawn is None:
            abort(404)
        try:
            verdicts.of_sample(session, clinic, staff, reading, verdict)
        except ValueError:
            flash(words.say("refusals", "verdict"), "refused")
            return redirect(url_for("readings.sample"), 303)
    flash(words.say("notices", "sample_missed" if verdict in ("crisis", "worry") else "sample_kept"), "done")
    return redirect(url_for("readings.sample"), 303)


def _month(wanted: str, clinic: Clinic) -> date:
    match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", wanted)
    if match:
        return date(int(match[1]), int(match[2]), 1)
    return clock.now().astimezone(ZoneInfo(clinic.zone)).date().replace(day=1)


def _step(first: date, by: int) -> date:
    months = first.year * 12 + first.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def _bounds(first: date, zone: str) -> tuple[datetime, datetime]:
    begin, end = (datetime.combine(day, datetime.min.time(), ZoneInfo(zone)) for day in (first, _step(first, 1)))
    return begin, end


def _row(count: counting.Count) -> Row:
    return Row(
        language=words.say("reading_languages", count.language),
        texts=count.texts,
        crisis=_share(count.crisis, count.texts),
        worry=_share(count.worry, count.texts),
        neither=_share(count.neither, count.judged),
        judged=count.judged,
        off=count.off,
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _sample(sampled: counting.Sampled) -> dict[str, object]:
    upper = sampled.upper
    return {
        "drawn": sampled.drawn,
        "read": sampled.read,
        "missed": sampled.missed,
        "upper": f"{100 * upper:.1f} %" if upper is not None else "",
    }


def _drifts(session: Session, clinic: Clinic) -> list[tuple[UUID, str, str]]:
    """What was said of drift and nobody has looked at: its item, its words and when."""
    query = select(InboxItem).where(
        InboxItem.clinic_id == clinic.id,
        InboxItem.about == f"{watching.ABOUT}:{clinic.id}",
        InboxItem.state != "done",
    )
    waiting = list(session.scalars(query.order_by(InboxItem.id)))
    db.load_keys(session, (item.key_id for item in waiting))
    now = clock.now()
    return [(item.id, item.summary or "", times.moment(item.created_at, now, clinic.zone)) for item in waiting]
