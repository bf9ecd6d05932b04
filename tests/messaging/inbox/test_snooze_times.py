"""When "later" is, by the clinic's wall clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbox import snooze_times

ZONES = ("America/Denver", "America/New_York", "America/Phoenix", "America/St_Johns", "Pacific/Honolulu")
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


def local(at: datetime) -> str:
    return at.astimezone(ZoneInfo("America/Denver")).strftime("%a %d %b %H:%M")


@given(now=moments, zone=st.sampled_from(ZONES))
def test_everything_offered_is_still_to_come_and_differs(now, zone):
    offered = list(snooze_times.presets(now, zone).values())
    assert all(moment > now for moment in offered)
    assert len(set(offered)) == len(offered)
    assert all(at > now for at in snooze_times.tries(now, zone, timedelta(hours=72)).values())


@given(now=moments, zone=st.sampled_from(ZONES), woke=moments)
def test_the_same_time_again_is_within_a_day_and_a_change_of_clocks(now, zone, woke):
    again = snooze_times.same_time_again(woke, now, zone)
    assert now < again <= now + timedelta(hours=25)


def test_presets_are_the_clinics_own_hours():
    friday = datetime(2026, 3, 6, 21, 30, tzinfo=UTC)  # 14:30 in Denver
    assert {name: local(at) for name, at in snooze_times.presets(friday, "America/Denver").items()} == {
        "1_hour": "Fri 06 Mar 15:30",
        "afternoon": "Fri 06 Mar 16:00",
        "tomorrow": "Sat 07 Mar 08:00",
        "monday": "Mon 09 Mar 08:00",  # the clocks have changed by then
    }


def test_what_has_passed_or_says_the_same_is_not_offered():
    sunday_evening = datetime(2026, 3, 9, 1, tzinfo=UTC)
    assert list(snooze_times.presets(sunday_evening, "America/Denver")) == ["1_hour", "tomorrow"]
    at_four = datetime(2026, 3, 11, 22, tzinfo=UTC)
    assert "afternoon" not in snooze_times.presets(at_four, "America/Denver")


def test_a_next_try_is_no_further_off_than_allowed():
    now = datetime(2026, 3, 11, 16, tzinfo=UTC)
    assert list(snooze_times.tries(now, "America/Denver", timedelta(hours=4))) == [
        "15_min",
        "30_min",
        "1_hour",
        "2_hours",
        "4_hours",
    ]
    assert "tomorrow" in snooze_times.tries(now, "America/Denver", timedelta(hours=72))


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01T09:00", "2026-03-08T09:00+01:00", "0001-01-01T00:00"])
def test_a_moment_that_cannot_be_read_is_none_or_long_past(text):
    moment = snooze_times.typed(text, "America/Denver")
    assert moment is None or moment < datetime(1900, 1, 1, tzinfo=UTC)


def test_a_typed_moment_is_by_the_clinics_clock():
    assert snooze_times.typed("2026-07-08T09:30", "America/Denver") == datetime(2026, 7, 8, 15, 30, tzinfo=UTC)
