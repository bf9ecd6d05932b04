"""Which slice is read when, and how long an EHR is left alone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from interchange.polling import pacing
from interchange.polling.pacing import Slice

DENVER = ZoneInfo("America/Denver")
NOW = datetime(2026, 11, 1, 19, tzinfo=UTC)  # the day on which the clocks are set back


def test_days_are_from_midnight_to_midnight_also_where_the_clocks_are_set() -> None:
    days = pacing.left(pacing.begun({}, NOW, DENVER, 30), "near")
    lengths = [(day.end.astimezone(UTC) - day.start.astimezone(UTC)) // timedelta(hours=1) for day in days]
    assert lengths == [24, 25, 24, 24]
    assert days[0].start.isoformat() == "2026-10-31T00:00:00-06:00"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)), st.integers(3, 365))
def test_no_moment_of_the_days_ahead_is_left_out_or_asked_for_twice(naive: datetime, days_ahead: int) -> None:
    cursor = pacing.begun({}, naive.replace(tzinfo=UTC), DENVER, days_ahead)
    days = [*pacing.left(cursor, "near"), *pacing.left(cursor, "far")]
    assert all(before.end == after.start for before, after in pairwise(days))
    assert len(days) == days_ahead + 1


def test_near_days_come_first_and_again_after_five_minutes_far_ones_after_two_hours() -> None:
    cursor = pacing.begun({}, NOW, DENVER, 5)
    order = []
    while (turn := pacing.turn(cursor)) is not None:
        order.append(turn[0])
        cursor = pacing.read(cursor, turn[0])
    assert order == ["near"] * 4 + ["far"] * 2
    assert pacing.is_whole(cursor)
    assert pacing.next_try(cursor, NOW, timedelta(0)) == NOW + timedelta(minutes=5)
    later = pacing.begun(cursor, NOW + timedelta(minutes=6), DENVER, 5)
    assert pacing.left(later, "near")
    assert not pacing.left(later, "far")


@given(st.lists(st.booleans(), max_size=60))
def test_halved_slices_are_read_whole(full: list[bool]) -> None:
    cursor = pacing.begun({}, NOW, DENVER, 3)
    (first, *_) = pacing.left(cursor, "near")
    read: list[Slice] = []
    answers = iter(full)
    while pacing.left(cursor, "near")[0].start < first.end:
        now = pacing.left(cursor, "near")[0]
        halves = now.halves() if next(answers, False) else [now]
        if len(halves) == 1:
            read.append(now)
        cursor = pacing.read(cursor, "near", halves if len(halves) > 1 else ())
    assert (read[0].start, read[-1].end) == (first.start, first.end)
    assert all(before.end == after.start for before, after in pairwise(read))


def test_an_ehr_is_asked_five_times_as_often_at_night() -> None:
    by_day = pacing.gap(60, datetime(2026, 12, 1, 19, tzinfo=UTC), DENVER)
    by_night = pacing.gap(60, datetime(2026, 12, 1, 9, tzinfo=UTC), DENVER)
    assert (by_day, by_night) == (timedelta(seconds=1), timedelta(seconds=0.2))


def test_pauses_grow_heed_the_ehr_and_end() -> None:
    pauses = [pacing.pause(failures, None, stuck=False) for failures in (1, 2, 3, 9, 500)]
    assert pauses == [timedelta(seconds=each) for each in (5, 10, 20, 900, 900)]
    assert pacing.pause(1, 77, stuck=False) == timedelta(seconds=77)
    assert pacing.pause(1, 10**6, stuck=False) == pacing.LONGEST_HOLD
    assert pacing.pause(1, None, stuck=True) == pacing.STUCK_PAUSE
