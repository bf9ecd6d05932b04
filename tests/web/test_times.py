"""How deadlines and moments are said."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import times

NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)  # Tuesday, 9:00 in Denver
ZONE = "America/Denver"


@pytest.mark.parametrize(
    ("minutes", "safety", "said", "tone", "shape"),
    [
        (11, True, "11 min left", "safety", "▲"),
        (-5, True, "overdue 5 min", "safety", "▲"),
        (38, False, "38 min left", "soon", "◆"),
        (-5, False, "overdue 5 min", "soon", "◆"),
        (110, False, "1 h 50 left", "plain", ""),
        (180, False, "3 h left", "plain", ""),
        (11 * 60, False, "today 20:00", "plain", ""),
        (24 * 60, False, "tomorrow 9:00", "plain", ""),
        (3 * 24 * 60, False, "Fri 9:00", "plain", ""),
        (30 * 24 * 60, False, "2 Apr", "plain", ""),
    ],
)
def test_a_deadline_has_a_colour_a_shape_and_words(
    minutes: int, safety: bool, said: str, tone: str, shape: str
) -> None:
    mark = times.mark(safety=safety, answer_by=NOW + timedelta(minutes=minutes), now=NOW, zone=ZONE)
    assert (mark.words, mark.tone, mark.shape) == (said, tone, shape)
    assert mark.late == (minutes < 0)


@given(st.integers(-100_000, 100_000), st.booleans())
def test_red_is_for_safety_and_for_nothing_else(minutes: int, safety: bool) -> None:
    mark = times.mark(safety=safety, answer_by=NOW + timedelta(minutes=minutes), now=NOW, zone=ZONE)
    assert (mark.tone == "safety") == safety
    assert mark.words


def test_days_are_the_clinics_own() -> None:
    late = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)  # 23:30 of the same day in Denver
    assert times.moment(late, NOW, ZONE) == "Today 23:30"
    assert times.moment(late, NOW, "UTC") == "Tomorrow 6:30"
    assert times.moment(late, NOW, ZONE, running=True) == "today 23:30"


def test_an_age_is_a_year_less_the_day_before_the_birthday() -> None:
    assert times.age("1985-03-04", NOW) == 40
    assert times.age("1985-03-03", NOW) == 41
    assert times.age(None, NOW) is None


def test_duty_ends_when_the_hours_end() -> None:
    hours = {"tue": ["08:00", "17:00"]}
    assert times.on_duty(hours, NOW, ZONE) == "17:00"
    assert times.on_duty(hours, NOW + timedelta(hours=9), ZONE) is None
    assert times.on_duty({}, NOW, ZONE) == ""
