"""The 90-day review on one page, as CSV and as PDF; and having the days counted anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import Response, abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from caseload.figures import adding_up, definitions, keeping, small_cells
from caseload.figures.days import ONE, Span, ending
from config import audit, clock, db
from messaging.models import Clinic
from reminders import care_model, satisfaction
from web import csv_sheets, layout, permissions, sessions, times, words
from web.presenters import figures_view
from web.review import printed

reviews = layout.room("ninety_days", __name__)


@dataclass(frozen=True)
class Read:
    """The review of a span: what was counted, how many of its days and those before have been, and when last; `own` are
    the words of the clinic's questions, by the keys of their rows."""

    span: Span
    days: adding_up.Days
    results: list[adding_up.Result]
    counted: int
    waiting: int
    newest: str
    own: Mapping[str, str]


@reviews.get("/review")
@permissions.signed_in("review.read")
def show() -> str:
    """Show the review of the ninety days that end with `until`, yesterday if nothing is said."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        read = _read(session, clinic, "page")
        charts = figures_view.charts(read.days, read.results, read.span.last, read.span.first)
        return layout.page(
            session,
            "staff/review.html",
            here="review",
            read=read,
            sections=figures_view.sections(small_cells.on_the_page(read.results), charts, read.own),
            registry=care_model.of_clinic(clinic).registry,
            unknown=definitions.words("unknown").values(),
            yesterday=(keeping.today_of(clinic) - ONE).isoformat(),
            earliest=(keeping.today_of(clinic) - keeping.BACK * ONE).isoformat(),
            now_words=_words(read.span),
            before_words=_words(read.span.before),
            until=read.span.last.isoformat(),
        )


@reviews.get("/review.csv")
@permissions.signed_in("review.read", fresh=True)
def sheet() -> Response:
    """Return every row for a spreadsheet, small numbers hidden."""
    clinic, rows = sessions.clinic(), []
    with db.unit_of_work(clinic.id) as session:
        read = _read(session, clinic, "csv")
    for result in small_cells.hide(read.results):
        for row in result.rows:
            rows.append(figures_view.csv_row(result, row, read.own))
        for row in result.excluded:
            cells = figures_view.csv_row(result, row)
            cells[1] = words.say("review", "without", what=definitions.said("excluded", row.key))
            rows.append(cells)
    return csv_sheets.answer(f"review-{read.span.last}.csv", words.table_of("review_columns").values(), rows)


@reviews.get("/review.pdf")
@permissions.signed_in("review.read", fresh=True)
def print_out() -> Response:
    """Return the review on paper, small numbers hidden."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        read = _read(session, clinic, "pdf")
    sections = figures_view.sections(small_cells.hide(read.results), {}, read.own)
    sheet = printed.Sheet(clinic.name, _words(read.span), _words(read.span.before), sections)
    return _file(printed.review(sheet, clock.now()), "application/pdf", read.span, "pdf")


@reviews.post("/review/count")
@permissions.signed_in("review.change")
def count_anew() -> AnyResponse:
    """Have every day of the last half-year counted anew."""
    with db.unit_of_work(sessions.clinic().id) as session:
        keeping.count_anew(session, sessions.clinic(), layout.the_actor())
    flash(words.say("review", "counting"))
    return redirect(url_for("ninety_days.show"), 303)


def _file(content: str | bytes, mimetype: str, span: Span, ending: str) -> Response:
    named = {"Content-Disposition": f'attachment; filename="review-{span.last}.{ending}"'}
    return Response(content, mimetype=mimetype, headers=named)


def _read(session: Session, clinic: Clinic, form: str) -> Read:
    """Return the review that the address asks for; that it was read is written down."""
    span = ending(_until(clinic))
    days = keeping.kept(session, clinic.id, span.before.first, span.last)
    newest = keeping.newest_count(session, clinic.id)
    audit.record(session, clinic.id, layout.the_actor(), "review.opened", f"clinic:{clinic.id}", form=form)
    own = {key: question.en for key, question in satisfaction.ever_asked(session, clinic).items()}
    results = adding_up.review(days, span, registry=care_model.of_clinic(clinic).registry)
    return Read(
        span=span,
        days=days,
        results=adding_up.in_order(results, list(own)),
        counted=sum(day in span for day in days),
        waiting=keeping.waiting(session, clinic.id, span.before.first, span.last),
        newest=times.moment(newest, clock.now(), clinic.zone, running=True) if newest else "",
        own=own,
    )


def _until(clinic: Clinic) -> date:
    yesterday = keeping.today_of(clinic) - ONE
    asked = request.args.get("until", "")
    if not asked:
        return yesterday
    try:
        return min(date.fromisoformat(asked), yesterday)
    except ValueError:
        abort(404)


def _words(span: Span) -> str:
    return words.say("review", "span", first=times.date_of(span.first), last=times.date_of(span.last))
