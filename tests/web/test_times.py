"""How deadlines and moments are said."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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
        (0.5, True, "under 1 min left", "safety", "▲"),
        (-0.5, True, "overdue now", "safety", "▲"),
        (38, False, "38 min left", "soon", "◆"),
        (-5, False, "overdue 5 min", "soon", "◆"),
        (110, False, "1 h 50 left", "plain", ""),
        (180, False, "3 h left", "plain", ""),
        (11 * 60, False, "today 8:00 PM", "plain", ""),
        (24 * 60, False, "tomorrow 9:00 AM", "plain", ""),
        (3 * 24 * 60, False, "Fri 9:00 AM", "plain", ""),
        (30 * 24 * 60, False, "Apr 2", "plain", ""),
    ],
)
def test_a_deadline_has_a_colour_a_shape_and_words(
    minutes: float, safety: bool, said: str, tone: str, shape: str
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
    assert times.moment(late, NOW, ZONE) == "Today 11:30 PM"
    assert times.moment(late, NOW, "UTC") == "Tomorrow 6:30 AM"
    assert times.moment(late, NOW, ZONE, running=True) == "today 11:30 PM"


def test_an_age_is_a_year_less_the_day_before_the_birthday() -> None:
    assert times.age("1985-03-04", NOW) == 40
    assert times.age("1985-03-03", NOW) == 41
    assert times.age(None, NOW) is None


def test_duty_ends_when_the_hours_end() -> None:
    hours = {"tue": ["08:00", "17:00"]}
    assert times.on_duty(hours, NOW, ZONE) == "5:00 PM"
    assert times.on_duty(hours, NOW + timedelta(hours=9), ZONE) is None
    assert times.on_duty({}, NOW, ZONE) == ""


@pytest.mark.parametrize(
    ("rules", "moment", "other_year", "exact"),
    [
        ({}, "Mon Mar 9 2:05 PM", "Dec 24, 2025", "Mar 9, 2026, 2:05:07 PM MDT"),
        ({"clock": "24"}, "Mon Mar 9 14:05", "Dec 24, 2025", "Mar 9, 2026, 14:05:07 MDT"),
        ({"dates": "day_month"}, "Mon 9 Mar 2:05 PM", "24 Dec 2025", "9 Mar 2026, 2:05:07 PM MDT"),
        ({"clock": "24", "dates": "day_month"}, "Mon 9 Mar 14:05", "24 Dec 2025", "9 Mar 2026, 14:05:07 MDT"),
    ],
)
def test_a_clinic_reads_times_and_dates_in_its_own_form(
    rules: dict[str, str], moment: str, other_year: str, exact: str
) -> None:
    at = datetime(2026, 3, 9, 20, 5, 7, tzinfo=UTC)
    times.follow(times.Style.of(rules))
    try:
        assert times.moment(at, NOW, ZONE) == moment
        assert times.date_of(datetime(2025, 12, 24, tzinfo=UTC), NOW) == other_year
        assert times.exact(at, ZONE) == exact
    finally:
        times.follow(times.US)


@pytest.mark.parametrize(
    ("name", "hours", "said"),
    [
        ("In 1 hour", 1, "In 1 hour, 10:00 AM"),
        ("Tomorrow morning", 23, "Tomorrow morning, 8:00 AM"),
        ("Monday morning", 119, "Monday morning, Mon Mar 8 8:00 AM"),
    ],
)
def test_a_moment_with_a_name_says_its_day_once(name: str, hours: int, said: str) -> None:
    now = datetime(2027, 3, 3, 9, 0, tzinfo=ZoneInfo(ZONE))
    assert times.named(name, now + timedelta(hours=hours), now, ZONE) == said


def test_until_says_no_day_where_it_is_today() -> None:
    assert times.until(NOW + timedelta(hours=1), NOW, ZONE) == "10:00 AM"
    assert times.until(NOW + timedelta(days=1), NOW, ZONE) == "tomorrow 9:00 AM"
    assert times.until(NOW + timedelta(days=6), NOW, ZONE) == times.moment(NOW + timedelta(days=6), NOW, ZONE)


def test_what_has_just_begun_lasts_under_a_minute_and_never_none() -> None:
    assert [times.lasted(timedelta(seconds=span)) for span in (0, 59, 60, 3600)] == [
        "under a minute", "under a minute", "1 min", "1 h",
    ]  # fmt: skip
