"""How soon what came in was seen by a human: the last thirty days, by kind, against the clinic's own deadlines."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Double, cast, func, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from config.db import spans
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign
from messaging.models import Clinic
from web import csv_sheets, layout, permissions, sessions, times, words
from web.presenters import coverage_charts

clocks = layout.room("clocks", __name__)
DAYS = 30
# The newest so many of a kind are looked at: enough for a month, and a bound on what one page may cost.
MOST = 2000
WORST = 5
SHARES = (0.25, 0.5, 1, 2, 3)


@dataclass(frozen=True)
class Report:
    """One kind: how many came in, and of those that are due by now (seen, or over their time) how many were in time.

    Everything that is a share, the picture and its table too, is a share of `due`; what still has time says nothing
    yet. `median` is in minutes, `median_words` and the spans of the table in words.
    """

    kind: str
    words: str
    count: int
    due: int
    seen: int
    in_time: int
    median: float | None
    median_words: str
    limit: int
    limit_words: str
    more: bool
    curve: coverage_charts.Curve | None
    table: list[tuple[str, bool, float]]
    worst: list[tuple[UUID, times.Mark]]


@clocks.get("/clocks")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show the report."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        reports = [_report(session, sessions.clinic(), kind) for kind in assign.KINDS]
        return layout.page(session, "staff/clocks.html", here="clocks", reports=reports, days=DAYS, most=MOST)


@clocks.get("/clocks.csv")
@permissions.signed_in("inbox.read", fresh=True)
def download() -> Response:
    """Return the report as a table for a spreadsheet: counts and minutes, nobody's name."""
    clinic, rows = sessions.clinic(), []
    with db.unit_of_work(clinic.id) as session:
        for kind in assign.KINDS:
            report = _report(session, clinic, kind)
            in_time = round(100 * report.in_time / report.due, 1) if report.due else None
            rows.append([report.kind, report.limit, report.count, report.seen, report.median, in_time])
        audit.record(session, clinic.id, layout.the_actor(), "clocks.exported", f"clinic:{clinic.id}")
    head = ("kind", "deadline_minutes", "came_in", "seen", "median_minutes", "percent_in_time")
    return csv_sheets.answer("clocks.csv", head, rows)


def _report(session: Session, clinic: Clinic, kind: str) -> Report:
    now, limit = clock.now(), assign.Rules.of(clinic.rules).answer_within[kind]
    count, due, in_time, took = _came_in(session, clinic, kind, now)
    middle = median(took) if took else None
    return Report(
        kind=kind,
        words=words.say("kinds", kind),
        count=count,
        due=due,
        seen=len(took),
        in_time=in_time,
        median=None if middle is None else round(middle, 1),
        median_words="" if middle is None else _span(middle),
        limit=limit,
        limit_words=_span(limit),
        more=count == MOST,
        curve=coverage_charts.seen(took, due, limit) if due else None,
        table=[
            (_span(minute), minute == limit, bisect_right(took, minute) / due)
            for minute in sorted({max(1, round(limit * share)) for share in SHARES})
            if due
        ],
        worst=_worst(session, clinic, kind, now),
    )


def _span(minutes: float) -> str:
    """Minutes as they are said: "under 1 min", "12 min", "4 h"."""
    return times.length(timedelta(minutes=minutes)) if minutes >= 1 else words.say("clocks", "under_a_minute")


def _came_in(session: Session, clinic: Clinic, kind: str, now: datetime) -> tuple[int, int, int, list[float]]:
    """How many of a kind came in, how many are seen or over their time, how many were in time, and the minutes that
    each took which was seen, the shortest first."""
    seen_at = func.coalesce(InboxItem.acknowledged_at, InboxItem.done_at)
    rows: Sequence[Sequence[Any]] = session.execute(
        select(
            cast(spans.seconds(InboxItem.created_at, seen_at), Double),
            seen_at <= InboxItem.answer_by,
            InboxItem.answer_by <= now,
        )
        .where(
            InboxItem.clinic_id == clinic.id,
            InboxItem.kind == kind,
            InboxItem.created_at >= now - timedelta(days=DAYS),
        )
        .order_by(InboxItem.created_at.desc())
        .limit(MOST)
    ).all()
    took = sorted(max(float(seconds) / 60, 0.0) for seconds, _, _ in rows if seconds is not None)
    still_waits = sum(1 for seconds, _, is_over in rows if seconds is None and not is_over)
    return len(rows), len(rows) - still_waits, sum(bool(in_time) for _, in_time, _ in rows), took


def _worst(session: Session, clinic: Clinic, kind: str, now: datetime) -> list[tuple[UUID, times.Mark]]:
    late = (
        select(InboxItem.id, InboxItem.answer_by)
        .where(
            InboxItem.clinic_id == clinic.id,
            InboxItem.state.in_(("open", "claimed")),
            InboxItem.kind == kind,
            InboxItem.acknowledged_at.is_(None),
            InboxItem.answer_by < now,
        )
        .order_by(InboxItem.answer_by)
        .limit(WORST)
    )
    return [
        (item_id, times.mark(safety=kind == "safety", answer_by=due, now=now, zone=clinic.zone))
        for item_id, due in session.execute(late)
    ]
