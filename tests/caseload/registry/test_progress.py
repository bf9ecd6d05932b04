"""How scores move: the examples of the registry's specification, each by what a care manager would say."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.registry import progress
from caseload.registry.progress import Point

ENROLLED = date(2026, 3, 2)


def on(day: int, total: int) -> Point:
    return Point(ENROLLED + timedelta(days=day), total)


@pytest.mark.parametrize(
    ("first", "last", "state", "change", "percent"),
    [
        (16, 8, "improved", -8, -50),  # the boundary counts
        (14, 9, "improved", -5, -36),  # below ten
        (9, 4, "not_elevated", -5, -56),  # no remission for who was never ill by this scale
        (12, 0, "remission", -12, -100),  # nought is a score
        (0, 0, "not_elevated", 0, None),  # and no share of nought
        (20, 16, "not_improving", -4, -20),
        (20, 15, "improving", -5, -25),
        (20, 25, "worse", 5, 25),
        (4, 9, "worse", 5, 125),
        (20, 4, "remission", -16, -80),
        (21, 10, "improved", -11, -52),
        (21, 11, "improving", -10, -48),
    ],
)
def test_two_scores_say_how_somebody_is(first, last, state, change, percent):
    moved = progress.of(ENROLLED, [on(0, first), on(28, last)])
    assert (moved.state, moved.change, moved.percent) == (state, change, percent)


def test_a_score_on_day_fourteen_is_a_baseline_and_one_on_day_fifteen_is_none():
    assert progress.of(ENROLLED, [on(14, 16)]).state == "awaiting"
    late = progress.of(ENROLLED, [on(15, 16), on(40, 5)])
    assert (late.state, late.baseline, late.last, late.change) == ("no_baseline", None, on(40, 5), None)


def test_a_screen_before_enrolment_is_the_baseline_only_where_there_is_no_other():
    assert progress.of(ENROLLED, [on(-30, 18), on(30, 9)]).from_screening
    assert progress.of(ENROLLED, [on(-30, 18), on(30, 9)]).state == "improved"
    both = progress.of(ENROLLED, [on(-3, 18), on(3, 12), on(30, 9)])
    assert (both.baseline, both.from_screening) == (on(3, 12), False)
    assert progress.of(ENROLLED, [on(-31, 18), on(30, 9)]).state == "no_baseline"


def test_years_before_count_for_nothing_and_the_last_score_is_the_newest_of_the_episode():
    moved = progress.of(ENROLLED, [on(-700, 3), on(1, 15), on(20, 9), on(10, 14)])
    assert (moved.baseline, moved.last) == (on(1, 15), on(20, 9))


points = st.lists(st.builds(on, st.integers(-400, 400), st.integers(0, 27)), max_size=12)


@given(points)
def test_the_order_of_scores_says_nothing_and_a_percentage_never_stands_without_a_change(some):
    moved = progress.of(ENROLLED, some)
    assert moved.state in progress.State.__args__
    days = [point.on for point in some]
    if len(set(days)) == len(days):
        assert progress.of(ENROLLED, some[::-1]) == moved
    if moved.change is None:
        assert moved.percent is None
    if moved.state in ("remission", "improved", "improving", "not_improving"):
        assert moved.baseline is not None
        assert moved.baseline.total >= progress.ELEVATED
