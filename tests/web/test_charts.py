"""Where a score has gone, as geometry."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from web import charts

START = datetime(2026, 1, 1, tzinfo=UTC)
BANDS = [(0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe")]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 27)), min_size=2, max_size=12))
def test_everything_stays_inside_the_picture(given_scores: list[tuple[int, int]]) -> None:
    readings = [
        charts.Reading(START + timedelta(days=day), total, "12 Aug") for day, total in sorted(given_scores)
    ]
    drawn = charts.trend(readings, BANDS, 27)
    for dot in drawn.dots:
        assert 0 <= dot.x <= drawn.width
        assert 0 <= dot.y <= drawn.floor
    assert drawn.dots[-1].label == "12 Aug"
    assert all(0 <= band.y <= drawn.floor for band in drawn.bands)


def test_a_higher_score_is_drawn_higher() -> None:
    low, high = charts.Reading(START, 4, "a"), charts.Reading(START + timedelta(days=9), 19, "b", alert=True)
    drawn = charts.trend([low, high], BANDS, 27)
    assert drawn.dots[0].y > drawn.dots[1].y
    assert drawn.dots[1].alert
