"""Improvement cycles: what the clinic does differently from a day on, and the measure before and after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload.figures import adding_up, definitions, improving, keeping
from caseload.figures.days import LENGTH, ONE
from caseload.figures.models import Improvement
from config import db
from web import layout, permissions, sessions, team, times, words
from web.presenters import figures_view

changes = layout.room("review_changes", __name__)


@dataclass(frozen=True)
class Entry:
    """A change in words: who noted it, since when, what came of it, and its measure before and after."""

    id: UUID
    words: str
    learned: str
    by: str
    since: str
    outcome: str
    ended: str
    title: str
    days: int
    card: figures_view.Card | None


@changes.get("/review/changes")
@permissions.signed_in("review.read")
def show() -> str:
    """Show what was changed, and the form for noting something."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, {"measure": request.args.get("measure", "")}, {})


@changes.post("/review/changes")
@permissions.signed_in("review.change")
def note() -> Response | tuple[str, int]:
    """Note what is done differently."""
    given = {name: request.form.get(name, "") for name in ("words", "measure", "started_on")}
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        try:
            improving.note(session, clinic, staff, given["words"], given["measure"], _day(given["started_on"]))
        except improving.Refused as refused:
            return _page(session, given, {refused.field: words.say("improvement_refusals", refused.why)}), 422
    flash(words.say("review", "noted"))
    return redirect(url_for("review_changes.show"), 303)


@changes.post("/review/changes/<uuid:improvement_id>")
@permissions.signed_in("review.change")
def end(improvement_id: UUID) -> Response | tuple[str, int]:
    """Write down what came of a change."""
    clinic, form = sessions.clinic(), request.form
    given = {"id": str(improvement_id), "outcome": form.get("outcome", ""), "learned": form.get("learned", "")}
    with db.unit_of_work(clinic.id) as session:
        try:
            improving.end(session, clinic, layout.the_staff(), improvement_id, given["outcome"], given["learned"])
        except LookupError:
            abort(404)
        except improving.Refused as refused:
            return _page(session, given, {refused.field: words.say("improvement_refusals", refused.why)}), 422
    flash(words.say("review", "ended"))
    return redirect(url_for("review_changes.show"), 303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _page(session: Session, given: Mapping[str, str], problems: Mapping[str, str]) -> str:
    clinic = sessions.clinic()
    yesterday = keeping.today_of(clinic) - ONE
    days = keeping.kept(session, clinic.id, yesterday - (keeping.BACK + LENGTH) * ONE, yesterday)
    people = {staff_id: colleague.name for staff_id, colleague in team.everyone(session, clinic.id).items()}
    return layout.page(
        session,
        "staff/review_changes.html",
        here="review",
        entries=[_entry(days, row, people, yesterday) for row in improving.of_clinic(session, clinic)],
        measures=[(each.key, each.title) for each in improving.changeable()],
        outcomes=[(key, words.say("improvement_outcomes", key)) for key in improving.OUTCOMES],
        given=given,
        problems=problems,
        today=(yesterday + ONE).isoformat(),
    )


def _entry(days: adding_up.Days, row: Improvement, people: Mapping[UUID | None, str], yesterday: date) -> Entry:
    moved = improving.moved(days, row, yesterday)
    return Entry(
        id=row.id,
        words=row.words or "",
        learned=row.learned or "",
        by=people.get(row.made_by, ""),
        since=times.date_of(row.started_on),
        outcome=words.say("improvement_outcomes", row.outcome) if row.outcome else "",
        ended=times.date_of(row.ended_on) if row.ended_on else "",
        title=definitions.measures()[row.measure].title,
        days=moved.days if moved else 0,
        card=figures_view.card(moved.result) if moved else None,
    )
