"""Where a score has gone, as geometry."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from web.presenters import charts

START = datetime(2026, 1, 1, tzinfo=UTC)
BANDS = [(0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe")]
scores = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 27)), min_size=1, max_size=30)


def drawn(given_scores: list[tuple[int, int]]) -> charts.Trend:
    readings = [charts.Reading(START + timedelta(days=day), total, "12 Aug") for day, total in sorted(given_scores)]
    first = readings[0].total
    goals = [("start", float(first), "start"), ("response", first / 2, "half"), ("remission", 5.0, "under 5")]
    return charts.trend(readings, BANDS, 27, goals)


@given(scores)
def test_everything_stays_inside_the_picture(given_scores: list[tuple[int, int]]) -> None:
    picture = drawn(given_scores)
    for dot in picture.dots:
        assert picture.left <= dot.x <= picture.right
        assert 0 < dot.y <= picture.floor
    for band in picture.bands:
        assert 0 < band.y <= band.y + band.height <= picture.floor + 0.11
    for goal in picture.goals:
        assert 0 < goal.y <= picture.floor
        assert 0 < goal.label_y <= picture.floor
    assert picture.dots[-1].label == "12 Aug"


@given(scores)
def test_time_runs_to_the_right_and_points_upwards(given_scores: list[tuple[int, int]]) -> None:
    dots = drawn(given_scores).dots
    assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)
    by_height = sorted(dots, key=lambda dot: -dot.y)
    assert [dot.total for dot in by_height] == sorted(dot.total for dot in dots)


@given(scores)
def test_a_goal_is_drawn_where_a_score_of_as_many_points_would_be(
    given_scores: list[tuple[int, int]],
) -> None:
    picture = drawn(given_scores)
    lines = {goal.kind: goal.y for goal in picture.goals}
    assert lines["start"] == picture.dots[0].y
    if "remission" in lines:
        assert all((dot.y > lines["remission"]) == (dot.total < 5) for dot in picture.dots)
    half = picture.dots[0].total / 2
    assert all((dot.y >= lines["response"]) == (dot.total <= half) for dot in picture.dots)


@given(scores)
def test_no_words_run_into_each_other(given_scores: list[tuple[int, int]]) -> None:
    picture = drawn(given_scores)
    heights = [goal.label_y for goal in picture.goals]
    assert all(lower - upper >= charts.LINE - 0.11 for upper, lower in itertools.pairwise(heights))
    spans = [charts._span(dot.x, dot.label, dot.anchor) for dot in picture.dots if dot.label]
    assert all(left[1] < right[0] for left, right in itertools.pairwise(spans))
    edges = [band.y + band.height for band in picture.bands if band.number]
    assert all(lower - upper >= charts.LINE - 0.11 for lower, upper in itertools.pairwise(edges))


@given(scores)
def test_the_bands_lie_on_each_other_without_gap(given_scores: list[tuple[int, int]]) -> None:
    bands = drawn(given_scores).bands
    assert all(abs(lower.y - (upper.y + upper.height)) < 0.11 for lower, upper in itertools.pairwise(bands))


def test_a_ring_stands_where_an_item_was_positive() -> None:
    low, high = charts.Reading(START, 4, "a"), charts.Reading(START + timedelta(days=9), 19, "b", alert=True)
    assert [dot.alert for dot in charts.trend([low, high], BANDS, 27).dots] == [False, True]


@given(st.integers(0, 4), st.integers(1, 4))
def test_more_points_are_never_lighter(points: int, highest: int) -> None:
    points = min(points, highest)
    assert charts.shade(points, highest) >= charts.shade(max(0, points - 1), highest)
    assert charts.shade(0, highest) == 0
    assert charts.shade(highest, highest) == 3
    assert charts.shade(None, highest) == -1
