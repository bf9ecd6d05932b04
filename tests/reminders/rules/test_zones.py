"""Wall clocks and instants, with the changes of clocks that really happened."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.rules import zones

DENVER = ZoneInfo("America/Denver")


def test_an_unknown_zone_is_refused_with_a_near_name():
    with pytest.raises(zones.UnknownZone, match="did you mean America/Denver"):
        zones.zone("america/denver")
    with pytest.raises(zones.UnknownZone, match="did you mean America/Denver"):
        zones.zone("Denver")
    with pytest.raises(zones.UnknownZone, match="America/New_York"):
        zones.zone("America/New York")


@pytest.mark.parametrize(
    "name",
    ["", " ", "America", "..", "../etc/passwd", "/etc/localtime", "a\0b", "\ud800", "right/America/Denver", "localtime",
     "posix/America/Denver", "Mountain Time", "x" * 5000],
)  # fmt: skip
def test_what_names_no_place_is_refused(name):
    with pytest.raises(zones.UnknownZone):
        zones.zone(name)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("EST", "America/New_York, or America/Panama where the clocks never change"),
        ("MST", "America/Denver, or America/Phoenix where"),
        ("HST", "Pacific/Honolulu?"),
        ("PST", "America/Los_Angeles?"),
        ("CDT", "America/Chicago"),
        ("et", "America/New_York"),
        ("AKST", "America/Anchorage"),
        ("Eastern Standard Time", "America/New_York"),
        ("Mountain Time", "America/Denver"),
        ("Etc/GMT+8", "America/Los_Angeles"),
        ("GMT-6", "America/Chicago"),
        ("UTC-05:00", "America/New_York"),
        ("Etc/GMT-10", "Pacific/Guam"),
        ("UTC", "America/Denver"),
        ("Etc/UTC", "America/Denver"),
        ("Zulu", "America/Denver"),
    ],
)
def test_a_clock_without_a_place_is_refused_with_the_place_that_is_meant(name, offered):
    with pytest.raises(zones.UnknownZone) as refused:
        zones.of_place(name)
    assert offered in str(refused.value)


@pytest.mark.parametrize(
    "name",
    ["America/Panama", "America/Phoenix", "Pacific/Honolulu", "America/Puerto_Rico", "EST5EDT", "US/Eastern"],
)
def test_a_place_that_has_no_summer_time_is_a_place(name):
    assert zones.of_place(name).key == name


def test_what_was_stored_before_is_still_read():
    assert zones.zone("EST").key == "EST"


def test_a_wall_time_in_a_gap_moves_forward_by_the_gap():
    assert zones.local_to_utc(datetime(2027, 3, 14, 2, 30), DENVER) == datetime(2027, 3, 14, 9, 30, tzinfo=UTC)
    assert zones.to_local(datetime(2027, 3, 14, 9, 30, tzinfo=UTC), DENVER).hour == 3
    half = zones.zone("Australia/Lord_Howe")
    moved = zones.to_local(zones.local_to_utc(datetime(2027, 10, 3, 2, 10), half), half)
    assert (moved.hour, moved.minute) == (2, 40)


def test_a_skipped_day_moves_to_the_same_hour_of_the_next():
    apia = zones.zone("Pacific/Apia")
    moved = zones.to_local(zones.local_to_utc(datetime(2011, 12, 30, 9), apia), apia)
    assert moved.replace(tzinfo=None) == datetime(2011, 12, 31, 9)


def test_a_wall_time_that_comes_twice_means_the_first():
    first = zones.local_to_utc(datetime(2026, 11, 1, 1, 30), DENVER)
    second = zones.local_to_utc(datetime(2026, 11, 1, 1, 30), DENVER, second=True)
    assert first == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    assert second - first == timedelta(hours=1)


def test_naive_and_aware_are_never_mixed_up():
    with pytest.raises(ValueError, match="naive"):
        zones.to_local(datetime(2026, 1, 1), DENVER)
    with pytest.raises(ValueError, match="no zone"):
        zones.local_to_utc(datetime(2026, 1, 1, tzinfo=UTC), DENVER)


def test_the_change_of_clocks_is_found_to_the_second():
    found = zones.change_between(datetime(2027, 3, 13, tzinfo=UTC), datetime(2027, 3, 16, tzinfo=UTC), DENVER)
    assert found == datetime(2027, 3, 14, 9, tzinfo=UTC)
    assert zones.change_between(datetime(2027, 4, 13, tzinfo=UTC), datetime(2027, 4, 16, tzinfo=UTC), DENVER) is None


@given(
    st.datetimes(datetime(2011, 1, 1), datetime(2029, 1, 1)),
    st.sampled_from(
        [
            "America/Denver",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Asia/Kathmandu",
            "Europe/Dublin",
            "America/Santiago",
        ]
    ),
)
def test_there_and_back_is_the_same_instant_or_the_first_pass_of_a_repeated_hour(naive, name):
    at, place = naive.replace(tzinfo=UTC), ZoneInfo(name)
    local = zones.to_local(at, place)
    assert zones.local_to_utc(local.replace(tzinfo=None), place, second=bool(local.fold)) == at
