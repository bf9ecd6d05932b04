"""When somebody is on duty in the coming weeks: each stretch agrees with the rule that routing asks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from messaging.inbox.routing import duty_plan, hours
from messaging.inbox.routing.duty_plan import Stretch
from messaging.inbox.routing.hours import Hours
from messaging.weekdays import WEEKDAYS

ZONES = st.sampled_from(["America/Denver", "America/New_York", "Pacific/Auckland", "UTC"])
TIMES = st.sampled_from(["00:00", "02:30", "08:00", "12:00", "17:00", "22:00"])
WEEKS = st.dictionaries(st.sampled_from(WEEKDAYS), st.tuples(TIMES, TIMES).map(list), min_size=1)
# Both weeks in which a clock is changed are among them.
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 1))
MONDAY = date(2026, 11, 30)
BY_DAY = {day: ["08:00", "17:00"] for day in WEEKDAYS[:5]}
DENVER = Hours("America/Denver")


def utc(day: int, hour: int) -> datetime:
    return datetime(2026, 11, 30, tzinfo=UTC) + timedelta(days=day, hours=hour + 7)  # Denver in winter


def plan(week=BY_DAY, on_call=None, clinic=DENVER, days=7, **more) -> list[Stretch]:
    return duty_plan.plan(week, on_call or {}, clinic, MONDAY, days, **more)


@given(WEEKS, DAYS, ZONES, st.integers(0, 6 * 24 * 4))
def test_a_quarter_of_an_hour_lies_in_a_stretch_where_routing_finds_somebody_on_duty(week, first, zone, quarter):
    begins = datetime.combine(first, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    moment = begins + timedelta(days=1, minutes=15 * quarter)
    local = moment.astimezone(ZoneInfo(zone))
    stretches = duty_plan.plan(week, {}, Hours(zone), first, 9)
    there = any(stretch.starts_at <= moment < stretch.ends_at for stretch in stretches)
    # In the hour that comes twice or never, the clock on the wall cannot say which is meant.
    changing = local.utcoffset() != (local - timedelta(hours=24)).utcoffset()
    changing |= local.utcoffset() != (local + timedelta(hours=24)).utcoffset()
    assert changing or there == hours.within(week, local)


def test_a_working_week_is_five_stretches():
    assert plan() == [Stretch("duty", utc(day, 8), utc(day, 17)) for day in range(5)]


def test_a_night_on_call_ends_the_next_morning_also_on_a_holiday():
    closed = Hours("America/Denver", holidays=("2026-12-01",))
    stretches = plan(on_call={"tue": ["17:00", "08:00"]}, clinic=closed)
    assert Stretch("call", utc(1, 17), utc(2, 8)) in stretches
    assert Stretch("duty", utc(1, 8), utc(1, 17)) not in stretches


def test_whoever_is_away_is_neither_on_duty_nor_on_call():
    away = [(utc(0, 12), utc(2, 10))]
    stretches = plan(on_call={"tue": ["17:00", "08:00"]}, away=away)
    assert [(each.kind, each.starts_at, each.ends_at) for each in stretches[:3]] == [
        ("duty", utc(0, 8), utc(0, 12)),
        ("away", *away[0]),
        ("duty", utc(2, 10), utc(2, 17)),
    ]
    assert "call" not in {each.kind for each in stretches}


def test_covering_stands_there_once_however_many_are_covered():
    covers = [(utc(0, 8), utc(1, 8)), (utc(0, 8), utc(1, 8)), (utc(90, 0), utc(91, 0))]
    assert [each for each in plan(covers=covers) if each.kind == "cover"] == [Stretch("cover", utc(0, 8), utc(1, 8))]


def test_without_hours_of_their_own_the_clinic_s_hold_and_without_any_nothing_is_said():
    assert plan(week={}, clinic=Hours("America/Denver", {"mon": ["09:00", "12:00"]})) == [
        Stretch("duty", utc(0, 9), utc(0, 12))
    ]
    assert plan(week={}) == []


def test_hours_that_cannot_be_read_are_left_out():
    assert plan(week={"mon": ["late", "17:00"], "tue": None, "wed": ["08:00"]}) == []
