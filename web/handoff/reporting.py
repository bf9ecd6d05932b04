"""How the clinic's handoffs went: acceptance, times, who was met; by site, hour, requester and reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import request
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Clinic
from reminders import unreached
from reminders.handoff import measures, telling
from reminders.rules import zones
from web import layout, permissions, sessions, team, times, words

reports = layout.room("handoff_report", __name__)
# What is counted of all, of warm handoffs, and of the others.
_STEPS = ("asked", "acceptance", *measures.SPANS)
COLUMNS = {
    "all": (*_STEPS, "show_rate", "touch_rate", "until_in_touch", "lost"),
    "warm": (*_STEPS, "show_rate", "lost"),
    "later": ("asked", "touch_rate", "until_in_touch", "show_rate", "lost"),
}
# How many days a report covers, the usual first.
DAYS = (30, 7, 90, 365)


@dataclass(frozen=True)
class Row:
    """A line of the report: its name, and by column what is counted, in words; "–" and "0" say nothing."""

    name: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """The lines by one thing."""

    name: str
    rows: list[Row]


@reports.get("/handoffs/report")
@permissions.signed_in("handoffs.read")
def show() -> str:
    """Show how the handoffs of the last days went."""
    clinic = sessions.clinic()
    asked = request.args.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else DAYS[0]
    today = zones.to_local(clock.now(), zones.zone(clinic.zone)).date()
    begins, (_, ends) = unreached.span(clinic, today - timedelta(days=days - 1))[0], unreached.span(clinic, today)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        counted = measures.report(session, clinic, begins, ends)
        by = [name for name in measures.BY if name != "reason" or layout.may("inbox.words")]
        return layout.page(
            session,
            "staff/handoff_report.html",
            here="handoffs",
            days=days,
            choices=DAYS,
            warm=_row(words.say("handoff_report", "warm"), counted.warm),
            later=_row(words.say("handoff_report", "later"), counted.later),
            figures=counted,
            tables=[_table(session, clinic, name, counted.by[name]) for name in by],
            later_tables=[_table(session, clinic, name, counted.later_by[name]) for name in by],
            columns={
                name: [(key, words.say("handoff_columns", key)) for key in keys] for name, keys in COLUMNS.items()
            },
        )


def _table(session: Session, clinic: Clinic, name: str, counted: Sequence[tuple[str, measures.Figures]]) -> Table:
    people = team.everyone(session, clinic.id)

    def said(key: str) -> str:
        if not key:
            return words.say("handoff_report", "none")
        if name == "requester":
            staff = people.get(audit.Actor(key).staff_id)
            return staff.name if staff else words.say("handoff_report", "machine")
        if name == "hour":
            return times.typed_clock(f"{key}:00")
        return telling.reasons().get(key, key) if name == "reason" else key

    return Table(words.say("handoff_report", name), [_row(said(key), figures) for key, figures in counted])


def _row(name: str, figures: measures.Figures) -> Row:
    shares = {"acceptance": figures.acceptance, "show_rate": figures.show_rate, "touch_rate": figures.touch_rate}
    spans = {**figures.minutes, "until_in_touch": figures.until_in_touch}
    cells = {
        "asked": str(figures.asked),
        "lost": str(figures.lost),
        **{key: "–" if share is None else f"{share:.0%}" for key, share in shares.items()},
        **{key: "–" if span is None else times.length(timedelta(minutes=span)) for key, span in spans.items()},
    }
    return Row(name, cells)
