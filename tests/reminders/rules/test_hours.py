"""Hours of the day on the wall clock, compared with a walk through every minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminders.rules import hours

DENVER = ZoneInfo("America/Denver")
MINUTE = timedelta(minutes=1)
# Zone and the UTC day around which its clocks change: a gap, a fold, half an hour, midnight, a whole day.
CHANGES = [
    ("America/New_York", datetime(2027, 3, 14)),
    ("America/New_York", datetime(2027, 11, 7)),
    ("America/Denver", datetime(2027, 3, 14)),
    ("Europe/Dublin", datetime(2027, 10, 31)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3)),
    ("Australia/Lord_Howe", datetime(2027, 10, 2)),
    ("America/Santiago", datetime(2027, 4, 4)),
    ("America/Santiago", datetime(2027, 9, 5)),
    ("Pacific/Apia", datetime(2011, 12, 30)),
    ("Pacific/Chatham", datetime(2027, 4, 3)),
    ("America/St_Johns", datetime(2011, 3, 13)),
    ("America/St_Johns", datetime(2011, 11, 6)),
]
NORMAL = hours.OpenHours()


def at(text):
    return datetime.fromisoformat(text)


def by_the_clock(instant, place, open_hours):
    wall = instant.astimezone(ZoneInfo(place)).time()
    return open_hours.start <= wall < open_hours.end


@pytest.mark.parametrize(
    ("wall", "is_open"),
    [
        ("07:59:59", False),
        ("08:00", True),
        ("12:00", True),
        ("19:59:59", True),
        ("20:00", False),
        ("23:00", False),
    ],
)
def test_the_day_opens_at_eight_and_is_over_at_twenty(wall, is_open):
    assert NORMAL.is_open(at(f"2026-01-15T{wall}-07:00"), DENVER) is is_open


def test_an_open_instant_is_its_own_next_and_previous():
    noon = at("2026-01-15T19:00Z")
    assert NORMAL.next_open(noon, DENVER) == NORMAL.previous_open(noon, DENVER) == noon


def test_night_leads_to_eight_and_back_to_19_59():
    night = at("2026-01-15T23:30-07:00")
    assert NORMAL.next_open(night, DENVER) == at("2026-01-16T08:00-07:00")
    assert NORMAL.previous_open(night, DENVER) == at("2026-01-15T19:59-07:00")
    dawn = at("2026-01-16T05:30-07:00")
    assert NORMAL.next_open(dawn, DENVER) == at("2026-01-16T08:00-07:00")
    assert NORMAL.previous_open(dawn, DENVER) == at("2026-01-15T19:59-07:00")


def test_the_answer_is_in_utc():
    assert NORMAL.next_open(at("2026-01-15T23:30-07:00"), DENVER).tzinfo is UTC
    assert NORMAL.previous_open(at("2026-01-15T12:30-07:00"), DENVER).tzinfo is UTC


def test_a_day_that_was_skipped_has_no_opening():
    apia = ZoneInfo("Pacific/Apia")
    night = at("2011-12-29T21:00-10:00")
    assert NORMAL.next_open(night, apia) == at("2011-12-31T08:00+14:00")
    assert NORMAL.previous_open(at("2011-12-31T06:00+14:00"), apia) == at("2011-12-29T19:59-10:00")


def test_weekdays_and_single_dates_may_differ():
    friday = date(2026, 1, 16)
    week = hours.OpenHours(time(9), time(17), {5: None, 6: None, 0: (time(10), time(12)), friday: None})
    assert week.next_open(at("2026-01-15T18:00-07:00"), DENVER) == at("2026-01-19T10:00-07:00")
    assert week.previous_open(at("2026-01-19T09:30-07:00"), DENVER) == at("2026-01-15T16:59-07:00")
    assert not week.is_open(at("2026-01-16T12:00-07:00"), DENVER)
    assert week.is_open(at("2026-01-23T12:00-07:00"), DENVER)


def test_many_closed_dates_in_a_row_are_passed_over():
    start = date(2026, 6, 1)
    shut = hours.OpenHours(other={start + timedelta(days=n): None for n in range(60)})
    assert shut.next_open(at("2026-06-01T10:00-06:00"), DENVER) == at("2026-07-31T08:00-06:00")
    assert shut.previous_open(at("2026-07-30T10:00-06:00"), DENVER) == at("2026-05-31T19:59-06:00")


def test_hours_that_never_open_are_refused():
    with pytest.raises(ValueError, match="before they close"):
        hours.OpenHours(time(20), time(8))
    with pytest.raises(ValueError, match="at least one weekday"):
        hours.OpenHours(other=dict.fromkeys(range(7)))


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
    st.sampled_from([(time(8), time(20)), (time(2, 30), time(12)), (time(0), time(1, 15)), (time(1, 30), time(2, 15))]),
)
@example(CHANGES[0], 5 * 60, (time(2, 30), time(12)))
@example(CHANGES[0], 10 * 60, (time(1), time(2, 30)))
@example(CHANGES[5], 15 * 60 + 25, (time(1, 30), time(2, 15)))
@example(CHANGES[6], 3 * 60 + 5, (time(0), time(1, 15)))
def test_next_and_previous_are_the_nearest_open_minutes_around_a_change_of_clocks(change, minutes, window):
    zone, day = change
    open_hours = hours.OpenHours(*window)
    start = day.replace(tzinfo=UTC) + minutes * MINUTE
    after = before = start
    while not by_the_clock(after, zone, open_hours):
        after += MINUTE
    while not by_the_clock(before, zone, open_hours):
        before -= MINUTE
    assert open_hours.next_open(start, ZoneInfo(zone)) == after
    assert open_hours.previous_open(start, ZoneInfo(zone)) == before
