"""The hours a text may be planned for: the patient's, never at night, never in the past."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.rules.hours import OpenHours
from web.compose import send_times

NOON = datetime(2026, 3, 3, 19, tzinfo=UTC)  # a Tuesday, 12:00 in Denver
DENVER = send_times.Clock(NOON, "America/Denver", OpenHours())


def test_the_next_morning_is_chosen_at_first() -> None:
    assert send_times.usual(DENVER) == ("2026-03-04", "08:00")
    assert send_times.moment(*send_times.usual(DENVER), DENVER) == datetime(2026, 3, 4, 15, tzinfo=UTC)


def test_days_are_said_as_people_say_them() -> None:
    assert [words for _, words in send_times.days(DENVER)][:3] == ["Today", "Tomorrow", "Thu Mar 5"]


def test_a_day_that_is_over_is_not_offered() -> None:
    night = send_times.Clock(datetime(2026, 3, 4, 4, tzinfo=UTC), "America/Denver", OpenHours())
    assert send_times.days(night)[0] == ("2026-03-04", "Tomorrow")


@pytest.mark.parametrize(
    ("day", "at", "instead"),
    [
        ("2026-03-04", "08:00", None),
        ("2026-03-04", "19:30", None),
        ("2026-03-04", "07:30", "2026-03-04 08:00"),
        ("2026-03-04", "20:00", "2026-03-05 08:00"),
        ("2026-03-03", "09:00", "2026-03-03 12:01"),
    ],
)
def test_another_hour_is_offered_for_one_that_may_not_be(day: str, at: str, instead: str | None) -> None:
    offered = send_times.instead(send_times.moment(day, at, DENVER), DENVER)
    assert (f"{offered.astimezone(ZoneInfo('America/Denver')):%Y-%m-%d %H:%M}" if offered else None) == instead


@pytest.mark.parametrize(("day", "at"), [("", ""), ("tomorrow", "8"), ("2026-02-30", "08:00")])
def test_what_is_no_moment_is_refused(day: str, at: str) -> None:
    with pytest.raises(ValueError):
        send_times.moment(day, at, DENVER)


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.sampled_from(["America/Denver", "Pacific/Guam"]),
)
def test_every_hour_that_is_offered_may_be_chosen(now: datetime, zone: str) -> None:
    by = send_times.Clock(now.replace(tzinfo=UTC), zone, OpenHours(time(8), time(20)))
    for day, _ in send_times.days(by)[1:]:
        for at, _ in send_times.times(by):
            moment = send_times.moment(day, at, by)
            assert send_times.instead(moment, by) is None
            assert moment < send_times.useful_until(moment, by) <= moment + timedelta(hours=4)
            assert by.hours.is_open(send_times.useful_until(moment, by) - timedelta(seconds=1), ZoneInfo(zone))
