"""The one clock."""

from datetime import UTC, datetime, timedelta, timezone

import time_machine

from config import clock


def test_now_is_aware_and_in_utc():
    assert clock.now().utcoffset() == timedelta(0)


def test_now_follows_the_clock_of_a_test():
    with time_machine.travel(datetime(2026, 3, 8, 9, 0, tzinfo=UTC), tick=False):
        assert clock.now() == datetime(2026, 3, 8, 9, 0, tzinfo=UTC)


def test_iso_is_utc_to_the_second():
    denver = timezone(timedelta(hours=-6))
    assert clock.iso(datetime(2026, 7, 1, 18, 30, 5, 999, tzinfo=denver)) == "2026-07-02T00:30:05Z"


def test_monotonic_never_goes_back():
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_a_clock_that_follows_a_file_leaps_with_it_and_no_longer_once_it_is_shifted(tmp_path):
    file = tmp_path / "clock"
    clock.follow(file)
    assert clock.shifted() == timedelta(0), "there is no such file"
    file.write_bytes(clock.LEAP.pack(0))
    clock.follow(file)
    try:
        with file.open("r+b") as opened:
            opened.write(clock.LEAP.pack(-90))
        assert clock.shifted() == timedelta(seconds=-90)
    finally:
        clock.shift(timedelta(0))
    assert clock.shifted() == timedelta(0)


def test_the_clock_runs_ahead_when_told_to():
    clock.shift(timedelta(days=2))
    try:
        with time_machine.travel(datetime(2026, 3, 8, 9, 0, tzinfo=UTC), tick=False):
            assert clock.now() == datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
            assert clock.shifted() == timedelta(days=2)
    finally:
        clock.shift(timedelta(0))
