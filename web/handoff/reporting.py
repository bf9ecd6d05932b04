"""How the clinic's handoffs went: acceptance, times, who was met; by site, hour, requester and reason."""

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
# How many days a report covers, the usual first.
DAYS = (30, 7, 90, 365)


@dataclass(frozen=True)
class Row:
    """A line of the report, in words."""

    name: str
    asked: int
    acceptance: str
    minutes: dict[str, str]
    show_rate: str
    lost: int


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
            tables=[_table(session, clinic, name, counted) for name in by],
            spans=[(name, words.say("handoff_spans", name)) for name in measures.SPANS],
        )


def _table(session: Session, clinic: Clinic, name: str, counted: measures.Report) -> Table:
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

    return Table(words.say("handoff_report", name), [_row(said(key), figures) for key, figures in counted.by[name]])


def _row(name: str, figures: measures.Figures) -> Row:
    return Row(
        name=name,
        asked=figures.asked,
        acceptance=_share(figures.acceptance),
        minutes={key: "–" if value is None else f"{value:.0f}" for key, value in figures.minutes.items()},
        show_rate=_share(figures.show_rate),
        lost=figures.lost,
    )


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
