"""Figures of the clinic, in which nobody stands by name and small numbers are hidden."""

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from api.operations import Call, Operation
from api.problems import at
from api.shapes import Moment, Shape
from caseload.figures import adding_up, keeping, small_cells
from caseload.figures.days import ONE, ending
from reminders import care_model, satisfaction

EARLIEST = date(2000, 1, 1)


class ShareOut(Shape):
    """`n` of `of`, and per cent. `hidden` where a number is too small to leave the clinic: it is null then. Of marks
    from 1 to 5 it is how many there are, and their `mean`."""

    n: int | None
    of: int | None
    percent: float | None
    mean: float | None
    hidden: bool


class RowOut(Shape):
    """A row of a measure, of these days and of the 90 before; `title` are the words of the clinic's own question."""

    key: str
    title: str | None
    now: ShareOut
    before: ShareOut


class MeasureOut(Shape):
    """A measure: what it counts, its rows, and what was left out of them (`of` is null there)."""

    key: str
    title: str
    defined: str
    caution: str | None
    rows: list[RowOut]
    excluded: list[RowOut]


class ReviewOut(Shape):
    """The review of the days from `first` to `last`; `days_counted` says how many of the 90 have been counted."""

    first: str
    last: str
    days_counted: int
    counted_at: Moment | None
    measures: list[MeasureOut]


class ReviewQuery(BaseModel):
    """Which ninety days: those that end with `until` ("2026-03-31"), else with yesterday by the clinic's clock."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    until: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")


def _review(call: Call, query: ReviewQuery) -> ReviewOut:
    """Read the 90-day review: each measure as n of N, beside the 90 days before, small numbers hidden."""
    span = ending(_until(query.until, keeping.today_of(call.clinic) - ONE))
    days = keeping.kept(call.session, call.clinic.id, span.before.first, span.last)
    results = adding_up.review(days, span, registry=care_model.of_clinic(call.clinic).registry)
    newest = keeping.newest_count(call.session, call.clinic.id)
    own = {key: question.en for key, question in satisfaction.ever_asked(call.session, call.clinic).items()}
    return ReviewOut(
        first=span.first.isoformat(),
        last=span.last.isoformat(),
        days_counted=sum(day in span for day in days),
        counted_at=newest,
        measures=[_measure(result, own) for result in small_cells.hide(adding_up.in_order(results, list(own)))],
    )


def _until(asked: str | None, yesterday: date) -> date:
    try:
        until = date.fromisoformat(asked) if asked else yesterday
    except ValueError:
        raise at("/until", "expected") from None
    if not EARLIEST <= until <= yesterday:
        raise at("/until", "expected")
    return until


def _measure(result: adding_up.Result, own: Mapping[str, str]) -> MeasureOut:
    measure = result.measure
    return MeasureOut(
        key=measure.key,
        title=measure.title,
        defined=measure.defined,
        caution=measure.caution or None,
        rows=[_row(row, own.get(row.key)) for row in result.rows],
        excluded=[_row(row) for row in result.excluded],
    )


def _row(row: adding_up.Row, title: str | None = None) -> RowOut:
    return RowOut(key=row.key, title=title, now=_share(row.now), before=_share(row.before))


def _share(share: adding_up.Share) -> ShareOut:
    percent = None if share.percent is None else round(share.percent, 1)
    mean = None if share.mean is None else round(share.mean, 2)
    return ShareOut(n=share.n, of=share.of, percent=percent, mean=mean, hidden=share.n is None)


OPERATIONS = (
    Operation(
        "reports.90-day", "GET", "/reports/90-day", _review, "reports.read", "report", {200: ReviewOut},
        query=ReviewQuery,
    ),
)  # fmt: skip
