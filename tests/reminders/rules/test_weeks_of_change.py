"""The weeks of 2027 in which clocks change, hour by hour, in six zones:
no text at night, twice, on the wrong side, too many."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders import reasons
from reminders.cadence import cadence_definition
from reminders.rules import conditions, limits, planning, zones

ZONES = (
    "America/New_York",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Asia/Karachi",
)
WEEKS = {"spring": datetime(2027, 3, 10), "autumn": datetime(2027, 11, 3)}
HOURS = 9 * 24
FULL = cadence_definition.from_mapping(
    {
        "steps": [
            {"name": "friday", "weekday": "fri", "at": "16:30", "text": "reminder_far"},
            {"name": "far", "before": "72 hours", "text": "reminder_far"},
            {
                "name": "day",
                "before": "1 day",
                "at": "10:00",
                "text": "reminder_day",
                "window": {"start": "09:00", "end": "18:00"},
            },
            {"name": "soon", "before": "2 hours", "text": "reminder_hours", "if_past": "send"},
            {"name": "missed", "after": "1 day", "when": ["no_show"], "text": "missed_visit"},
            {"name": "thanks", "after": "90 minutes", "when": ["arrived"], "text": "missed_visit"},
        ],
        "min_gap": "2 hours",
        "quiet_states": ["TX"],
        "cap_per_day": 2,
        "cap_per_week": 3,
    }
)  # fmt: skip


def visits(zone: str, week: str, booked: timedelta) -> list[planning.Visit]:
    first, place = WEEKS[week], ZoneInfo(zone)
    starts = (zones.local_to_utc(first + timedelta(hours=hour), place) for hour in range(HOURS))
    return [planning.Visit(start, place, start - booked) for start in starts]


@pytest.mark.parametrize("booked", [timedelta(days=30), timedelta(hours=20)], ids=["long ago", "yesterday"])
@pytest.mark.parametrize("week", WEEKS)
@pytest.mark.parametrize("zone", ZONES)
def test_no_hour_of_a_week_of_change_gets_a_text_it_should_not(zone: str, week: str, booked: timedelta) -> None:
    for seen in visits(zone, week, booked):
        steps = planning.plan(seen, FULL)
        assert Counter(step.step for step in steps) == Counter(("friday", "far", "day", "soon"))
        times = [step.at for step in steps if step.at is not None]
        assert all(seen.booked_at <= at < seen.starts_at for at in times)
        assert all(later - earlier >= FULL.min_gap for earlier, later in itertools.pairwise(times))
        for step in steps:
            assert (step.at is None) == reasons.words(step.why[-1]).startswith("dropped: ")
            leaves_in_its_hours(step, seen.zone)


def leaves_in_its_hours(step: planning.PlannedStep, place: ZoneInfo) -> None:
    if step.at is None:
        return
    local = step.at.astimezone(place)
    opens = 12 if local.weekday() == 6 else 9
    closes = 18 if step.step == "day" else 20
    assert opens <= local.hour < closes, (step, local)


@pytest.mark.parametrize("week", WEEKS)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("outcome", conditions.OUTCOMES)
def test_what_follows_a_visit_comes_after_it_by_day_and_once(zone: str, week: str, outcome: str) -> None:
    for seen in visits(zone, week, timedelta(days=30)):
        gone = planning.Visit(seen.starts_at, seen.zone, seen.booked_at, outcome=outcome)
        [step] = planning.plan(gone, FULL, seen.starts_at + timedelta(minutes=30))
        assert step.at is not None
        assert seen.starts_at < step.at
        leaves_in_its_hours(step, seen.zone)


@pytest.mark.parametrize("zone", ZONES)
def test_the_caps_hold_over_the_days_of_a_patient_in_a_week_of_change(zone: str) -> None:
    place = ZoneInfo(zone)
    for week in WEEKS:
        moments = [
            step.at for seen in visits(zone, week, timedelta(days=30))[::7] for step in planning.plan(seen, FULL)
        ]
        objections = limits.would_be(moments, place, FULL)
        sent = sorted(at for at, objection in zip(moments, objections, strict=True) if at and not objection)
        days = Counter(at.astimezone(place).date() for at in sent)
        assert max(days.values()) <= FULL.cap_per_day
        for day in days:
            week_of_it = sum(count for other, count in days.items() if 0 <= (day - other).days < 7)
            assert week_of_it <= FULL.cap_per_week
        assert any(objections)


def test_the_friday_before_is_never_the_day_itself() -> None:
    friday = datetime(2027, 3, 12, 9)
    planned = {}
    for days in range(8):
        start = zones.local_to_utc(friday + timedelta(days=days), ZoneInfo("America/Denver"))
        seen = planning.Visit(start, ZoneInfo("America/Denver"), datetime(2027, 1, 1, tzinfo=UTC))
        planned[days] = reasons.words(planning.plan(seen, FULL)[0].why[0])
        own = planning.anchors.own_time(FULL.steps[0], start, seen.zone).astimezone(seen.zone)
        assert (own.weekday(), own.hour, own.minute) == (4, 16, 30)
        assert 1 <= ((friday + timedelta(days=days)).date() - own.date()).days <= 7
    assert planned[0] == "planned: 16:30 on the Friday before the visit, in America/Denver"
