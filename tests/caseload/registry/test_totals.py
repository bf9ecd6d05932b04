"""What is kept of totals says what the totals say, whenever it is read."""

from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as some

from caseload.registry import progress, totals
from caseload.registry.progress import Point
from caseload.registry.totals import Scored

DAY = timedelta(days=1)
TODAY = date(2026, 6, 10)
days = some.integers(-120, 20).map(lambda number: TODAY + number * DAY)
scores = some.lists(
    some.builds(Scored, some.builds(Point, days, some.integers(0, 27)), some.booleans(), some.booleans())
)


@given(days, some.none() | days, scores, days)
@example(TODAY - 60 * DAY, None, [Scored(Point(TODAY + DAY, 0), True)], TODAY)
def test_what_is_kept_is_what_is_made_of_all_totals_on_any_day(
    enrolled: date, ended: date | None, given_scores: list[Scored], today: date
) -> None:
    ordered = sorted(given_scores, key=lambda each: each.point.on)
    kept = totals.opened(totals.written(enrolled, ended, ordered), enrolled, ended, today)
    counted = [each for each in ordered if each.point.on <= (ended or today)]
    assert kept.scores == counted
    assert kept.progress == progress.of(enrolled, [each.point for each in counted])
    assert kept.self_harm == (bool(counted) and counted[-1].self_harm)
    assert kept == totals.of(enrolled, ended or today, ordered)


def test_nothing_kept_is_no_total() -> None:
    assert totals.opened(b"", TODAY, None, TODAY) == totals.of(TODAY, TODAY, [])
