"""When a text may be planned for: the days and hours that are offered, on the patient's clock; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from reminders.rules import zones
from reminders.rules.hours import OpenHours
from web.times import clock_time, weekday_date

DAYS_AHEAD = 14
STEP = timedelta(minutes=30)
# How late a planned text may still leave, after an outage; and never after the hours have closed.
USEFUL = timedelta(hours=4)


@dataclass(frozen=True)
class Clock:
    """The clock a text is planned by: the present moment, the patient's zone, and the hours in which it may leave."""

    now: datetime
    zone: str
    hours: OpenHours


def days(clock: Clock) -> list[tuple[str, str]]:
    """Return the days that can be chosen as (ISO date, words), from today, where an hour of it is left."""
    place = zones.zone(clock.zone)
    today = zones.to_local(clock.now, place).date()
    return [
        (each.isoformat(), _day_words(each, today))
        for each in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD))
        if any(zones.local_to_utc(datetime.combine(each, at), place) > clock.now for at in _slots(clock, each))
    ]


def usual(clock: Clock) -> tuple[str, str]:
    """Return the day and hour that are chosen at first: the next morning, "tomorrow 8:00"."""
    place = zones.zone(clock.zone)
    tomorrow = zones.to_local(clock.now, place).date() + timedelta(days=1)
    midnight = zones.local_to_utc(datetime.combine(tomorrow, time()), place)
    opens = zones.to_local(clock.hours.next_open(midnight, place), place)
    return opens.date().isoformat(), f"{opens:%H:%M}"


def times(clock: Clock) -> list[tuple[str, str]]:
    """Return the hours that can be chosen as ("08:00", "8:00"), of whatever day."""
    today = zones.to_local(clock.now, zones.zone(clock.zone)).date()
    slots = {at for ahead in range(7) for at in _slots(clock, today + timedelta(days=ahead))}
    return [(f"{at:%H:%M}", clock_time(at)) for at in sorted(slots)]


def _slots(clock: Clock, day: date) -> Iterator[time]:
    window = clock.hours.window_on(day)
    if window is None:
        return
    at, end = datetime.combine(day, window[0]), datetime.combine(day, window[1])
    while at < end:
        yield at.time()
        at += STEP


def moment(day: str, at: str, clock: Clock) -> datetime:
    """Return the instant of an ISO date and a "HH:MM" on the patient's clock; raises ValueError for anything else."""
    wall = datetime.combine(date.fromisoformat(day), time.fromisoformat(at))
    return zones.local_to_utc(wall.replace(tzinfo=None), zones.zone(clock.zone))


def instead(at: datetime, clock: Clock) -> datetime | None:
    """Return the next moment that is allowed, if `at` is past or in the patient's quiet hours; None if `at` may be."""
    place = zones.zone(clock.zone)
    wanted = max(at, clock.now + timedelta(minutes=1))
    allowed = clock.hours.next_open(wanted, place)
    return None if allowed == at else allowed


def useful_until(at: datetime, clock: Clock) -> datetime:
    """Return until when a text planned for `at` may still leave."""
    place = zones.zone(clock.zone)
    local = zones.to_local(at, place)
    window = clock.hours.window_on(local.date())
    closes = zones.local_to_utc(datetime.combine(local.date(), window[1]), place) if window else at
    return min(at + USEFUL, closes)


def _day_words(day: date, today: date) -> str:
    near = {0: "Today", 1: "Tomorrow"}
    return near.get((day - today).days) or weekday_date(day, today)
