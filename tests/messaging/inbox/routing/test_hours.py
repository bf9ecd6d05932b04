"""Hours of a week: read as people write them, and counted on the wall clock of a place."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from messaging.inbox.routing import hours
from messaging.inbox.routing.hours import Hours

OFFICE = hours.read("Mon-Fri 8:00-17:00")
DENVER = ZoneInfo("America/Denver")
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
WEEKS = st.dictionaries(st.sampled_from(hours.WEEKDAYS), st.lists(TIMES, min_size=2, max_size=2))
PLACES = ("America/Denver", "America/New_York", "America/Phoenix", "Europe/Madrid", "Asia/Karachi")
MOMENTS = st.builds(
    lambda minutes: datetime(2027, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes), st.integers(0, 350 * 1440)
)


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("Mon-Fri 8:00-17:00", {day: ["08:00", "17:00"] for day in hours.WEEKDAYS[:5]}),
        ("sat all day; sun 9:30–12:00", {"sat": ["00:00", "00:00"], "sun": ["09:30", "12:00"]}),
        ("Fri-Mon 17:00-24:00", {day: ["17:00", "00:00"] for day in ("mon", "fri", "sat", "sun")}),
        ("Tue Thu 8:00-12:00", {day: ["08:00", "12:00"] for day in ("tue", "thu")}),
        ("", {}),
        ("Mon-Fri 8-5", {day: ["08:00", "17:00"] for day in hours.WEEKDAYS[:5]}),
        ("weekdays 8am to 5 p.m.", {day: ["08:00", "17:00"] for day in hours.WEEKDAYS[:5]}),
        ("Monday through Thursday 8.30-6, Fri 8-noon", {
            **{day: ["08:30", "18:00"] for day in hours.WEEKDAYS[:4]}, "fri": ["08:00", "12:00"],
        }),
        ("Mon, Wed 9-1, Sun closed", {"mon": ["09:00", "13:00"], "wed": ["09:00", "13:00"]}),
        ("Tues 1-5", {"tue": ["13:00", "17:00"]}),
        ("M-F 8:00-5:00", {day: ["08:00", "17:00"] for day in hours.WEEKDAYS[:5]}),
        ("Mon 08:00-05:00", {"mon": ["08:00", "05:00"]}),
        ("Mon 5 PM-8 AM", {"mon": ["17:00", "08:00"]}),
        ("24/7", {day: ["00:00", "00:00"] for day in hours.WEEKDAYS}),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_write_them(text, week):
    assert hours.read(text) == week


@pytest.mark.parametrize(
    "text",
    [
        "always",
        "Mon 8",
        "Mon-Fri",
        "Mon 13:00 PM-14:00 PM",
        "Mon 25:00-26:00",
        "Fre 8:00-9:00",
        "Mon 8:00-9:00, Mon 9:00-10:00",
    ],
)
def test_what_cannot_be_read_is_explained(text):
    with pytest.raises(hours.BadHours, match=r"write|no weekday|no time|twice"):
        hours.read(text)


@given(week=WEEKS)
def test_what_is_said_can_be_read_again(week):
    assert hours.read(hours.say(week)) == week
    assert hours.read(hours.say(week, twelve=True)) == week


def test_they_are_written_back_in_one_form():
    week = hours.read("weekdays 8-5, sat 9am to noon")
    assert hours.say(week) == "Mon-Fri 8:00-17:00, Sat 9:00-12:00"
    assert hours.say(week, twelve=True) == "Mon-Fri 8:00 AM-5:00 PM, Sat 9:00 AM-12:00 PM"


def test_the_clock_stands_still_while_the_clinic_is_closed():
    office = Hours("America/Denver", OFFICE)
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=DENVER)
    assert hours.after(friday, 60, office) == datetime(2026, 3, 9, 8, 30, tzinfo=DENVER)
    assert hours.after(friday, 30, office) == datetime(2026, 3, 6, 17, 0, tzinfo=DENVER)


def test_holidays_are_closed_once_or_every_year():
    office = Hours("America/Denver", OFFICE, ("12-25", "2026-11-26"))
    assert not office.open_at(datetime(2028, 12, 25, 10, tzinfo=DENVER))
    assert not office.open_at(datetime(2026, 11, 26, 10, tzinfo=DENVER))
    assert office.open_at(datetime(2027, 11, 26, 10, tzinfo=DENVER))
    thanksgiving = datetime(2026, 11, 25, 16, 50, tzinfo=DENVER)
    assert hours.after(thanksgiving, 20, office) == datetime(2026, 11, 27, 8, 10, tzinfo=DENVER)


def test_a_night_that_loses_an_hour_is_an_hour_shorter():
    night = Hours("America/Denver", {"sat": ["22:00", "06:00"]})
    start = datetime(2027, 3, 13, 22, 0, tzinfo=DENVER)  # the clocks go forward at 2:00
    assert hours.after(start, 7 * 60, night) == datetime(2027, 3, 14, 6, 0, tzinfo=DENVER)


def test_a_clinic_that_never_opens_still_has_a_deadline():
    closed = Hours("America/Denver", {"mon": []})
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    assert hours.after(moment, 60, closed) == moment + timedelta(hours=1)


@profile(max_examples=60, deadline=None)
@given(week=WEEKS, place=st.sampled_from(PLACES), start=MOMENTS, minutes=st.integers(1, 600))
def test_a_deadline_is_never_before_its_minutes_are_over_and_more_minutes_are_never_sooner(week, place, start, minutes):
    clinic = Hours(place, week)
    due = hours.after(start, minutes, clinic)
    assert due >= start + timedelta(minutes=minutes)
    if due > start + timedelta(minutes=minutes):  # it waited for the doors: then they are open just before it
        assert clinic.open_at(due - timedelta(seconds=30))
        assert hours.after(start, minutes + 1, clinic) > due or hours.after(
            start, minutes + 1, clinic
        ) == start + timedelta(minutes=minutes + 1)
